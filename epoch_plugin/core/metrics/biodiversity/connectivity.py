"""Connectivity of trees around a cell, our own index (METHODS section 5): sum w t / sum w over the valid cells within a radius.

w = exp(-d / radius), d in metres, the cell itself included; t = 1 where the canopy is high enough or the tree mask says yes. A cell
counts as valid where its height is known. It is computed on blocks of f x f cells counted from the raster's first cell, t and validity
averaged over a block, d between the blocks' centres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.encodings import MASK_YES
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.cell_area import WGS84_A, WGS84_F, is_geographic

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EXACT_BITS = 53
ON_THE_EDGE = 1 + 1e-9  # a block whose distance is the radius but for rounding lies within
AS_STATED = 0.01  # a cell size within 1 % of a step of f counts as the step
WEIGHT_ROWS_KEPT = 8192


@dataclass(frozen=True)
class BlockLattice:
    """Blocks of `side` x `side` cells of a grid; `map_scale` = metres on the ground per unit of a projected grid."""

    grid: Grid
    side: int
    map_scale: float = 1.0

    def spacing(self, block_row: int) -> tuple[float, float]:
        """Return the distance (m) to the next block down and across, on the ellipsoid at the middle of a row of blocks."""
        grid = self.grid
        if not is_geographic(grid.crs):
            return abs(grid.dy) * self.side * self.map_scale, grid.dx * self.side * self.map_scale
        down, across = metres_per_degree(grid.y0 + (block_row + 0.5) * self.side * grid.dy)
        return abs(grid.dy) * self.side * down, grid.dx * self.side * across


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Return the lengths (m) of a degree of latitude and of longitude: the ellipsoid's two radii of curvature."""
    e2 = WGS84_F * (2 - WGS84_F)
    phi = np.radians(min(max(latitude, -90.0), 90.0))
    w2 = 1 - e2 * np.sin(phi) ** 2
    return float(np.radians(WGS84_A * (1 - e2) / w2**1.5)), float(np.radians(WGS84_A * np.cos(phi) / np.sqrt(w2)))


def block_side(radius_m: float, cell_m: float) -> int:
    """Return f = max(1, floor(radius / (10 x cell size)))."""
    return max(1, int(radius_m / (10 * cell_m) + AS_STATED))


def reach(lattice: BlockLattice, radius_m: float, latitudes: tuple[float, float]) -> tuple[int, int]:
    """Return how many blocks down and across the radius reaches, anywhere between two latitudes."""
    grid = lattice.grid
    rows = [int((latitude - grid.y0) / (grid.dy * lattice.side)) for latitude in latitudes] if is_geographic(grid.crs) else [0]
    spacings = [lattice.spacing(row) for row in rows]
    return tuple(int(radius_m * ON_THE_EDGE / min(spacing[k] for spacing in spacings)) + 1 for k in (0, 1))  # type: ignore[return-value]


@dataclass(frozen=True)
class ConnectivityMap:
    """Weights of the blocks around a block; `reach` blocks down and across hold the whole radius."""

    lattice: BlockLattice
    radius_m: float
    reach: tuple[int, int]

    def __call__(self, trees: Ints, valid: Ints, first_row: int, row: Ints, col: Ints) -> Floats:
        """Return the connectivity of blocks (row, col); NaN where no cell within the radius is valid.

        `trees` and `valid` (block rows, block columns) count the cells of each block; row 0 is block row `first_row` of the lattice.
        All sums are of whole numbers, and exact: the answer does not depend on the window.
        """
        full = self.lattice.side**2
        complete = bool((valid == full).all())
        counts = np.stack([trees] if complete else [trees, valid]).astype(np.float64)
        found = np.empty(len(row))
        order = np.argsort(row, kind="stable")
        for at in np.split(order, np.flatnonzero(np.diff(row[order])) + 1) if len(order) else ():
            here = int(row[at[0]])
            weights = _weights(self, first_row + here)
            sums = self._around(counts, here, col[at], weights)
            every = sums[1] if not complete else np.full(len(at), full * weights.total)
            found[at] = np.divide(sums[0], every, out=np.full(len(at), np.nan), where=every > 0)
        return found

    def _around(self, counts: Floats, row: int, col: Ints, weights: _Weights) -> Floats:
        """Return the weighted sums around the blocks of one row; what lies mirrored has one weight, so it is added first."""
        down, across = self.reach
        folded = counts[:, row : row + down + 1] + counts[:, row - down : row + 1][:, ::-1]
        folded[:, 0] = counts[:, row]
        by_col = np.ascontiguousarray(folded.transpose(0, 2, 1))
        offset = np.arange(across + 1)
        both = by_col.take(col[:, None] + offset, axis=1)
        both[:, :, 1:] += by_col.take(col[:, None] - offset[1:], axis=1)
        return np.asarray(both.reshape(len(counts), len(col), -1) @ weights.quarter)


@dataclass(frozen=True)
class _Weights:
    quarter: Floats  # whole numbers, for (blocks across, blocks down) from 0
    total: float  # their sum over all four quarters


@lru_cache(maxsize=WEIGHT_ROWS_KEPT)
def _weights(of: ConnectivityMap, block_row: int) -> _Weights:
    """Return the weights of a row of blocks as whole numbers with so many bits that sums of them stay exact."""
    down, across = of.lattice.spacing(block_row)
    d = np.hypot(np.arange(of.reach[1] + 1)[:, None] * across, np.arange(of.reach[0] + 1) * down)
    most = (2 * (of.radius_m / down) + 3) * (2 * (of.radius_m / across) + 3) * of.lattice.side**2
    bits = min(EXACT_BITS - 1 - int(np.ceil(np.log2(most))), 40)
    quarter = np.where(d <= of.radius_m * ON_THE_EDGE, np.rint(np.ldexp(np.exp(-d / of.radius_m), bits)), 0.0)
    times = np.where(np.arange(of.reach[1] + 1) > 0, 2, 1)[:, None] * np.where(np.arange(of.reach[0] + 1) > 0, 2, 1)
    return _Weights(np.ascontiguousarray(quarter.reshape(-1)), float((quarter * times).sum()))


def block_counts(heights: Floats, mask: npt.NDArray[np.uint8] | None, side: int, tree_height_m: float) -> tuple[Ints, Ints]:
    """Return how many cells of each block are trees, and how many are valid; the window holds whole blocks."""
    valid = ~np.isnan(heights)
    with np.errstate(invalid="ignore"):
        trees = heights >= tree_height_m
    if mask is not None:
        trees |= valid & (mask == MASK_YES)
    return _block_sum(trees, side), _block_sum(valid, side)


def _block_sum(flags: npt.NDArray[np.bool_], side: int) -> Ints:
    rows, cols = flags.shape
    return np.asarray(flags.reshape(rows // side, side, cols // side, side).sum(axis=(1, 3), dtype=np.int64))
