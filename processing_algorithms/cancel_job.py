"""epoch:canceljob: ask a running job, also one of another process, to stop after the chunk it is in."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingOutputString, QgsProcessingParameterString

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.processing_algorithms.base import EpochAlgorithm


class CancelJob(EpochAlgorithm):
    """Cancel job."""

    NAME, GROUP = "canceljob", "Batch"
    JOB_ID = "JOB_ID"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Cancel job")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.addParameter(QgsProcessingParameterString(self.JOB_ID, self.tr("Job id")))
        self.addOutput(QgsProcessingOutputString("STATUS", self.tr("Status")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a job id."""
        self.required(parameters, self.JOB_ID, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Ask the job to stop."""
        from epoch_plugin.core.store import jobs

        with self.store(parameters, context).writing() as conn:
            status = jobs.request_cancel(conn, self.required(parameters, self.JOB_ID, context))
        return {"STATUS": status}
