"""QGIS's feedback as the core's `Progress`."""

from __future__ import annotations

from qgis.core import QgsProcessingFeedback


class FeedbackProgress:
    """Passes the core's reports to a `QgsProcessingFeedback`; implements `epoch_plugin.core.progress.Progress`."""

    def __init__(self, feedback: QgsProcessingFeedback | None):
        self._feedback = feedback or QgsProcessingFeedback()
        self._stage = ""

    def step(self, fraction: float, stage: str) -> None:
        """Show the done share as a percentage, and the stage when it changes."""
        if stage != self._stage:
            self._stage = stage
            self._feedback.setProgressText(stage)
        self._feedback.setProgress(100.0 * min(1.0, max(0.0, fraction)))

    def info(self, text: str) -> None:
        """Write to the log."""
        self._feedback.pushInfo(text)

    def warn(self, text: str) -> None:
        """Write to the log as a warning."""
        self._feedback.pushWarning(text)

    def cancelled(self) -> bool:
        """Tell whether the user pressed Cancel."""
        return self._feedback.isCanceled()
