"""What a metric plugs into the engine: a pure function from the arrays of some cells to small codes or values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.raster import RasterLayer
from epoch_plugin.core.zonal.coverage import Bools

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LayerRead:
    """One layer that a kernel wants at every cell: decoded by `decode`, `missing` where nobody looked.

    `decode` is elementwise and picklable: raw values in, codes or floats out. `missing` stands for cells outside the
    source, in a gap between tiles, in an empty block, or masked.
    """

    key: str
    layer: RasterLayer
    decode: Callable[[Array], Array]
    missing: float


@dataclass(frozen=True)
class Cells:
    """Cells of the grid that plots touch, in block order; `values` holds one array per `LayerRead.key`."""

    inside: Bools  # is the cell's centre in its plot
    values: Mapping[str, Array]

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


class CellKernel(Protocol):
    """A metric's part in the engine. It sees arrays only; the engine sums its answer by plot with area weights."""

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the layers to gather; layers of other grids are read at the cells' centres."""

    def __call__(self, cells: Cells) -> CellStates | CellValues:
        """Return the state or the value of every cell."""


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
