"""How long work tells its caller where it stands, without knowing who listens."""

from __future__ import annotations

from typing import Protocol

from epoch_plugin.core.errors import CancelledError


class Progress(Protocol):
    """Receives progress; every method may be called from the thread that does the work."""

    def step(self, fraction: float, stage: str) -> None:
        """Report the done share of the whole (0..1) and the name of the current stage."""

    def info(self, text: str) -> None:
        """Say what was done."""

    def warn(self, text: str) -> None:
        """Say what the user must read although the result is usable."""

    def cancelled(self) -> bool:
        """Return True once the user wants the work to stop."""


class NoProgress:
    """A `Progress` that nobody listens to."""

    def step(self, fraction: float, stage: str) -> None:
        """Ignore the report."""

    def info(self, text: str) -> None:
        """Ignore the text."""

    def warn(self, text: str) -> None:
        """Ignore the text."""

    def cancelled(self) -> bool:
        """Never stop."""
        return False


def stop_if_cancelled(progress: Progress) -> None:
    """Raise `CancelledError` if the listener wants the work to stop."""
    if progress.cancelled():
        raise CancelledError("Stopped on request; nothing after the last finished step was kept.")
