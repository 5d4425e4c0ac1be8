"""The engine: one chunk of plots, any number of grids, each with its kernels; coverage once per grid, many layers gathered."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.gdal_state import gdal_exceptions
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.zonal.alike import joined, joins
from epoch_plugin.core.zonal.blocks import close_datasets
from epoch_plugin.core.zonal.cell_area import CellArea
from epoch_plugin.core.zonal.coverage import Bools, Coverage, coverage
from epoch_plugin.core.zonal.coverage_cache import CoverageCache
from epoch_plugin.core.zonal.gather import GroupGather
from epoch_plugin.core.zonal.grids import turned
from epoch_plugin.core.zonal.kernel import Array, CellKernel, Cells, LayerRead
from epoch_plugin.core.zonal.memory import give_back
from epoch_plugin.core.zonal.plan import ONE_LAYER, SEVERAL_LAYERS, BlockShape, Group, Plan, Portion, empty_group
from epoch_plugin.core.zonal.reduce import Part, Summands, Total, partial, total
from epoch_plugin.core.zonal.rings import Floats, Ints, Rings, rings_from_wkb, to_grid_crs
from epoch_plugin.core.zonal.weights import CellWeights

CELLS_TO_BEGIN_WITH = 2_000_000  # in a band of the first grid: nobody can read before it is planned


@dataclass(frozen=True)
class GridTask:
    """The kernels to run on one grid, and the blocks in which their sums are made."""

    grid: Grid
    shape: BlockShape
    kernels: tuple[CellKernel, ...]

    @property
    def centres(self) -> bool:
        """Tell whether a kernel wants to know which cells have their centre in the plot; it costs as much as a layer or two."""
        return any(getattr(kernel, "needs_centres", False) for kernel in self.kernels)

    @property
    def portion(self) -> Portion:
        """Return how much is worked on together: more where a layer is done with before the next one is read."""
        return ONE_LAYER if all(joins(kernel) and len(kernel.reads) == 1 for kernel in self.kernels) else SEVERAL_LAYERS


@dataclass
class GridResult:
    """What the kernels of a task said, in their order, and how the plots lie in the grid."""

    kernels: list[Total | tuple[Total, ...]]  # a tuple where the kernel gives several answers
    weight: Floats  # sum of all cell weights per plot, m2, with or without data
    clipped: Bools  # does the plot reach outside the grid


@dataclass(frozen=True)
class _GroupAnswer:
    """What a group's kernels said, and plot, order and weight (m2) of its stretches."""

    kernels: list[Part | tuple[Part, ...]]
    plot: Ints
    order: Ints
    weight: Floats


@dataclass(frozen=True)
class _Band:
    """A band of rows of one task, and about how many cells it has."""

    task: int
    rows: tuple[int, int]
    cells: float


def run(wkbs: Sequence[bytes], tasks: Sequence[GridTask], threads: int, progress: Progress, cache: CoverageCache | None = None) -> list[GridResult]:
    """Run `tasks` over plots given as WKB multipolygons in EPSG:4326; the results depend neither on `threads` nor on `cache`.

    Raises `DatasetError` when a source cannot be read and `CancelledError` when the listener wants to stop.
    """
    rings = rings_from_wkb(wkbs)
    by_crs = {crs: to_grid_crs(rings, crs) for crs in dict.fromkeys(task.grid.crs for task in tasks)}
    placed = [turned(by_crs[task.grid.crs], task.grid) for task in tasks]
    # grids with many layers first: while they are read, the others are planned
    order = sorted(range(len(tasks)), key=lambda number: -sum(len(kernel.reads) for kernel in tasks[number].kernels))
    cells = {number: CELLS_TO_BEGIN_WITH if number == order[0] else tasks[number].portion.band for number in order}
    bands = [band for number in order for band in _bands(placed[number], tasks[number], number, cells[number])]
    threads = max(threads, 1)
    try:
        with gdal_exceptions(), ThreadPoolExecutor(threads) as readers:
            try:
                results = _Work(tasks, placed, readers, cache).through(bands, progress)
            finally:
                for _ in range(threads):
                    readers.submit(close_datasets)
    finally:
        close_datasets()  # once more: of a run that was stopped, a reader may have kept something after the others closed
        give_back()
    return results


