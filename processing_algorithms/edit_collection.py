"""epoch:editcollection: rename a collection or change what is said about it; ids and results stay."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputNumber, QgsProcessingOutputString, QgsProcessingParameterString

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.base import EpochAlgorithm

# parameter -> column of the collection
CHANGES = {
    "COLLECTION_NAME": "collection_name",
    "DESCRIPTION": "description",
    "CROP_TYPE": "crop_type",
    "PROCESSING_TYPE": "processing_type",
    "SYSTEM_TYPE": "system_type",
    "COUNTRY": "country",
}


class EditCollection(EpochAlgorithm):
    """Edit collection."""

    NAME, GROUP = "editcollection", "Collections"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Edit collection")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection()
        for name, label in (
            ("COLLECTION_NAME", self.tr("New name")),
            ("DESCRIPTION", self.tr("New description")),
            ("CROP_TYPE", self.tr("New crop")),
            ("PROCESSING_TYPE", self.tr("New processing of the commodity")),
            ("SYSTEM_TYPE", self.tr("New system: smallholder or estate")),
            ("COUNTRY", self.tr("New declared country")),
        ):
            self.addParameter(QgsProcessingParameterString(name, label, optional=True))
        self.addOutput(QgsProcessingOutputString("COLLECTION_ID", self.tr("Collection id")))
        self.addOutput(QgsProcessingOutputNumber("UPDATED_COUNT", self.tr("Collections changed")))

    def changes(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, str]:
        """Return the columns to change with their new values; unset parameters change nothing."""
        values = {column: self.text(parameters, name, context) for name, column in CHANGES.items()}
        return {column: value for column, value in values.items() if value}

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a collection that exists and something to change."""
        self.check_collection(parameters, context)
        changes = self.changes(parameters, context)
        if not changes:
            raise InputError(f"Nothing to change: give at least one of {', '.join(CHANGES)}.")
        if changes.get("system_type", "estate") not in ("smallholder", "estate"):
            raise InputError(f"SYSTEM_TYPE is '{changes['system_type']}': it is smallholder or estate.")

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Change the collection's row."""
        from epoch_plugin.core.store import collections

        with self.store(parameters, context).writing() as conn:
            row = collections.find(conn, self.required(parameters, self.COLLECTION, context))
            collections.update(conn, row.collection_id, self.changes(parameters, context))
        return {"COLLECTION_ID": row.collection_id, "UPDATED_COUNT": 1}
