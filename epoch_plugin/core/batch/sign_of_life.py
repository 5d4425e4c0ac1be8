"""Progress of a running job: passed on to the listener, and written to the job's row so that other processes see it."""

from __future__ import annotations

import time

from epoch_plugin.core.progress import Progress
from epoch_plugin.core.store import jobs
from epoch_plugin.core.store.store import Store

HEARTBEAT_EVERY = 10.0  # seconds; a job is taken for dead after 60


class JobProgress:
    """A `Progress` for the chunks of one job; raises `CancelledError` when the job was cancelled through the store."""

    def __init__(self, listener: Progress, store: Store, job_id: str, owner: str, done: int, total: int) -> None:
        """Start with `done` of `total` chunks finished."""
        self._listener, self._store, self._job_id, self._owner = listener, store, job_id, owner
        self.done, self._total = done, total
        self._told = 0.0
        self._last = time.monotonic()

    @property
    def share(self) -> float:
        """Share of the chunks that is finished, 0..1."""
        return self.done / self._total if self._total else 1.0

    def step(self, fraction: float, stage: str) -> None:
        """Report the share of the current chunk; now and then give the job a sign of life."""
        share = min((self.done + fraction) / max(self._total, 1), 1.0)
        self._told = max(self._told, share)  # a chunk that ended, but is not stored yet, must not make the bar jump back
        self._listener.step(self._told, f"{stage} {min(self.done + 1, self._total)}/{self._total}")
        if time.monotonic() - self._last > HEARTBEAT_EVERY:
            self._last = time.monotonic()
            with self._store.writing() as connection:
                jobs.heartbeat(connection, self._job_id, self._owner, outcome=stage)

    def info(self, text: str) -> None:
        """Pass on."""
        self._listener.info(text)

    def warn(self, text: str) -> None:
        """Pass on."""
        self._listener.warn(text)

    def cancelled(self) -> bool:
        """Pass on."""
        return self._listener.cancelled()
