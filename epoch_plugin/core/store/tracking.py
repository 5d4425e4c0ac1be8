"""What `batchprogress` answers."""

from __future__ import annotations

import sqlite3
from typing import Any

from epoch_plugin.core.errors import NotFoundError
from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.jobs import JobRow


def progress_response(connection: sqlite3.Connection, tracking_id: str) -> dict[str, Any]:
    """Return where a job stands: status, stage, progress (0..100), chunks done and failed, error, window, moments.

    `tracking_id` is a job's id, or a collection's id or name (its newest job). Raises `NotFoundError`.
    """
    job = _tracked(connection, tracking_id)
    return {
        "collection_id": job.collection_id,
        "job_id": job.job_id,
        "stats": job.stats,
        "start_date": job.start_date,
        "end_date": job.end_date,
        "status": job.status,
        "stage": job.outcome or "",
        "progress": job.progress,
        "complete_count": len(job.complete_task_ids),
        "failed_count": len(job.failed_task_ids),
        "failed_task_ids": job.failed_task_ids,
        "error": job.error,
        "created": job.created,
        "updated": job.updated,
        "running": jobs.is_alive(job),
    }


def _tracked(connection: sqlite3.Connection, tracking_id: str) -> JobRow:
    try:
        return jobs.get(connection, tracking_id.strip())
    except NotFoundError:
        collection = collections.find_or_none(connection, tracking_id)
    if collection is None:
        raise NotFoundError(f"'{tracking_id}' is neither a job nor a collection of the store: epoch:getcollections lists both.")
    newest = jobs.for_collection(connection, collection.collection_id)
    if not newest:
        raise NotFoundError(f"The collection '{collection.collection_name}' has no job yet: start one (epoch:batchdeforestationcheck).")
    return newest[0]
