"""A process that commits the chunks of a job: `python -m tests.core.store_writer STORE COLLECTION_ID PLOTS CHUNK`."""

from __future__ import annotations

import sys

from epoch_plugin.core.store import jobs
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import job, result


def main(path: str, collection_id: str, plot_count: int, chunk: int) -> None:
    """Run one deforestation job over the collection's sample plots."""
    store = Store(path)
    with store.writing() as connection:
        jobs.create(connection, job("writer", collection_id))
        jobs.claim(connection, "writer", "process")
    for start in range(0, plot_count, chunk):
        rows = [result(number + 1, "writer", collection_id) for number in range(start, start + chunk)]
        with store.writing() as connection:
            jobs.commit_chunk(connection, "writer", "process", f"chunk-{start}", {"eudr_deforestation": rows}, 100 * (start + chunk) / plot_count)
    with store.writing() as connection:
        jobs.finish(connection, "writer", "process", "completed")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
