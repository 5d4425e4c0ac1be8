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
BAND = 64  # rows of blocks whose weights are made together
BANDS_KEPT = 256
BLOCKS_AT_ONCE = 512  # so many neighbourhoods fit into a core's cache


@dataclass(frozen=True)
class BlockLattice:
    """Blocks of `side` x `side` cells of a grid; `map_scale` = metres on the ground per unit of a projected grid."""

    grid: Grid
    side: int
    map_scale: float = 1.0

    def spacing(self, block_row: Ints) -> tuple[Floats, Floats]:
        """Return the distances (m) to the next block down and across, on the ellipsoid at the middle of rows of blocks."""
        grid = self.grid
        if not is_geographic(grid.crs):
            one = np.ones(len(block_row))
            return one * abs(grid.dy) * self.side * self.map_scale, one * grid.dx * self.side * self.map_scale
        down, across = metres_per_degree(grid.y0 + (block_row + 0.5) * self.side * grid.dy)
        return abs(grid.dy) * self.side * down, grid.dx * self.side * across


def metres_per_degree(latitude: Floats) -> tuple[Floats, Floats]:
    """Return the lengths (m) of a degree of latitude and of longitude: the ellipsoid's two radii of curvature."""
    e2 = WGS84_F * (2 - WGS84_F)
    phi = np.radians(np.clip(latitude, -90.0, 90.0))
    w2 = 1 - e2 * np.sin(phi) ** 2
    return np.radians(WGS84_A * (1 - e2) / w2**1.5), np.radians(WGS84_A * np.cos(phi) / np.sqrt(w2))


def block_side(radius_m: float, cell_m: float) -> int:
    """Return f = max(1, floor(radius / (10 x cell size)))."""
    return max(1, int(radius_m / (10 * cell_m) + AS_STATED))


def reach(lattice: BlockLattice, radius_m: float, latitudes: tuple[float, float]) -> tuple[int, int]:
    """Return how many blocks down and across the radius reaches, anywhere between two latitudes."""
    grid = lattice.grid
    rows = np.zeros(1, np.int64)
    if is_geographic(grid.crs):
        rows = ((np.array(latitudes) - grid.y0) / (grid.dy * lattice.side)).astype(np.int64)
    down, across = lattice.spacing(rows)
    return int(radius_m * ON_THE_EDGE / down.min()) + 1, int(radius_m * ON_THE_EDGE / across.min()) + 1


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
        if len(row) == 0:
            return np.zeros(0)
        full = self.lattice.side**2
        complete = bool((valid == full).all())
        counts = np.stack([trees] if complete else [trees, valid]).astype(np.float64)
        rows, which = np.unique(row, return_inverse=True)
        which = which.reshape(-1)
        quarter, total = self._weights(first_row + rows)
        sums = self._weighted(counts, rows, which, col, quarter)
        every = sums[1] if not complete else full * total[which]
        return np.divide(sums[0], every, out=np.full(len(row), np.nan), where=every > 0)

    def _weighted(self, counts: Floats, rows: Ints, which: Ints, col: Ints, quarter: Floats) -> Floats:
        """Return the weighted sums around the blocks (rows[which], col); what lies mirrored has one weight, so it is added first."""
        down, across = np.arange(self.reach[0] + 1), np.arange(self.reach[1] + 1)
        folded = counts[:, rows[:, None] + down] + counts[:, rows[:, None] - down]
        folded[:, :, 0] = counts[:, rows]
        width = counts.shape[2]
        by_col = np.ascontiguousarray(folded.transpose(0, 1, 3, 2)).reshape(len(counts), len(rows) * width, len(down))
        place = which * width + col
        sums = np.empty((len(counts), len(col)))
        for start in range(0, len(col), BLOCKS_AT_ONCE):
            part = slice(start, start + BLOCKS_AT_ONCE)
            both = by_col.take(place[part, None] + across, axis=1)
            both[:, :, 1:] += by_col.take(place[part, None] - across[1:], axis=1)
            sums[:, part] = np.einsum("knq,nq->kn", both.reshape(*both.shape[:2], -1), quarter[which[part]])
        return sums

    def _weights(self, block_rows: Ints) -> tuple[Floats, Floats]:
        """Return per row of blocks the weights of a quarter, and their sum over all four."""
        bands, band = np.unique(block_rows // BAND, return_inverse=True)
        known = [_band_weights(self, int(number)) for number in bands]
        at = band.reshape(-1) * BAND + block_rows % BAND
        return np.concatenate([quarter for quarter, _ in known])[at], np.concatenate([total for _, total in known])[at]


@lru_cache(maxsize=BANDS_KEPT)
def _band_weights(of: ConnectivityMap, band: int) -> tuple[Floats, Floats]:
    """Return weights (rows, blocks across x blocks down from 0) as whole numbers with so many bits that sums of them stay exact."""
    down, across = of.lattice.spacing(np.arange(band * BAND, (band + 1) * BAND))
    right, below = np.arange(of.reach[1] + 1)[:, None], np.arange(of.reach[0] + 1)
    d = np.hypot(right * across[:, None, None], below * down[:, None, None])
    most = (2 * of.radius_m / down + 3) * (2 * of.radius_m / across + 3) * of.lattice.side**2
    bits = np.minimum(EXACT_BITS - 1 - np.ceil(np.log2(most)), 40).astype(np.int64)
    quarter = np.where(d <= of.radius_m * ON_THE_EDGE, np.rint(np.ldexp(np.exp(-d / of.radius_m), bits[:, None, None])), 0.0)
    times = np.where(right > 0, 2, 1) * np.where(below > 0, 2, 1)
    return quarter.reshape(BAND, -1), (quarter * times).sum(axis=(1, 2))


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
