"""What a plot covers of each cell, as whole numbers: sums over neighbouring cells are exact, and differences of one running sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from epoch_plugin.core.zonal.rings import Floats, Ints

QUANTA_PER_CELL = 44  # as a power of two: a 1 km cell is known to 6e-8 m2
ROWS_TOGETHER = 64  # no sum spans more rows: with blocks of 2048 columns that leaves a factor 4 for cells larger than their nominal size


@dataclass(frozen=True)
class CellWeights:
    """Covered area of cells, in multiples of `quantum` m2 (a power of two)."""

    quanta: Ints
    quantum: float

    @cached_property
    def area(self) -> Floats:
        """Return the covered area (m2) of every cell."""
        return self.quanta * self.quantum

    @cached_property
    def _before(self) -> Ints:
        """Sum of all cells before each one, and of all; it may wrap around, its differences do not."""
        sums = np.zeros(len(self.quanta) + 1, np.int64)
        np.cumsum(self.quanta, out=sums[1:])
        return sums

    def of_stretches(self, first: Ints) -> Floats:
        """Return the areas (m2) of stretches of cells that begin at `first`, each up to the next one; within ROWS_TOGETHER rows."""
        if len(first) == 0:
            return np.zeros(0)
        before = self._before.take(first)
        sums = np.empty(len(first), np.int64)
        np.subtract(before[1:], before[:-1], out=sums[:-1])
        np.subtract(self._before[-1:], before[-1:], out=sums[-1:])  # as arrays: of single numbers numpy would warn when they wrap around
        areas = sums.astype(np.float64)
        areas *= self.quantum
        return areas


def quantum_of(nominal_m2: float) -> float:
    """Return the unit of area (m2) for a grid whose cells have about this area: a property of the grid alone."""
    return float(2.0 ** (np.ceil(np.log2(nominal_m2)) - QUANTA_PER_CELL))