class _Work:
    """Readers work through the groups of a band, one of them after planning the next band: all threads but the caller's are busy."""

    def __init__(self, tasks: Sequence[GridTask], rings: Sequence[Rings], readers: ThreadPoolExecutor, cache: CoverageCache | None) -> None:
        self._tasks, self._rings, self._readers, self._cache = tasks, rings, readers, cache
        self._todo: deque[_Band] = deque()
        self._planned: dict[Future[Plan], _Band] = {}
        self._read: dict[Future[_GroupAnswer], _Band] = {}
        self._done: SimpleQueue[Future[Any]] = SimpleQueue()
        self._groups: Counter[_Band] = Counter()  # of each band under way
        self._left: Counter[_Band] = Counter()
        self._bands: Counter[int] = Counter()  # of each task, not done yet
        self._answers: list[list[_GroupAnswer]] = [[] for _ in tasks]
        self._results: dict[int, GridResult] = {}

    def through(self, bands: Sequence[_Band], progress: Progress) -> list[GridResult]:
        """Return what comes out of each task; the order in which groups answer does not matter, sums are made in the order of the blocks."""
        self._todo.extend(bands)
        self._bands.update(band.task for band in bands)
        try:
            if self._todo:
                first = self._todo.popleft()
                self._begin(first, self._plan(first))
            while self._planned or self._read:
                self._take()
                while not self._done.empty():
                    self._take()
                stop_if_cancelled(progress)
                under_way = len(self._planned) + sum(left / self._groups[band] for band, left in self._left.items())
                progress.step(1 - (len(self._todo) + under_way) / len(bands), "gather")
        finally:
            waiting: list[Future[Any]] = [*self._planned, *self._read]
            for future in waiting:
                future.cancel()
        return [self._results[number] if number in self._results else self._total(number) for number in range(len(self._tasks))]

    def _plan(self, band: _Band) -> Plan:
        task, rings = self._tasks[band.task], self._rings[band.task]

        def compute() -> Coverage:
            return coverage(rings.segments, task.grid, *band.rows, centres=task.centres)

        covered = compute() if self._cache is None else self._cache.get(rings, task.grid, band.rows, task.centres, compute, self._readers.submit)
        return Plan(covered, task.grid, task.shape, task.portion)

    def _begin(self, band: _Band, plan: Plan) -> None:
        """Hand a band's groups to the readers, behind the planning of the next one."""
        self._groups[band] = self._left[band] = plan.n_groups
        self._plan_next()
        if not self._planned and not self._todo:
            give_back()  # planning took several times as much as the plans
        task, area = self._tasks[band.task], CellArea(self._tasks[band.task].grid)
        for group in range(plan.n_groups):
            future = self._readers.submit(_run_group, plan, task, area, group)
            self._read[future] = band
            future.add_done_callback(self._done.put)
        self._finish_if_read(band)

    def _plan_next(self) -> None:
        if not self._todo or self._planned:
            return
        if sum(band.cells for band in self._left) < 2 * self._tasks[self._todo[0].task].portion.band:
            band = self._todo.popleft()
            future = self._readers.submit(self._plan, band)
            self._planned[future] = band
            future.add_done_callback(self._done.put)

    def _take(self) -> None:
        """Wait for the next plan or group that is done, and see to what follows."""
        future = self._done.get()
        if future in self._planned:
            self._begin(self._planned.pop(future), future.result())
            return
        band = self._read.pop(future)
        self._answers[band.task].append(future.result())
        self._left[band] -= 1
        self._finish_if_read(band)

    def _finish_if_read(self, band: _Band) -> None:
        """Go on to the next band when all of this one is read; make a task's totals while the others are still read."""
        if self._left[band]:
            return
        del self._left[band]
        self._plan_next()
        self._bands[band.task] -= 1
        if not self._bands[band.task]:
            self._results[band.task] = self._total(band.task)

    def _total(self, number: int) -> GridResult:
        answers, self._answers[number] = self._answers[number], []
        return _totals(answers, self._rings[number], self._tasks[number])


def _run_group(plan: Plan, task: GridTask, cell_area: CellArea, number: int) -> _GroupAnswer:
    return _ask(plan.group(number), task, cell_area)


