"""A statistic limited to where a commodity grows: its kernels look at the commodity's layer too, and other cells fall out of the sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.batch.statistics import StatisticPlan
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.metrics.deforestation.systems import MASK_NO_DATA, MASK_YES
from epoch_plugin.core.metrics.grid_tasks import widened
from epoch_plugin.core.metrics.quantities import QuantityKernel
from epoch_plugin.core.zonal.cell_area import ground_cell_size
from epoch_plugin.core.zonal.engine import GridResult, GridTask
from epoch_plugin.core.zonal.kernel import Array, CellAnswer, CellKernel, CellKeyed, Cells, CellStates, CellValues, LayerRead
from epoch_plugin.core.zonal.plan import block_shape
from epoch_plugin.core.zonal.reduce import KeyedSums, StateAreas, Total, ValueSums
from epoch_plugin.core.zonal.rings import Floats, middle_of

_INSIDE = 1  # last column of the states: 1 where the commodity grows


@dataclass(frozen=True)
class CommodityKernel:
    """Another kernel's answers, without those for cells where the commodity does not grow; states get a last column that says where it does."""

    inner: CellKernel
    mask: LayerRead  # 0 no data, 1 no, 2 yes

    @property
    def needs_centres(self) -> bool:
        """Tell whether the other kernel looks at centres."""
        return bool(getattr(self.inner, "needs_centres", False))

    @property
    def by_values(self) -> bool:
        """Tell whether the other kernel looks at nothing but values."""
        return bool(getattr(self.inner, "by_values", False))

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the other kernel's layers and the commodity's."""
        return (*self.inner.reads, self.mask)

    def __call__(self, cells: Cells) -> CellAnswer | tuple[CellAnswer, ...]:
        """Return the limited answers."""
        answer, grows = self.inner(cells), np.asarray(cells.values[self.mask.key] == MASK_YES)
        if isinstance(answer, tuple):
            return tuple(_limited(one, grows) for one in answer)
        return _limited(answer, grows)


def _limited(answer: CellAnswer, grows: Array) -> CellAnswer:
    if isinstance(answer, CellStates):
        states = np.repeat(answer.states, 2, axis=0)
        flag = np.tile([0, _INSIDE], len(answer.states))[:, None]
        return CellStates(answer.code.astype(np.intp) * 2 + grows, np.concatenate([states, flag], axis=1))  # codes may come as bytes
    values = np.where(grows, answer.values, np.nan)
    return CellKeyed(answer.key, values) if isinstance(answer, CellKeyed) else CellValues(values)


@dataclass(frozen=True)
class CommodityAreaKernel:
    """Answers with 1 where the commodity grows, and with 1 where its layer has data."""

    mask: LayerRead

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the commodity's layer."""
        return (self.mask,)

    def __call__(self, cells: Cells) -> tuple[CellValues, CellValues]:
        """Return both."""
        codes = cells.values[self.mask.key]
        return CellValues(np.where(codes == MASK_YES, 1.0, np.nan)), CellValues(np.where(codes == MASK_NO_DATA, np.nan, 1.0))


@dataclass(frozen=True)
class MaskedPlan:
    """A statistic's plan whose tasks are limited to the commodity; `boxes` (n, 4) in degrees are those of the areas to be assessed."""

    plan: StatisticPlan
    mask: LayerRead
    boxes: Floats

    @property
    def tasks(self) -> tuple[GridTask, ...]:
        """Return one task for each of the plan's, in its order."""
        return tuple(self._limited(task) for task in self.plan.tasks)

    def _limited(self, task: GridTask) -> GridTask:
        limited: list[CellKernel] = [CommodityKernel(kernel, self.mask) for kernel in task.kernels]
        kernels: tuple[CellKernel, ...] = (CommodityAreaKernel(self.mask), *limited)
        layer, centre = self.mask.layer, middle_of(self.boxes)
        if (
            layer.kind == "raster"
            and all(isinstance(kernel, QuantityKernel) for kernel in task.kernels)
            and ground_cell_size(task.grid, *centre) > ground_cell_size(layer.grid, *centre)
        ):
            # a coarse measurement counts by how much of its cell the commodity covers, not by the cell's centre
            tile = layer.tiles[0]
            return GridTask(widened(layer, self.boxes), block_shape(tile.block_rows, tile.block_cols), kernels)
        return GridTask(task.grid, task.shape, kernels)


@dataclass(frozen=True)
class MaskedResult:
    """A task's results without the cells outside the commodity: `result.weight` (m2) is the commodity's area per piece."""

    result: GridResult
    cells: Floats  # per piece, where the commodity grows
    known_m2: Floats  # where the commodity's layer has data
    whole_m2: Floats  # all cells


def unmasked(result: GridResult) -> MaskedResult:
    """Take the commodity's own answers out of a limited task's results."""
    first = result.kernels[0]
    if not isinstance(first, tuple) or not all(isinstance(one, ValueSums) for one in first):
        raise TypeError("the first kernel of a limited task tells the commodity's area")
    area, known = (one for one in first if isinstance(one, ValueSums))
    kernels = [tuple(_inside(one) for one in answer) if isinstance(answer, tuple) else _inside(answer) for answer in result.kernels[1:]]
    nothing_outside = np.zeros(len(result.weight), bool)  # the commodity's area is what there is to assess
    return MaskedResult(GridResult(kernels, area.weight, nothing_outside), area.count.astype(np.float64), known.weight, result.weight)


def _inside(answer: Total) -> Total:
    if not isinstance(answer, StateAreas):
        return answer
    if not answer.states.size:
        return StateAreas(answer.plot, answer.state, answer.area, answer.states[:, :-1])
    inside = answer.states[:, -1] == _INSIDE
    kept, place = inside[answer.state], np.cumsum(inside) - 1
    return StateAreas(answer.plot[kept], place[answer.state[kept]], answer.area[kept], answer.states[inside, :-1])


def as_one(result: MaskedResult) -> MaskedResult:
    """Add up all pieces into one."""
    kernels = [tuple(_one(one) for one in answer) if isinstance(answer, tuple) else _one(answer) for answer in result.result.kernels]
    joined = GridResult(kernels, _total(result.result.weight), np.zeros(1, bool))
    return MaskedResult(joined, _total(result.cells), _total(result.known_m2), _total(result.whole_m2))


def _total(values: Floats) -> Floats:
    return np.array([values.sum()])


def _one(answer: Total) -> Total:
    if isinstance(answer, StateAreas):
        state, where = np.unique(answer.state, return_inverse=True)
        return StateAreas(np.zeros(len(state), np.int64), state, _grouped(where, answer.area, len(state)), answer.states)
    if isinstance(answer, KeyedSums):
        key, where = np.unique(answer.key, return_inverse=True)
        return KeyedSums(np.zeros(len(key), np.int64), key, _grouped(where, answer.weighted, len(key)))
    low, high = np.fmin.reduce(answer.minimum, initial=np.nan), np.fmax.reduce(answer.maximum, initial=np.nan)
    return ValueSums(
        weight=_total(answer.weight), weighted=_total(answer.weighted), weighted_square=_total(answer.weighted_square),
        fraction_sum=_total(answer.fraction_sum), count=np.array([answer.count.sum()]), minimum=np.array([low]), maximum=np.array([high]),
    )  # fmt: skip


def _grouped(where: Array, values: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(where.reshape(-1), values, minlength=n), np.float64)


def analysis_grids(plans: Sequence[StatisticPlan]) -> list[Grid]:
    """Return the grids of several plans' tasks."""
    return [task.grid for plan in plans for task in plan.tasks]
