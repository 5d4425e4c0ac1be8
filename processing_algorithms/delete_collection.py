"""epoch:deletecollection: remove a collection with its plots, jobs and results; a backup of the store stays beside it."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputFile, QgsProcessingOutputNumber

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.processing_algorithms.base import EpochAlgorithm


class DeleteCollection(EpochAlgorithm):
    """Delete collection."""

    NAME, GROUP = "deletecollection", "Collections"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Delete collection")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection()
        self.addOutput(QgsProcessingOutputNumber("DELETED_COUNT", self.tr("Plots deleted")))
        self.addOutput(QgsProcessingOutputFile("BACKUP", self.tr("Backup of the store")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a collection that exists."""
        self.check_collection(parameters, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Delete; the core keeps the state before beside the store."""
        from epoch_plugin.core.store import collections

        store = self.store(parameters, context)
        number = collections.delete(store, self.required(parameters, self.COLLECTION, context))
        backup = collections.backup_path(store)
        progress.info(self.tr("{number} plots deleted. The store as it was before: {backup}").format(number=number, backup=backup))
        return {"DELETED_COUNT": number, "BACKUP": backup}
