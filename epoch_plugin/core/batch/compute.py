"""What is done to one chunk of plots, wherever it is done: a pure function of plain data, the same bytes on every executor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.batch.inputs import METHOD_VERSION, libraries, plugin_version
from epoch_plugin.core.batch.statistics import MergedTasks, StatisticPlan
from epoch_plugin.core.progress import NoProgress, Progress
from epoch_plugin.core.store.plots import PlotShape
from epoch_plugin.core.zonal import engine
from epoch_plugin.core.zonal.array_cache import cache_folder
from epoch_plugin.core.zonal.coverage_cache import CoverageCache

Row = dict[str, Any]
Rows = Mapping[str, Iterable[Row]]  # statistic -> one row per plot, to be gone through once


@dataclass(frozen=True)
class ChunkSpec:
    """What to compute of every chunk of a job: statistics and their plans. Picklable: it travels to other threads and nodes."""

    stats: tuple[str, ...]
    plans: tuple[StatisticPlan, ...]


@dataclass(frozen=True)
class NodeAnswer:
    """A chunk's rows, and what the node that made them runs: method, plugin and library versions."""

    rows: dict[str, list[Row]]
    versions: dict[str, str]


def compute_chunk(spec: ChunkSpec, shapes: Sequence[PlotShape], threads: int = 1, progress: Progress | None = None) -> dict[str, list[Row]]:
    """Return the rows of each statistic for some plots; neither `threads` nor what else is in the chunk changes a bit of them.

    Raises `DatasetError` for a source that cannot be read and `CancelledError` when the listener wants to stop.
    """
    rows = rows_of(spec, shapes, chunk_sums(spec, [shape.polygon for shape in shapes], threads, progress or NoProgress()))
    return {name: list(own) for name, own in rows.items()}


def rows_of(spec: ChunkSpec, shapes: Sequence[PlotShape], sums: Sequence[list[engine.GridResult]]) -> Rows:
    """Assess the plots by their chunk's sums; return their rows, each made when it is asked for."""
    return {name: plan.rows(own, shapes) for name, plan, own in zip(spec.stats, spec.plans, sums)}


def chunk_sums(spec: ChunkSpec, polygons: Sequence[bytes], threads: int, progress: Progress) -> list[list[engine.GridResult]]:
    """Return the engine's sums for each plan; each grid is passed once for all of them. `polygons` are WKB in EPSG:4326."""
    merged = MergedTasks(spec.plans)
    answers = engine.run(polygons, merged.tasks, threads, progress, CoverageCache(cache_folder()))
    return [merged.results_of(number, answers) for number in range(len(spec.plans))]


def compute_on_node(spec: ChunkSpec, shapes: Sequence[PlotShape]) -> NodeAnswer:
    """Compute a chunk in one thread, as a cluster wants it: the cluster runs as many chunks at a time as it has threads."""
    return NodeAnswer(compute_chunk(spec, shapes), node_versions())


def node_versions() -> dict[str, str]:
    """Return what could make the numbers of two machines differ."""
    return {"method": METHOD_VERSION, "plugin": plugin_version(), **libraries()}
