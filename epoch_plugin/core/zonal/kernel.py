"""What a metric plugs into the engine: a pure function from the arrays of some cells to small codes or values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Union

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.raster import RasterLayer
from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.rings import Ints

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class FocalWindow:
    """A decoded piece of a layer: `values[0, 0]` is cell (`row0`, `col0`) of its lattice; `missing` where nobody looked, also beyond its edge."""

    values: npt.NDArray[np.float64]
    row0: int
    col0: int
    others: Mapping[str, Array]  # same shape: the `others` of the focal function, read at the cells' centres


class Focal(Protocol):
    """A picklable function of a cell's neighbourhood. Its answer for a cell must not depend on what else lies in the window."""

    @property
    def margin(self) -> tuple[int, int]:
        """Return how many rows and columns around a cell it may look at; multiples of `align`."""

    @property
    def align(self) -> int:
        """Return the side of the blocks, counted from the lattice's first cell, that windows must not cut; 1 for none."""

    @property
    def others(self) -> tuple[LayerRead, ...]:
        """Return further layers that it looks at."""

    def __call__(self, window: FocalWindow, row: npt.NDArray[np.int64], col: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return its value at the cells (row, col) of the window, each with its margin inside the window; NaN for none."""


@dataclass(frozen=True)
class LayerRead:
    """One layer that a kernel wants at every cell: decoded by `decode`, `missing` where nobody looked.

    `decode` is elementwise and picklable: raw values in, codes or floats out. `missing` stands for cells outside the
    source, in a gap between tiles, in an empty block, or masked. With `focal` the kernel gets, instead of the cell's own
    value, what that function makes of the decoded values around it.
    """

    key: str
    layer: RasterLayer
    decode: Callable[[Array], Array]
    missing: float
    focal: Focal | None = None


@dataclass(frozen=True)
class Cells:
    """Cells of the grid that plots touch, in block order; `values` holds one array per `LayerRead.key`."""

    inside: Bools  # is the cell's centre in its plot; only for kernels with `needs_centres`
    values: Mapping[str, Array]
    row: Ints  # where the cells lie in the task's grid; empty for kernels with `by_values`
    col: Ints

    def __len__(self) -> int:
        return len(self.inside)


@dataclass(frozen=True)
class CellStates:
    """A kernel's answer in codes: cell i is in state states[code[i]], a row of whole numbers."""

    code: npt.NDArray[np.intp]
    states: npt.NDArray[np.int64]  # (number of states, columns)


@dataclass(frozen=True)
class CellValues:
    """A kernel's answer in numbers: float64 per cell, NaN where there is no data."""

    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class CellKeyed:
    """A kernel's answer in numbers to be summed apart by key: one key and one float64 per cell, NaN where there is no data."""

    key: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


CellAnswer = Union[CellStates, CellValues, CellKeyed]


class CellKernel(Protocol):
    """A metric's part in the engine. It sees arrays only; the engine sums its answer by plot with area weights.

    A kernel that looks at `Cells.inside` has an attribute `needs_centres = True`; for others it may be all False.
    One with `by_values = True` answers with what follows from `values` and `inside` alone: neighbours that are alike in them
    are handed to it as one cell.
    """

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the layers to gather; layers of other grids are read at the cells' centres."""

    def __call__(self, cells: Cells) -> CellAnswer | tuple[CellAnswer, ...]:
        """Return the state or the value of every cell, or several such answers: always the same number, in the same order."""


class StateCoder:
    """Joins columns of small whole numbers into one dense code per cell, and remembers what each code means.

    Columns are first joined as digits of one number, and the numbers that occur are counted only when they could become
    too many or somebody asks: most columns cost two passes over the cells.
    """

    MOST = 1 << 18  # different numbers before they are counted

    def __init__(self, n: int) -> None:
        """Start with `n` cells that are all alike."""
        self._key: npt.NDArray[np.int64] = np.zeros(n, np.int64)
        self._states: npt.NDArray[np.int64] = np.zeros((1, 0), np.int64)  # what the leading digit stands for
        self._digits: list[npt.NDArray[np.int64]] = []  # what each further digit stands for

    def add(self, column: Array, meaning: npt.NDArray[np.int64] | None = None) -> None:
        """Add a column: per cell a number from 0; `meaning` (numbers, columns) says what each stands for, default itself."""
        if meaning is None:
            meaning = np.arange(int(column.max()) + 1 if len(column) else 1)[:, None]
        size = math.prod([len(self._states), *map(len, self._digits)])
        if size > 1 and size * len(meaning) > self.MOST:
            self._count()
        if len(self._states) > 1 or self._digits:
            self._key *= len(meaning)
            self._key += column
        else:
            self._key = column.astype(np.int64)
        self._digits.append(meaning)

    def _count(self) -> None:
        """Make the numbers dense: only those that occur, in their order, with their meaning in `_states`."""
        if not self._digits:
            return
        sizes = [len(self._states), *map(len, self._digits)]
        present = np.flatnonzero(np.bincount(self._key, minlength=math.prod(sizes))) if len(self._key) else np.zeros(1, np.int64)
        dense = np.zeros(int(present[-1]) + 1, np.int64)
        dense[present] = np.arange(len(present))
        self._key = dense[self._key]
        columns = []
        for meaning in reversed(self._digits):
            columns.append(meaning[present % len(meaning)])
            present = present // len(meaning)
        self._states = np.concatenate([self._states[present], *reversed(columns)], axis=1)
        self._digits = []

    @property
    def code(self) -> npt.NDArray[np.intp]:
        """Return the dense code of every cell."""
        self._count()
        return self._key

    @property
    def states(self) -> npt.NDArray[np.int64]:
        """Return what each code means: one row of whole numbers, one column per column added (or of its meaning)."""
        self._count()
        return self._states

    def reduce(self, states: npt.NDArray[np.int64]) -> None:
        """Replace the meaning of every code by a row of `states` (one per present code) and merge codes that became equal."""
        code = self.code
        self._states, merged = np.unique(states, axis=0, return_inverse=True)
        self._key = merged.reshape(-1)[code]

    def result(self) -> CellStates:
        """Return what was joined."""
        return CellStates(self.code, self.states)
