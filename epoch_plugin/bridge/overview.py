"""What the docks show of the store, read in the background; nothing here writes or creates a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from epoch_plugin.core.store.jobs import JobRow
    from epoch_plugin.core.store.overview import CollectionOverview


@dataclass(frozen=True)
class Overview:
    """The store as far as it can be read; `read_only` says why it cannot be written, if so."""

    path: str
    exists: bool
    read_only: str | None = None
    collections: tuple[CollectionOverview, ...] = ()


def store_stamp(path: str) -> tuple[tuple[int, int], ...]:
    """Return what changes whenever somebody writes to the store: sizes and times of its files."""
    found = []
    for name in (path, f"{path}-wal"):
        try:
            status = os.stat(name)
            found.append((status.st_size, status.st_mtime_ns))
        except OSError:
            found.append((0, 0))
    return tuple(found)


def read_overview(path: str) -> Overview:
    """Return collections and jobs; a store that does not exist is empty. Raises `StoreError`."""
    from epoch_plugin.core.store.overview import overview
    from epoch_plugin.core.store.store import Store

    if not os.path.exists(path):
        return Overview(path, False)
    store = Store(path)
    with store.reading() as connection:
        return Overview(path, True, store.read_only, overview(connection))


def read_job(path: str, job_id: str) -> JobRow:
    """Return a job with its provenance; raises `NotFoundError`."""
    from epoch_plugin.core.store import jobs
    from epoch_plugin.core.store.store import Store

    with Store(path).reading() as connection:
        return jobs.get(connection, job_id)


def read_reports(path: str, collection_id: str) -> dict[str, Any]:
    """Return what staging and the check of the locations reported on a collection."""
    from epoch_plugin.core.store import collections
    from epoch_plugin.core.store.store import Store

    with Store(path).reading() as connection:
        row = collections.find(connection, collection_id)
        return {"stage": row.stage_report, "locations": row.validation_report or {}, "override": row.country_override_info}


def has_farm_data(path: str, collection_id: str) -> Callable[[Any], bool]:
    """Return the work that tells whether a collection keeps farm and supply chain data."""

    def work(_progress: Any) -> bool:
        from epoch_plugin.core.store import collections
        from epoch_plugin.core.store.store import Store

        with Store(path).reading() as connection:
            return bool(collections.find(connection, collection_id).input_payload)

    return work


def is_running(job: JobRow) -> bool:
    """Tell whether somebody, here or in another process, computes the job."""
    from epoch_plugin.core.store.jobs import is_alive

    return is_alive(job)


def can_resume(job: JobRow) -> bool:
    """Tell whether a job has unfinished work that nobody computes and that the same batch would continue."""
    return job.status in ("queued", "in_progress", "cancelled", "failed") and job.outcome != "skipped" and not is_running(job)


def resumable_jobs(overview: Overview, stopped: Sequence[str]) -> list[JobRow]:
    """Return the jobs to offer at the start: their runner died, or closing QGIS stopped them (`stopped`: their ids)."""
    return [job for item in overview.collections for job in item.jobs
            if can_resume(job) and (job.status in ("in_progress", "queued") or job.job_id in stopped)]  # fmt: skip
