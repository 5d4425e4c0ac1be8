"""The engine: one chunk of plots, any number of grids, each with its kernels; coverage once per grid, many layers gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.datasets.gdal_state import gdal_exceptions
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.zonal.blocks import close_datasets
from epoch_plugin.core.zonal.cell_area import CellArea, is_geographic
from epoch_plugin.core.zonal.coverage import Bools, coverage
from epoch_plugin.core.zonal.gather import GroupGather
from epoch_plugin.core.zonal.kernel import CellKernel, Cells
from epoch_plugin.core.zonal.plan import BlockShape, Plan
from epoch_plugin.core.zonal.reduce import StateAreas, StatePart, ValuePart, ValueSums, partial, total_states, total_values
from epoch_plugin.core.zonal.rings import Floats, Ints, Rings, rings_from_wkb, segments, to_grid_crs

CELLS_PER_BAND = 60_000_000  # a plan covers at most about this many cells; larger chunks go through the grid in bands of rows


PlotWeights = tuple[Ints, Ints, Floats]  # plot, order and weight (m2) of the stretches of one group


@dataclass(frozen=True)
class GridTask:
    """The kernels to run on one grid, and the blocks in which their sums are made."""

    grid: Grid
    shape: BlockShape
    kernels: tuple[CellKernel, ...]


@dataclass
class GridResult:
    """What the kernels of a task said, in their order, and how the plots lie in the grid."""

    kernels: list[StateAreas | ValueSums]
    weight: Floats  # sum of all cell weights per plot, m2, with or without data
    clipped: Bools  # does the plot reach outside the grid


def run(wkbs: Sequence[bytes], tasks: Sequence[GridTask], threads: int, progress: Progress) -> list[GridResult]:
    """Run `tasks` over plots given as WKB multipolygons in EPSG:4326; the results do not depend on `threads`.

    Raises `DatasetError` when a source cannot be read and `CancelledError` when the listener wants to stop.
    """
    rings = rings_from_wkb(wkbs)
    by_crs: dict[str, Rings] = {}
    results = []
    with gdal_exceptions(), ThreadPoolExecutor(max_workers=max(threads, 1)) as pool:
        for number, task in enumerate(tasks):
            crs = task.grid.crs
            if crs not in by_crs:
                by_crs[crs] = to_grid_crs(rings, crs)
            results.append(_run_task(_wrapped(by_crs[crs], task.grid), task, pool, _share(progress, number, len(tasks))))
        for _ in range(max(threads, 1)):
            pool.submit(close_datasets)
    return results


def _share(progress: Progress, number: int, count: int) -> Callable[[float], None]:
    def report(fraction: float) -> None:
        stop_if_cancelled(progress)
        progress.step((number + fraction) / count, "gather")

    return report


def _run_task(rings: Rings, task: GridTask, pool: ThreadPoolExecutor, report: Callable[[float], None]) -> GridResult:
    edges = segments(rings)
    parts: list[list[StatePart | ValuePart]] = []
    weights: list[PlotWeights] = []
    bands = list(_bands(rings, task))
    for number, (row_from, row_to) in enumerate(bands):
        plan = Plan(coverage(edges, task.grid, row_from, row_to), task.grid, task.shape)
        area = CellArea(task.grid)
        futures = [pool.submit(_run_group, plan, task, area, group) for group in range(len(plan.group_blocks))]
        try:
            for done, future in enumerate(as_completed(futures)):
                answers, weight = future.result()
                parts.append(answers)
                weights.append(weight)
                report((number + (done + 1) / len(futures)) / len(bands))
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return _totals(parts, weights, rings, task)


def _run_group(plan: Plan, task: GridTask, cell_area: CellArea, number: int) -> tuple[list[StatePart | ValuePart], PlotWeights]:
    group = plan.group(number)
    weight = group.fraction * cell_area(group.row, group.col)
    gather = GroupGather(task.grid, group.row, group.col)
    values = {}
    answers = []
    for kernel in task.kernels:
        for read in kernel.reads:
            if read.key not in values:
                values[read.key] = gather(read)
        answers.append(partial(kernel(Cells(group.inside, values)), group, weight))
    sums = np.asarray(np.bincount(group.part, weight, minlength=len(group.part_plot)), np.float64)
    return answers, (group.part_plot, group.part_order, sums)


def _totals(parts: list[list[StatePart | ValuePart]], weights: list[PlotWeights], rings: Rings, task: GridTask) -> GridResult:
    kernels: list[StateAreas | ValueSums] = []
    for column in range(len(task.kernels)):
        answers = [row[column] for row in parts]
        if answers and isinstance(answers[0], ValuePart):
            kernels.append(total_values([a for a in answers if isinstance(a, ValuePart)], rings.n_plots))
        else:
            kernels.append(total_states([a for a in answers if isinstance(a, StatePart)]))
    weight = np.zeros(rings.n_plots)
    if weights:
        plot, order, sums = (np.concatenate(column) for column in zip(*weights))
        rank = np.lexsort((order, plot))
        weight = np.asarray(np.bincount(plot[rank], sums[rank], minlength=rings.n_plots), np.float64)
    return GridResult(kernels, weight, _clipped(rings, task.grid))


def _extent(grid: Grid) -> tuple[float, float, float, float]:
    bottom, top = sorted((grid.y0, grid.y0 + grid.nrows * grid.dy))
    return grid.x0, bottom, grid.x0 + grid.ncols * grid.dx, top


def _clipped(rings: Rings, grid: Grid) -> Bools:
    box = rings.bounds()
    left, bottom, right, top = _extent(grid)
    # NaN (no ring in this CRS) compares false: such a plot counts as reaching outside
    return ~((box[:, 0] >= left) & (box[:, 1] >= bottom) & (box[:, 2] <= right) & (box[:, 3] <= top))


def _wrapped(rings: Rings, grid: Grid) -> Rings:
    """Move plots by a full turn where a grid in degrees runs past 180 (0..360) and they lie left of it."""
    left, _, right, _ = _extent(grid)
    if right <= 180.0001 or not is_geographic(grid.crs):
        return rings
    box = rings.bounds()
    turn = np.where((box[:, 2] <= left) & (box[:, 0] + 360 < right), 360.0, 0.0)
    per_vertex = np.repeat(turn[rings.plot], np.diff(rings.start))
    return Rings(rings.x + per_vertex, rings.y, rings.start, rings.plot, rings.hole, rings.n_plots)


def _bands(rings: Rings, task: GridTask) -> Iterator[tuple[int, int]]:
    """Cut the touched rows into bands whose boxes hold a bounded number of cells."""
    grid = task.grid
    box = rings.bounds()
    box = box[np.isfinite(box).all(axis=1)]
    if len(box) == 0:
        return
    rows = np.sort((box[:, [1, 3]] - grid.y0) / grid.dy, axis=1)
    top, bottom = int(np.clip(np.floor(rows.min()), 0, grid.nrows)), int(np.clip(np.ceil(rows.max()), 0, grid.nrows))
    columns = np.clip((box[:, [0, 2]] - grid.x0) / grid.dx, 0, grid.ncols)
    heights = np.diff(np.clip(rows, 0, grid.nrows), axis=1)[:, 0]
    cells = float((heights * np.diff(columns, axis=1)[:, 0]).sum())
    count = max(int(np.ceil(cells / CELLS_PER_BAND)), 1)
    height = max(-(-(bottom - top) // count // task.shape.rows) * task.shape.rows, task.shape.rows)
    start = top // task.shape.rows * task.shape.rows
    if count == 1:
        yield start, grid.nrows
        return
    for row in range(start, bottom, height):
        yield row, min(row + height, grid.nrows)
