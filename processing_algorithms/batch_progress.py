"""epoch:batchprogress: where a job stands."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputNumber, QgsProcessingOutputString, QgsProcessingParameterString

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.processing_algorithms.base import EpochAlgorithm


class BatchProgress(EpochAlgorithm):
    """Batch progress."""

    NAME, GROUP = "batchprogress", "Batch"
    TRACKING_ID = "TRACKING_ID"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Batch progress")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.addParameter(QgsProcessingParameterString(self.TRACKING_ID, self.tr("Job id, or collection (id or name)")))
        self.addOutput(QgsProcessingOutputString("STATUS", self.tr("Status")))
        self.addOutput(QgsProcessingOutputNumber("PROGRESS", self.tr("Progress (%)")))
        self.addOutput(QgsProcessingOutputString("STAGE", self.tr("Stage")))
        self.addOutput(QgsProcessingOutputNumber("FAILED_COUNT", self.tr("Tasks failed")))
        self.addOutput(QgsProcessingOutputString("RESPONSE", self.tr("Everything about the job (JSON)")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand something to follow."""
        self.required(parameters, self.TRACKING_ID, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Read the job's row."""
        from epoch_plugin.core.store.tracking import progress_response

        with self.store(parameters, context).reading() as conn:
            response = progress_response(conn, self.required(parameters, self.TRACKING_ID, context))
        return {
            "STATUS": response["status"],
            "PROGRESS": response["progress"],
            "STAGE": response["stage"],
            "FAILED_COUNT": response["failed_count"],
            "RESPONSE": json.dumps(response, ensure_ascii=False),
        }
