"""The two focal functions of biodiversity as the engine calls them: windows of canopy height in, one value per cell out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.biodiversity.connectivity import ConnectivityMap, block_counts
from epoch_plugin.core.metrics.biodiversity.rao import rao_q
from epoch_plugin.core.zonal.kernel import FocalWindow, LayerRead

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RaoFocal:
    """Rao's Q (m) around a cell."""

    window: int
    alpha: float
    span_m: float
    align: int = 1
    others: tuple[LayerRead, ...] = ()

    @property
    def margin(self) -> tuple[int, int]:
        """Return half the window."""
        return self.window // 2, self.window // 2

    def __call__(self, window: FocalWindow, row: Ints, col: Ints) -> Floats:
        """Return Q at the cells; NaN where there is none."""
        return rao_q(window.values, row, col, self.window, self.alpha, self.span_m)


@dataclass(frozen=True)
class ConnectivityFocal:
    """Connectivity (0 to 1) of the block around a cell; NaN for a cell whose own height is unknown."""

    map: ConnectivityMap
    tree_height_m: float
    tree_mask: LayerRead | None = None

    @property
    def align(self) -> int:
        """Return the blocks' side."""
        return self.map.lattice.side

    @property
    def margin(self) -> tuple[int, int]:
        """Return the radius in cells, rounded up to whole blocks."""
        return self.map.reach[0] * self.align, self.map.reach[1] * self.align

    @property
    def others(self) -> tuple[LayerRead, ...]:
        """Return the tree mask, where there is one."""
        return () if self.tree_mask is None else (self.tree_mask,)

    def __call__(self, window: FocalWindow, row: Ints, col: Ints) -> Floats:
        """Return the connectivity at the cells."""
        mask = None if self.tree_mask is None else window.others[self.tree_mask.key]
        trees, valid = block_counts(window.values, mask, self.align, self.tree_height_m)
        known = np.flatnonzero(~np.isnan(window.values[row, col]))
        across = trees.shape[1]
        blocks, where = np.unique(row[known] // self.align * across + col[known] // self.align, return_inverse=True)
        found = np.full(len(row), np.nan)
        found[known] = self.map(trees, valid, window.row0 // self.align, blocks // across, blocks % across)[where.reshape(-1)]
        return found
