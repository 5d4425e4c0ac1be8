"""epoch:batchprocess: stage, upload and batch in one."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputString, QgsProcessingParameterBoolean, QgsProcessingParameterString

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.processing_algorithms.batch_zonal_stats import BatchZonalStats
from epoch_plugin.processing_algorithms.stage_inputs import StagingAlgorithm


class BatchProcess(StagingAlgorithm, BatchZonalStats):
    """From a plot file to results."""

    NAME = "batchprocess"
    VALIDATE_LOCATIONS, INPUT_PAYLOAD = "VALIDATE_LOCATIONS", "INPUT_PAYLOAD"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Stage, upload and process")

    def declare(self) -> None:
        """Add the parameters of plots and job, and the outputs."""
        self.declare_plots()
        self.declare_stats()
        self.addParameter(QgsProcessingParameterBoolean(self.VALIDATE_LOCATIONS, self.tr("Check where the plots lie"), True))
        payload = self.tr("Farm and supply chain data (JSON text or file)")
        self.addParameter(QgsProcessingParameterString(self.INPUT_PAYLOAD, payload, multiLine=True, optional=True))
        self.add_non_biomass()
        self.addOutput(QgsProcessingOutputString("COLLECTION_ID", self.tr("Collection id")))
        self.declare_run()
        self.addOutput(QgsProcessingOutputString("COUNTRY_OVERRIDE_INFO", self.tr("Country found instead of the declared one (JSON)")))
        self.addOutput(QgsProcessingOutputString("LOCATIONS_CONFIDENCE", self.tr("Confidence of the locations")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand plots to stage and what a job needs."""
        self.check_plots(parameters, context)
        self.check_run(parameters, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Stage, upload, process."""
        from epoch_plugin.core.process import ProcessRequest, process_plots

        request = ProcessRequest(
            stage=self.stage_request(parameters, context),
            batch=self.request(parameters, context, self.required(parameters, self.COLLECTION_NAME, context)),
            validate_locations=self.parameterAsBoolean(parameters, self.VALIDATE_LOCATIONS, context),
            input_payload=self.text(parameters, self.INPUT_PAYLOAD, context),
        )
        result = process_plots(self.store(parameters, context, create=True), self.plots(parameters, context), request, progress)
        info = result.country_override_info
        return {
            "COLLECTION_ID": result.collection_id,
            "JOB_ID": result.job_id,
            "STATUS": result.status,
            "COUNTRY_OVERRIDE_INFO": json.dumps(info, ensure_ascii=False) if info else "",
            "LOCATIONS_CONFIDENCE": result.locations_confidence,
        }
