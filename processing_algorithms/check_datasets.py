"""epoch:checkdatasets: what a datasets file binds, what is missing, and what that means for the plots."""

from __future__ import annotations

import json
import os
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputNumber, QgsProcessingOutputString, QgsProcessingParameterFile

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.base import EpochAlgorithm


class CheckDatasets(EpochAlgorithm):
    """Check datasets."""

    NAME, GROUP = "checkdatasets", "Datasets"
    DATASETS = "DATASETS"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Check datasets")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.addParameter(QgsProcessingParameterFile(self.DATASETS, self.tr("Datasets file (JSON)"), extension="json"))
        self.add_collection(self.tr("Collection whose plots should be covered (id or name)"), optional=True)
        self.addOutput(QgsProcessingOutputString("RESPONSE", self.tr("What was found, per role (JSON)")))
        self.addOutput(QgsProcessingOutputNumber("OK_COUNT", self.tr("Entries that can be used")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a file that exists, and a known collection where one is given."""
        datasets = self.required(parameters, self.DATASETS, context)
        if not os.path.isfile(datasets):
            raise InputError(f"DATASETS: there is no file {datasets}.")
        if self.text(parameters, self.COLLECTION, context):
            self.check_collection(parameters, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Check every entry, against the collection's plots where one is given."""
        from epoch_plugin.core.datasets.check import check_datasets
        from epoch_plugin.core.datasets.datasets_file import load_datasets
        from epoch_plugin.core.store import collections, plots

        geometries = None
        collection = self.text(parameters, self.COLLECTION, context)
        if collection:
            with self.store(parameters, context).reading() as conn:
                geometries = plots.geometries(conn, collections.find(conn, collection).collection_id)[1]
        datasets = load_datasets(self.required(parameters, self.DATASETS, context))
        response = check_datasets(datasets, geometries, progress)
        return {"RESPONSE": json.dumps(response, ensure_ascii=False), "OK_COUNT": response["ok_count"]}
