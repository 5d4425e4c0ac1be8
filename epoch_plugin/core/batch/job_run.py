"""One run over the chunks of a claimed job: chunks go to an executor, and what comes back is committed, each with its progress."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.batch.chunks import Chunk
from epoch_plugin.core.batch.compute import ChunkSpec, Rows
from epoch_plugin.core.batch.executors import Executor, ExecutorError, open_executor
from epoch_plugin.core.batch.request import BatchResult
from epoch_plugin.core.batch.sign_of_life import JobProgress
from epoch_plugin.core.errors import CancelledError, EpochError
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.store import collections, jobs, plots, results
from epoch_plugin.core.store.jobs import JobRow
from epoch_plugin.core.store.store import Store

ATTEMPTS = 2  # a file on a network may fail once
POLL_SECONDS = 0.2  # how soon a wish to stop is heard


@dataclass(frozen=True)
class _Attempt:
    chunk: Chunk
    number: int


class JobRun:
    """Runs a job to its end; this process is the only one that writes to the store."""

    def __init__(
        self, store: Store, job: JobRow, spec: ChunkSpec, executor: str, chunks: list[Chunk], progress: Progress,
        finish: Callable[[Progress], None] | None = None,
    ) -> None:  # fmt: skip
        """Take up the chunks that are not completed yet; `finish` runs when all are, before the job counts as completed."""
        self._finish = finish
        self._store, self._job, self._owner, self._spec, self._executor_name = store, job, job.owner or "", spec, executor
        self._todo = deque(_Attempt(chunk, 1) for chunk in chunks if chunk.chunk_id not in job.complete_task_ids)
        self._progress = JobProgress(progress, store, job.job_id, self._owner, len(chunks) - len(self._todo), len(chunks))
        self._errors: list[str] = []

    def run(self) -> BatchResult:
        """Compute and commit what is left to do; raise `EpochError` with what to do where some of it failed."""
        try:
            self._chunks()
            if self._finish is not None and not self._errors:
                self._finish(self._progress)
        except CancelledError:
            self._end("cancelled", None)
            raise
        except BaseException as error:
            self._end("failed", f"{type(error).__name__}: {error}")
            raise
        processed, failed = plot_counts(self._store, self._job)
        if self._errors:
            self._end("failed", f"{failed} plots could not be processed: {self._errors[0]}")
            raise EpochError(
                f"{failed} plots could not be processed: {self._errors[0]} The other {processed} are stored. "
                f"Correct the cause and run the same batch again: it continues (job {self._job.job_id})."
            )
        self._end("completed", None)
        return BatchResult(self._job.job_id, "completed", processed, failed)

    def _chunks(self) -> None:
        stop_if_cancelled(self._progress)
        if not self._todo:
            return
        executor = open_executor(self._executor_name, self._spec, self._progress)
        waiting: dict[Any, _Attempt] = {}
        try:
            while self._todo or waiting:
                while self._todo and len(waiting) < executor.capacity:
                    attempt = self._todo.popleft()
                    waiting[self._submit(executor, attempt.chunk)] = attempt
                self._take_finished(executor, waiting)
                stop_if_cancelled(self._progress)
                self._progress.step(executor.fraction, "gather")
        finally:
            executor.close()

    def _submit(self, executor: Executor, chunk: Chunk) -> Any:
        with self._store.reading() as connection:
            return executor.submit(plots.shapes(connection, chunk.fids))

    def _take_finished(self, executor: Executor, waiting: dict[Any, _Attempt]) -> None:
        """Commit what is finished; nothing of it is held on to while the next chunk is computed."""
        for ticket in executor.finished(waiting, POLL_SECONDS):
            self._take(executor, ticket, waiting.pop(ticket))

    def _take(self, executor: Executor, ticket: Any, attempt: _Attempt) -> None:
        """Commit a finished chunk; try a failed one again behind the others."""
        try:
            rows = executor.rows(ticket)
        except (CancelledError, ExecutorError):
            raise
        except (EpochError, OSError, RuntimeError) as error:
            if attempt.number < ATTEMPTS:
                self._todo.append(_Attempt(attempt.chunk, attempt.number + 1))
            else:
                self._fail(attempt.chunk, error)
            return
        self._commit(attempt.chunk, rows)

    def _commit(self, chunk: Chunk, rows: Rows) -> None:
        own = {"collection_id": self._job.collection_id, "job_id": self._job.job_id}
        found = {name: ({**row, **own} for row in statistic) for name, statistic in rows.items()}  # made while they are stored
        self._progress.done += 1
        with self._store.writing() as connection:
            jobs.commit_chunk(connection, self._job.job_id, self._owner, chunk.chunk_id, found, 100.0 * self._progress.share, outcome="gather")

    def _fail(self, chunk: Chunk, error: Exception) -> None:
        self._errors.append(str(error))
        self._progress.warn(f"Chunk {chunk.chunk_id} failed: {error}")
        with self._store.writing() as connection:
            jobs.fail_chunk(connection, self._job.job_id, self._owner, chunk.chunk_id, str(error))

    def _end(self, status: str, error: str | None) -> None:
        """Set the final state of job and collection; a job that somebody else cancelled or took over stays theirs."""
        with self._store.writing() as connection:
            if status == "cancelled":
                jobs.request_cancel(connection, self._job.job_id)
            else:
                try:
                    jobs.finish(connection, self._job.job_id, self._owner, status, error)
                except CancelledError:
                    return
            ended = {"completed": "processed", "failed": "failed", "cancelled": "uploaded"}[status]
            any_done = any(job.status == "completed" for job in jobs.for_collection(connection, self._job.collection_id))
            collections.update(connection, self._job.collection_id, {"status": "processed" if any_done else ended})


def plot_counts(store: Store, job: JobRow) -> tuple[int, int]:
    """Return how many plots have a row of this job in each of its statistics, and how many have not."""
    with store.reading() as connection:
        done = min(results.count(connection, name, job.job_id) for name in job.stats)
        return done, plots.count(connection, job.collection_id) - done
