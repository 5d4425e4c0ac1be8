"""Batch jobs: their state, their sign of life, and the commit of one chunk."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.errors import CancelledError, InputError, NotFoundError
from epoch_plugin.core.store import results
from epoch_plugin.core.store.codec import moment, timestamp
from epoch_plugin.core.store.rows import decoded, insert_rows, update_row
from epoch_plugin.core.store.schema import TABLES

_TABLE = TABLES["batch_jobs"]

HEARTBEAT_SECONDS = 60.0
RUNNING = ("queued", "in_progress")
UNFINISHED = ("queued", "in_progress", "cancelled", "failed")
COMPLETED = ("completed",)


@dataclass(frozen=True)
class JobRow:
    """One job; JSON columns are Python values, `progress` is 0..100, `outcome` the name of the stage, moments are ISO 8601 UTC."""

    job_id: str
    collection_id: str
    stats: list[str]
    start_date: str
    end_date: str
    inputs_key: str
    status: str = "queued"
    outcome: str | None = None
    progress: float = 0.0
    complete_task_ids: list[str] = dataclasses.field(default_factory=list)
    failed_task_ids: list[str] = dataclasses.field(default_factory=list)
    error: str | None = None
    created: str | None = None
    updated: str | None = None
    owner: str | None = None
    heartbeat: str | None = None
    provenance: Any = None


def create(connection: sqlite3.Connection, job: JobRow, now: dt.datetime | None = None) -> JobRow:
    """Insert a job, stamped `created` and `updated` with `now`, and return it as stored."""
    stamp = timestamp(now)
    insert_rows(connection, _TABLE, [dataclasses.asdict(dataclasses.replace(job, created=stamp, updated=stamp))])
    return get(connection, job.job_id)


def get(connection: sqlite3.Connection, job_id: str) -> JobRow:
    """Return a job; raise `NotFoundError` if there is none with this id."""
    row = connection.execute("SELECT * FROM batch_jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no job '{job_id}' in the store.")
    return JobRow(**decoded(_TABLE, row))


def for_collection(connection: sqlite3.Connection, collection_id: str) -> list[JobRow]:
    """Return the jobs of a collection, newest first."""
    rows = connection.execute("SELECT * FROM batch_jobs WHERE collection_id = ? ORDER BY created DESC, fid DESC", (collection_id,))
    return [JobRow(**decoded(_TABLE, row)) for row in rows]


def find_by_inputs_key(connection: sqlite3.Connection, inputs_key: str, statuses: Sequence[str]) -> JobRow | None:
    """Return the newest job with these inputs in one of `statuses` (`COMPLETED`, `UNFINISHED`), or None."""
    marks = ", ".join("?" * len(statuses))
    sql = f"SELECT * FROM batch_jobs WHERE inputs_key = ? AND status IN ({marks}) ORDER BY created DESC, fid DESC LIMIT 1"  # nosec B608
    row = connection.execute(sql, (inputs_key, *statuses)).fetchone()
    return None if row is None else JobRow(**decoded(_TABLE, row))


def is_alive(job: JobRow, now: dt.datetime | None = None) -> bool:
    """Tell whether somebody runs the job: in progress, with a sign of life in the last 60 s."""
    if job.status != "in_progress" or job.heartbeat is None:
        return False
    return (moment(timestamp(now)) - moment(job.heartbeat)).total_seconds() <= HEARTBEAT_SECONDS


def claim(connection: sqlite3.Connection, job_id: str, owner: str, now: dt.datetime | None = None) -> JobRow:
    """Make `owner` the runner of an unfinished job and return it; raise `InputError` if another runner is alive or it is completed."""
    job = get(connection, job_id)
    if job.status == "completed":
        raise InputError(f"Job {job_id} is completed; there is nothing to run.")
    if is_alive(job, now) and job.owner != owner:
        raise InputError(f"Job {job_id} is being run by {job.owner} (last sign of life {job.heartbeat}): wait for it, or cancel it first.")
    _change(connection, job_id, now, status="in_progress", owner=owner, heartbeat=timestamp(now), error=None)
    return get(connection, job_id)


def heartbeat(connection: sqlite3.Connection, job_id: str, owner: str, now: dt.datetime | None = None, outcome: str | None = None) -> None:
    """Give a sign of life, and optionally name the stage; raise `CancelledError` if the job is no longer `owner`'s to run."""
    _require_running(get(connection, job_id), owner)
    _change(connection, job_id, now, heartbeat=timestamp(now), **({} if outcome is None else {"outcome": outcome}))


def commit_chunk(
    connection: sqlite3.Connection,
    job_id: str,
    owner: str,
    chunk_id: str,
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    progress: float,
    outcome: str | None = None,
    now: dt.datetime | None = None,
) -> None:
    """Store a chunk's rows (statistic -> rows) and its progress (0..100) in the caller's one transaction.

    A repeated chunk replaces its own rows. Raises `CancelledError`, storing nothing, once the job was cancelled or taken over.
    """
    job = get(connection, job_id)
    _require_running(job, owner)
    for statistic, statistic_rows in rows.items():
        results.insert(connection, statistic, statistic_rows)
    done = job.complete_task_ids if chunk_id in job.complete_task_ids else [*job.complete_task_ids, chunk_id]
    failed = [other for other in job.failed_task_ids if other != chunk_id]
    stage = {} if outcome is None else {"outcome": outcome}
    _change(connection, job_id, now, complete_task_ids=done, failed_task_ids=failed, progress=progress, heartbeat=timestamp(now), **stage)


def fail_chunk(connection: sqlite3.Connection, job_id: str, owner: str, chunk_id: str, error: str, now: dt.datetime | None = None) -> None:
    """Note that a chunk failed and why; the job goes on."""
    job = get(connection, job_id)
    _require_running(job, owner)
    _change(connection, job_id, now, failed_task_ids=sorted({*job.failed_task_ids, chunk_id}), error=error, heartbeat=timestamp(now))


def finish(
    connection: sqlite3.Connection, job_id: str, owner: str, status: str, error: str | None = None, outcome: str | None = None,
    now: dt.datetime | None = None,
) -> JobRow:  # fmt: skip
    """Set the final status (`completed`, `failed`); `completed` means progress 100. Raises `CancelledError` if it was cancelled meanwhile."""
    _require_running(get(connection, job_id), owner)
    done = {"progress": 100.0} if status == "completed" else {}
    stage = {} if outcome is None else {"outcome": outcome}
    _change(connection, job_id, now, status=status, error=error, **done, **stage)
    return get(connection, job_id)


def request_cancel(connection: sqlite3.Connection, job_id: str, now: dt.datetime | None = None) -> str:
    """Cancel a queued or running job, whose runner stops at its next chunk, and return the job's status."""
    job = get(connection, job_id)
    if job.status in RUNNING:
        _change(connection, job_id, now, status="cancelled")
        return "cancelled"
    return job.status


def _require_running(job: JobRow, owner: str) -> None:
    if job.status != "in_progress":
        raise CancelledError(f"Job {job.job_id} is {job.status}: nothing after its last finished chunk was stored.")
    if job.owner != owner:
        silence = f"this runner gave no sign of life for {HEARTBEAT_SECONDS:.0f} s"
        raise CancelledError(f"Job {job.job_id} was taken over by {job.owner}, because {silence}.")


def _change(connection: sqlite3.Connection, job_id: str, now: dt.datetime | None, **changes: Any) -> None:
    update_row(connection, _TABLE, job_id, {**changes, "updated": timestamp(now)})
