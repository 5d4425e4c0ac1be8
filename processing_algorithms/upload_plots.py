"""epoch:uploadplots: check the locations of a staged collection and release it for processing."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSink,
)

from epoch_plugin.bridge.borders import world_map
from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.processing_algorithms.base import EpochAlgorithm
from epoch_plugin.processing_algorithms.feature_output import write_outputs


class UploadPlots(EpochAlgorithm):
    """Upload plots."""

    NAME, GROUP = "uploadplots", "Collections"
    VALIDATE_LOCATIONS, OUTPUT = "VALIDATE_LOCATIONS", "OUTPUT"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Upload plots")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection()
        self.addParameter(QgsProcessingParameterBoolean(self.VALIDATE_LOCATIONS, self.tr("Check where the plots lie"), True))
        self.addParameter(
            QgsProcessingParameterFeatureSink(
                self.OUTPUT, self.tr("Plots"), QgsProcessing.SourceType.TypeVectorPolygon, optional=True, createByDefault=True
            )
        )
        self.addOutput(QgsProcessingOutputString("COLLECTION_ID", self.tr("Collection id")))
        self.addOutput(QgsProcessingOutputNumber("PLOT_COUNT", self.tr("Plots")))
        self.addOutput(QgsProcessingOutputString("LOCATIONS_CONFIDENCE", self.tr("Confidence of the locations")))
        self.addOutput(QgsProcessingOutputString("COUNTRY_OVERRIDE_INFO", self.tr("Country found instead of the declared one (JSON)")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a collection that exists."""
        self.check_collection(parameters, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Upload, then write the plots as a layer."""
        from epoch_plugin.core.fetch.request import FetchRequest
        from epoch_plugin.core.fetch.run import fetch
        from epoch_plugin.core.staging import upload_plots

        store = self.store(parameters, context)
        validate = self.parameterAsBoolean(parameters, self.VALIDATE_LOCATIONS, context)
        result = upload_plots(store, self.required(parameters, self.COLLECTION, context), validate, world_map(), progress)
        plots = fetch(store, FetchRequest(collection=result.collection_id, plots_only=True, limit=0))
        written = write_outputs(self, parameters, context, plots, self.required(parameters, self.COLLECTION, context), progress)
        return {
            "COLLECTION_ID": result.collection_id,
            "PLOT_COUNT": result.plot_count,
            "LOCATIONS_CONFIDENCE": result.locations_confidence,
            "COUNTRY_OVERRIDE_INFO": json.dumps(result.country_override_info, ensure_ascii=False) if result.country_override_info else "",
            self.OUTPUT: written.get(self.OUTPUT),
        }
