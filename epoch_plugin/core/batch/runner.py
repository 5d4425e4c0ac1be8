"""Running a batch: find or make the job, compute chunk after chunk, commit each with its progress."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from epoch_plugin.core.batch.chunks import Chunk, as_boxes, make_chunks
from epoch_plugin.core.batch.inputs import describe_inputs, describe_run, inputs_key
from epoch_plugin.core.batch.request import RECOMPUTE, BatchRequest, BatchResult
from epoch_plugin.core.batch.sign_of_life import JobProgress
from epoch_plugin.core.batch.statistics import PLANNERS, MergedTasks, StatisticPlan
from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.errors import CancelledError, EpochError, InputError
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.store import collections, jobs, plots, results
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.jobs import JobRow
from epoch_plugin.core.store.store import Store
from epoch_plugin.core.zonal import engine
from epoch_plugin.core.zonal.cell_area import ground_cell_size
from epoch_plugin.core.zonal.rings import Floats, middle_of

SKIPPED = "not processed: validation confidence too low"
ATTEMPTS = 2  # a file on a network may fail once


def run_batch(store: Store, request: BatchRequest, progress: Progress) -> BatchResult:
    """Run or continue the batch that `request` describes and return its job.

    A completed job with the same inputs is returned as it is, an unfinished one continues at its next chunk; with
    `recompute` a new job is made. Raises `EpochError` with what to do when it cannot be run to its end; the chunks that
    were committed stay, and the same request continues behind them.
    """
    request.check()
    with store.reading() as connection:
        collection = collections.find(connection, request.collection)
        fids, boxes = as_boxes(plots.boxes(connection, collection.collection_id))
    _require_uploaded(collection)
    if request.skip_on_low_confidence and collection.locations_confidence in ("low", "invalid"):
        return _skip(store, request, collection, progress)
    progress.step(0.0, "plan")
    datasets = load_datasets(request.datasets)
    plans = [PLANNERS[name](datasets, request.window, request.settings, boxes) for name in request.stats]
    for name, plan in zip(request.stats, plans):
        for role in plan.missing:
            progress.warn(f"{name}: no '{role}' is bound in {request.datasets}; without it no plot can be assessed.")
    inputs = describe_inputs(request, collection.collection_id, plans)
    job, reused = _job(store, request, inputs, plans, collection)
    if reused:
        progress.info(f"Job {job.job_id} has the same inputs and is completed: its results are used as they are.")
        return BatchResult(job.job_id, job.status, *_counts(store, job), reused=True)
    chunks = make_chunks(fids, boxes, _finest_cell_m2(plans, boxes))
    return _Run(store, job, request.stats, plans, chunks, progress).run()


def _require_uploaded(collection: CollectionRow) -> None:
    if collection.status == "staged":
        raise InputError(f"'{collection.collection_name}' is staged, not uploaded: run epoch:uploadplots on it first.")


def _finest_cell_m2(plans: Sequence[StatisticPlan], boxes: Floats) -> float:
    centre = middle_of(boxes)
    return min((ground_cell_size(task.grid, *centre) ** 2 for plan in plans for task in plan.tasks), default=1e4)


def _owner() -> str:
    return f"{platform.node()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def _job(
    store: Store, request: BatchRequest, inputs: dict[str, Any], plans: Sequence[StatisticPlan], collection: CollectionRow
) -> tuple[JobRow, bool]:
    """Return the job to run, claimed, or a completed one and True."""
    key = inputs_key(inputs)
    with store.writing() as connection:
        if request.if_done != RECOMPUTE:
            done = jobs.find_by_inputs_key(connection, key, jobs.COMPLETED)
            if done is not None:
                return done, True
            unfinished = jobs.find_by_inputs_key(connection, key, jobs.UNFINISHED)
            if unfinished is not None:
                return jobs.claim(connection, unfinished.job_id, _owner()), False
        job = JobRow(
            job_id=uuid.uuid4().hex, collection_id=collection.collection_id, stats=list(request.stats), start_date=request.start_date.isoformat(),
            end_date=request.end_date.isoformat(), inputs_key=key, outcome="plan", provenance=describe_run(request, inputs, plans),
        )  # fmt: skip
        jobs.create(connection, job)
        collections.update(connection, collection.collection_id, {"status": "processing"})
        return jobs.claim(connection, job.job_id, _owner()), False


def _counts(store: Store, job: JobRow) -> tuple[int, int]:
    """Return how many plots have a row of this job in each of its statistics, and how many have not."""
    with store.reading() as connection:
        done = min(results.count(connection, name, job.job_id) for name in job.stats)
        return done, plots.count(connection, job.collection_id) - done


def _skip(store: Store, request: BatchRequest, collection: CollectionRow, progress: Progress) -> BatchResult:
    """Store that nothing was processed, and why, as the API does; process nothing."""
    job_id = uuid.uuid4().hex
    with store.writing() as connection:
        job = JobRow(
            job_id=job_id, collection_id=collection.collection_id, stats=list(request.stats), start_date=request.start_date.isoformat(),
            end_date=request.end_date.isoformat(), inputs_key="", status="cancelled", outcome="skipped", error=SKIPPED,
        )  # fmt: skip
        jobs.create(connection, job)
        collections.update(connection, collection.collection_id, {"locations_confidence": SKIPPED})
        number = plots.count(connection, collection.collection_id)
    progress.warn(f"'{collection.collection_name}': {SKIPPED}. Correct the locations, or run again without SKIP_ON_LOW_CONFIDENCE.")
    return BatchResult(job_id, "cancelled", 0, number)


class _Run:
    """One run over the chunks of a claimed job."""

    def __init__(
        self, store: Store, job: JobRow, stats: Sequence[str], plans: Sequence[StatisticPlan], chunks: list[Chunk], progress: Progress
    ) -> None:
        self._store, self._job, self._stats, self._plans = store, job, stats, plans
        self._merged = MergedTasks(plans)
        self._todo = [chunk for chunk in chunks if chunk.chunk_id not in job.complete_task_ids]
        self._progress = JobProgress(progress, store, job.job_id, job.owner or "", len(chunks) - len(self._todo), len(chunks))
        self._errors: list[str] = []

    def run(self) -> BatchResult:
        """Compute and commit what is left to do."""
        try:
            for chunk in self._todo:
                stop_if_cancelled(self._progress)
                self._chunk(chunk)
        except CancelledError:
            self._end("cancelled", None)
            raise
        except BaseException as error:
            self._end("failed", f"{type(error).__name__}: {error}")
            raise
        processed, failed = _counts(self._store, self._job)
        if self._errors:
            text = f"{failed} plots could not be processed: {self._errors[0]}"
            self._end("failed", text)
            raise EpochError(
                f"{text} The other {processed} are stored. Correct the cause and run the same batch again: it continues (job {self._job.job_id})."
            )
        self._end("completed", None)
        return BatchResult(self._job.job_id, "completed", processed, failed)

    def _chunk(self, chunk: Chunk) -> None:
        for attempt in range(ATTEMPTS):
            try:
                found = self._compute(chunk)
                break
            except CancelledError:
                raise
            except (EpochError, OSError, RuntimeError) as error:
                if attempt + 1 < ATTEMPTS:
                    continue
                self._errors.append(str(error))
                self._progress.warn(f"Chunk {chunk.chunk_id} failed: {error}")
                with self._store.writing() as connection:
                    jobs.fail_chunk(connection, self._job.job_id, self._job.owner or "", chunk.chunk_id, str(error))
                return
        self._progress.done += 1
        with self._store.writing() as connection:
            jobs.commit_chunk(
                connection, self._job.job_id, self._job.owner or "", chunk.chunk_id, found, 100.0 * self._progress.share, outcome="gather"
            )  # fmt: skip

    def _compute(self, chunk: Chunk) -> Mapping[str, list[dict[str, Any]]]:
        with self._store.reading() as connection:
            shapes = plots.shapes(connection, chunk.fids)
        answers = engine.run([shape.polygon for shape in shapes], self._merged.tasks, os.cpu_count() or 1, self._progress)
        found = {}
        for number, (name, plan) in enumerate(zip(self._stats, self._plans)):
            own = plan.rows(self._merged.results_of(number, answers), shapes)
            found[name] = [{**row, "collection_id": self._job.collection_id, "job_id": self._job.job_id} for row in own]
        return found

    def _end(self, status: str, error: str | None) -> None:
        """Set the final state of job and collection; a job that somebody else cancelled or took over stays theirs."""
        with self._store.writing() as connection:
            if status == "cancelled":
                jobs.request_cancel(connection, self._job.job_id)
            else:
                try:
                    jobs.finish(connection, self._job.job_id, self._job.owner or "", status, error)
                except CancelledError:
                    return
            ended = {"completed": "processed", "failed": "failed", "cancelled": "uploaded"}[status]
            any_done = any(job.status == "completed" for job in jobs.for_collection(connection, self._job.collection_id))
            collections.update(connection, self._job.collection_id, {"status": "processed" if any_done else ended})
