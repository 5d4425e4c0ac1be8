"""This engine, statistics only: class areas of categorical layers, mean and standard deviation of the others; the sums are dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.runs.common import Plots, chunks_of, import_libraries, plan, threads
from bench.scale import Cache


def prepare(cache: Cache, count: int, datasets: str = "forty", limit_mb: int = 0) -> Callable[[], dict[str, Any]]:
    """Plan and compute over a datasets file; plots come from the store chunk by chunk. `limit_mb` limits the process's data."""
    from epoch_plugin.core.batch.compute import chunk_sums
    from epoch_plugin.core.progress import NoProgress

    import_libraries()

    plots = Plots(cache, count)
    if limit_mb:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (limit_mb << 20, limit_mb << 20))

    def work() -> dict[str, Any]:
        spec = plan(cache, datasets, plots.boxes)
        done = 0
        for chunk in chunks_of(plots, spec):
            shapes = plots.shapes(chunk.fids)
            chunk_sums(spec, [shape.polygon for shape in shapes], threads(), NoProgress())
            done += len(shapes)
        return {"plots": done}

    return work
