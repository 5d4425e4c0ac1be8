"""Committing the rows of one statistic, chunk by chunk, as a batch does: the rows of a run before, for another job."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from bench.prepare import copy_store, processed_store
from bench.scale import Cache


def prepare(cache: Cache, count: int, processed: str) -> Callable[[], dict[str, Any]]:
    """Rows are read from a processed store and turned back into what a metric hands over."""
    import json

    from epoch_plugin.core.batch.chunks import PLOTS_PER_CHUNK
    from epoch_plugin.core.store import jobs
    from epoch_plugin.core.store.store import Store

    target = cache.scratch / "commit.gpkg"
    copy_store(processed_store(cache, processed), target)
    store = Store(str(target))
    with store.reading() as connection:
        before = jobs.find_by_inputs_key(connection, *connection.execute("SELECT inputs_key FROM batch_jobs").fetchone(), jobs.COMPLETED)
        stored = [dict(row) for row in connection.execute("SELECT * FROM stat_eudr_deforestation ORDER BY fid")]
    job = jobs.JobRow(job_id=uuid.uuid4().hex, collection_id=before.collection_id, stats=before.stats, start_date=before.start_date,
                      end_date=before.end_date, inputs_key="commit", outcome="plan", provenance={})  # fmt: skip
    with store.writing() as connection:
        jobs.create(connection, job)
        jobs.claim(connection, job.job_id, "bench")
    rows = []
    for row in stored:
        del row["fid"]
        row["job_id"] = job.job_id
        rows.append({name: json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value for name, value in row.items()})

    def work() -> dict[str, Any]:
        with store.kept_in_wal():
            for number, first in enumerate(range(0, len(rows), PLOTS_PER_CHUNK)):
                with store.writing() as connection:
                    chunk = {"eudr_deforestation": rows[first : first + PLOTS_PER_CHUNK]}
                    jobs.commit_chunk(connection, job.job_id, "bench", str(number), chunk, 100.0 * first / count)
        return {"plots": len(rows)}

    return work
