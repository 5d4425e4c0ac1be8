"""What `getcollections` answers."""

from __future__ import annotations

import sqlite3
from typing import Any

from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.codec import moment

_JOB_FIELDS = ("job_id", "outcome", "complete_task_ids", "failed_task_ids", "start_date", "end_date", "stats", "status")


def collections_response(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Return every collection by name: id, description, ingestion time, plot number and its jobs (newest first)."""
    return {
        row.collection_name: {
            "collection_id": row.collection_id,
            "description": row.description,
            "ingestion_time": moment(row.ingestion_time).isoformat(),
            "plot_number": row.plot_number,
            "batch_jobs": [{name: getattr(job, name) for name in _JOB_FIELDS} for job in jobs.for_collection(connection, row.collection_id)],
        }
        for row in collections.all_rows(connection)
    }
