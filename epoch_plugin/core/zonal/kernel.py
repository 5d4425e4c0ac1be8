"""What a metric plugs into the engine: a pure function from the arrays of some cells to small codes or values."""

from __future__ import annotations

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
    row: Ints  # where the cells lie in the task's grid
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
    """

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the layers to gather; layers of other grids are read at the cells' centres."""

    def __call__(self, cells: Cells) -> CellAnswer | tuple[CellAnswer, ...]:
        """Return the state or the value of every cell, or several such answers: always the same number, in the same order."""


class StateCoder:
    """Joins columns of small whole numbers into one dense code per cell, and remembers what each code means."""

    def __init__(self, n: int) -> None:
        """Start with `n` cells that are all alike."""
        self.code: npt.NDArray[np.intp] = np.zeros(n, np.intp)
        self.states: npt.NDArray[np.int64] = np.zeros((1, 0), np.int64)

    def add(self, column: Array, meaning: npt.NDArray[np.int64] | None = None) -> None:
        """Add a column: per cell a number from 0; `meaning` (numbers, columns) says what each stands for, default itself."""
        if len(column) == 0:
            columns = 1 if meaning is None else meaning.shape[1]
            self.states = np.zeros((1, self.states.shape[1] + columns), np.int64)
            return
        size = int(column.max()) + 1 if meaning is None else len(meaning)
        key = self.code * size
        key += column
        present = np.flatnonzero(np.bincount(key, minlength=len(self.states) * size))
        dense = np.zeros(len(self.states) * size, np.intp)
        dense[present] = np.arange(len(present))
        self.code = dense[key]
        added = present % size
        self.states = np.c_[self.states[present // size], added[:, None] if meaning is None else meaning[added]]

    def reduce(self, states: npt.NDArray[np.int64]) -> None:
        """Replace the meaning of every code by a row of `states` (one per present code) and merge codes that became equal."""
        self.states, merged = np.unique(states, axis=0, return_inverse=True)
        self.code = merged.reshape(-1)[self.code]

    def result(self) -> CellStates:
        """Return what was joined."""
        return CellStates(self.code, self.states)