def _ask(group: Group, task: GridTask, cell_area: CellArea) -> _GroupAnswer:
    """Ask all kernels about the cells of a group, reading each layer once."""
    weight = cell_area.weights(group.pieces, group.fraction)
    gather = GroupGather(task.grid, group.pieces, [read for kernel in task.kernels for read in kernel.reads])
    cells = _CellByCell(group, weight, gather)
    answers = [joined(kernel, group, weight, gather) if joins(kernel) else cells.ask(kernel) for kernel in task.kernels]
    sums = np.bincount(group.part[group.cuts], weight.of_stretches(group.lengths.first[group.cuts]), minlength=len(group.part_plot))
    return _GroupAnswer(answers, group.part_plot, group.part_order, np.asarray(sums, np.float64))


class _CellByCell:
    """Asks kernels about every single cell of a group; what several of them read alike is gathered once."""

    def __init__(self, group: Group, weight: CellWeights, gather: GroupGather) -> None:
        self._group, self._weight, self._gather = group, weight, gather
        self._gathered: dict[str, list[tuple[LayerRead, Array]]] = {}

    def ask(self, kernel: CellKernel) -> Part | tuple[Part, ...]:
        group, cells = self._group, self._group.pieces.cells
        values = {read.key: self._once(read) for read in kernel.reads}
        said = kernel(Cells(group.cell_inside, values, cells.row, cells.col))
        return partial(said, Summands(group.cell_part, self._weight.area, group.cell_fraction, group.part_plot, group.part_order))

    def _once(self, read: LayerRead) -> Array:
        """Gather a layer, or return what was gathered for a kernel before; another layer of the same key is another one."""
        known = self._gathered.setdefault(read.key, [])
        for other, values in known:
            if other is read or other == read:
                return values
        known.append((read, self._gather(read)))
        return known[-1][1]


def _totals(groups: list[_GroupAnswer], rings: Rings, task: GridTask) -> GridResult:
    # without any cell the kernels are asked about none, so that their answers are empty but of the right kind
    said = groups or [_ask(empty_group(), task, CellArea(task.grid))]
    kernels = [total([group.kernels[column] for group in said], rings.n_plots) for column in range(len(task.kernels))]
    weight = np.zeros(rings.n_plots)
    if groups:
        plot, order, sums = (np.concatenate([getattr(group, name) for group in groups]) for name in ("plot", "order", "weight"))
        rank = np.lexsort((order, plot))
        weight = np.asarray(np.bincount(plot[rank], sums[rank], minlength=rings.n_plots), np.float64)
    return GridResult(kernels, weight, _clipped(rings, task.grid))


def _extent(grid: Grid) -> tuple[float, float, float, float]:
    bottom, top = sorted((grid.y0, grid.y0 + grid.nrows * grid.dy))
    return grid.x0, bottom, grid.x0 + grid.ncols * grid.dx, top


def _clipped(rings: Rings, grid: Grid) -> Bools:
    box = rings.bounds
    left, bottom, right, top = _extent(grid)
    # NaN (no ring in this CRS) compares false: such a plot counts as reaching outside
    return ~((box[:, 0] >= left) & (box[:, 1] >= bottom) & (box[:, 2] <= right) & (box[:, 3] <= top))


def _bands(rings: Rings, task: GridTask, number: int, most: int) -> Iterator[_Band]:
    """Cut the touched rows into bands whose boxes hold about `most` cells; `number` is the task's."""
    grid = task.grid
    box = rings.bounds
    box = box[np.isfinite(box).all(axis=1)]
    if len(box) == 0:
        return
    rows = np.sort((box[:, [1, 3]] - grid.y0) / grid.dy, axis=1)
    top, bottom = int(np.clip(np.floor(rows.min()), 0, grid.nrows)), int(np.clip(np.ceil(rows.max()), 0, grid.nrows))
    columns = np.clip((box[:, [0, 2]] - grid.x0) / grid.dx, 0, grid.ncols)
    heights = np.diff(np.clip(rows, 0, grid.nrows), axis=1)[:, 0]
    cells = float((heights * np.diff(columns, axis=1)[:, 0]).sum())
    count = max(int(np.ceil(cells / most)), 1)
    start = top // task.shape.rows * task.shape.rows
    blocks = -(-(bottom - start) // task.shape.rows)
    height = max(-(-blocks // count), 1) * task.shape.rows
    if count == 1:
        yield _Band(number, (start, grid.nrows), cells)
        return
    for row in range(start, bottom, height):
        yield _Band(number, (row, min(row + height, grid.nrows)), cells / count)
