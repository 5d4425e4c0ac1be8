"""A whole batch into the store: plan, chunks, rows, commits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.prepare import copy_store
from bench.runs.common import END, import_libraries
from bench.scale import Cache

DEFORESTATION = "eudr_deforestation"


def prepare(cache: Cache, count: int, datasets: str = "deforestation", stats: str = DEFORESTATION, keep: str = "") -> Callable[[], dict[str, Any]]:
    """The batch runs in a copy of the staged store; `keep` names it for later runs."""
    from epoch_plugin.core.batch import BatchRequest, run_batch
    from epoch_plugin.core.progress import NoProgress
    from epoch_plugin.core.store.store import Store

    import_libraries()
    target = cache.scratch / (f"{keep}.gpkg" if keep else f"batch_{count}.gpkg")
    copy_store(cache.store(count), target)
    store = Store(str(target))
    request = BatchRequest("bench", END, str(cache.datasets(datasets)), stats=tuple(stats.split(",")))

    def work() -> dict[str, Any]:
        result = run_batch(store, request, NoProgress())
        if result.processed_count != count:
            raise RuntimeError(f"{result.failed_count} plots failed")
        return {"plots": result.processed_count}

    return work
