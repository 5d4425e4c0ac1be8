"""The cell kernel of the deforestation check: all layers of a cell joined into one state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.metrics.deforestation.systems import MASK_YES, States, System
from epoch_plugin.core.zonal.kernel import Cells, CellStates, LayerRead, StateCoder

LOSS, YEARS, DEGRADED = range(3)  # columns of a system's interpretation


@dataclass(frozen=True)
class StateColumns:
    """Where things stand in a row of the kernel's states: baseline, three columns per system, three context flags."""

    n_systems: int
    baseline: int = 0

    def system(self, number: int, what: int) -> int:
        """Return the column of LOSS, YEARS or DEGRADED of a system."""
        return 1 + 3 * number + what

    @property
    def protected(self) -> int:
        """Column: in a protected area or natural forest."""
        return 1 + 3 * self.n_systems

    @property
    def rotation(self) -> int:
        """Column: in a tree crop of 2020 or earlier."""
        return self.protected + 1

    @property
    def inside(self) -> int:
        """Column: the cell's centre lies in the plot."""
        return self.protected + 2


@dataclass(frozen=True)
class DeforestationKernel:
    """Joins baseline, systems and context of each cell; context is kept only where something was flagged."""

    baseline: LayerRead
    systems: tuple[System, ...]
    protected: tuple[LayerRead, ...]  # wdpa, natural_forest
    rotation: tuple[LayerRead, ...]  # tree crops dated 2020 or earlier
    needs_centres = True
    by_values = True

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return every layer that the kernel looks at."""
        return (self.baseline, *(read for system in self.systems for read in system.reads), *self.protected, *self.rotation)

    def __call__(self, cells: Cells) -> CellStates:
        """Return the state of every cell, columns as in `StateColumns`."""
        coder = StateCoder(len(cells))
        coder.add(cells.values[self.baseline.key])
        for system in self.systems:
            own = StateCoder(len(cells))
            for read in system.reads:
                own.add(cells.values[read.key])
            own.reduce(system.interpret(own.states))
            coder.add(own.code, own.states)
        coder.reduce(self._without_loss_outside_forest(coder.states))
        context = self._context(cells)
        context *= self._flagged(coder.states)[coder.code]
        coder.add(context, np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)], np.int64))
        return coder.result()

    def _loss_columns(self) -> list[int]:
        columns = StateColumns(len(self.systems))
        return [columns.system(number, LOSS) for number in range(len(self.systems))]

    def _without_loss_outside_forest(self, states: States) -> States:
        """Clear losses where the baseline is not forest: nothing of them counts, and fewer states are left."""
        states = states.copy()
        outside = states[:, 0] != MASK_YES
        for column in self._loss_columns():
            states[outside, column] = 0
        return states

    def _flagged(self, states: States) -> States:
        return np.asarray((states[:, self._loss_columns()] > 0).any(axis=1), np.int64)

    def _context(self, cells: Cells) -> States:
        """Return bits per cell: 1 protected, 2 rotation, 4 centre inside."""
        bits = np.where(cells.inside, 4, 0)
        for reads, bit in ((self.protected, 1), (self.rotation, 2)):
            for read in reads:
                bits |= np.where(cells.values[read.key] == MASK_YES, bit, 0)
        return bits


@dataclass(frozen=True)
class MaskKernel:
    """One mask on its own grid: the state of a cell is 0 no data, 1 no, 2 yes."""

    read: LayerRead
    by_values = True

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the mask."""
        return (self.read,)

    def __call__(self, cells: Cells) -> CellStates:
        """Return the mask's codes as states."""
        coder = StateCoder(len(cells))
        coder.add(cells.values[self.read.key])
        return coder.result()
