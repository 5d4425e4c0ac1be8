"""QGIS's feedback as the core's `Progress`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from qgis.core import QgsProcessingException, QgsProcessingFeedback

from epoch_plugin.core.errors import EpochError, explained


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


@contextlib.contextmanager
def progress_of_algorithm(feedback: QgsProcessingFeedback) -> Iterator[FeedbackProgress]:
    """Give an algorithm's work its progress, hand the core's errors to QGIS as text, and tell a run of the docks (`runs`) when it is over."""
    try:
        yield FeedbackProgress(feedback)
    except (EpochError, ModuleNotFoundError) as error:
        raise QgsProcessingException(explained(error)) from error
    finally:
        if hasattr(feedback, "leaving"):
            feedback.leaving()
