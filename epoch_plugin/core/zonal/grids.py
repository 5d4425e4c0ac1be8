"""Grids against each other and against the ground: same lattice, wider extent, degrees that run past 180."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.cell_area import is_geographic
from epoch_plugin.core.zonal.rings import Floats, Rings

ALIGNED = 1e-6  # cells
TURN = 360.0


def passes_180(grid: Grid) -> bool:
    """Tell whether a grid in degrees counts on beyond 180 (0..360, or around the antimeridian)."""
    return grid.x0 + grid.ncols * grid.dx > TURN / 2 + 1e-4 and is_geographic(grid.crs)


def turned(rings: Rings, grid: Grid) -> Rings:
    """Bring rings to where a grid that passes 180 has them: those left of it a full turn to the right, those across its left edge twice."""
    if not passes_180(grid) or len(rings.plot) == 0:
        return rings
    low, high = (part.reduceat(rings.x, rings.start[:-1]) for part in (np.minimum, np.maximum))
    again = (low < grid.x0) & (low + TURN < grid.x0 + grid.ncols * grid.dx)
    times = again + ((high > grid.x0) | ~again).astype(np.int64)
    ring = np.repeat(np.arange(len(times)), times)
    last = np.r_[ring[1:] != ring[:-1], True]
    size = np.diff(rings.start)[ring]
    start = np.r_[0, np.cumsum(size)]
    vertex = np.arange(start[-1]) + np.repeat(rings.start[ring] - start[:-1], size)
    shift = np.repeat(np.where(again[ring] & last, TURN, 0.0), size)
    return Rings(rings.x[vertex] + shift, rings.y[vertex], start, rings.plot[ring], rings.hole[ring], rings.n_plots)


def within_turn(x: Floats, grid: Grid) -> Floats:
    """Move longitudes by a full turn to where a grid in degrees has them; what it has nowhere stays outside."""
    if not is_geographic(grid.crs):
        return x
    right = grid.x0 + grid.ncols * grid.dx
    return np.where(x < grid.x0, x + TURN, np.where(x >= right, x - TURN, x))


def same_lattice(grid: Grid, other: Grid) -> tuple[int, int] | None:
    """Return by how many rows and columns a cell's position changes from `grid` to `other`, None if their cells differ."""
    if grid.crs != other.crs or grid.dx != other.dx or grid.dy != other.dy or passes_180(grid) != passes_180(other):
        return None
    rows, cols = (grid.y0 - other.y0) / grid.dy, (grid.x0 - other.x0) / grid.dx
    if abs(rows - round(rows)) > ALIGNED or abs(cols - round(cols)) > ALIGNED:
        return None
    return round(rows), round(cols)


def extended(grid: Grid, bounds: tuple[float, float, float, float], block_rows: int, block_cols: int) -> Grid:
    """Return `grid` widened by whole blocks to hold a box (xmin, ymin, xmax, ymax in EPSG:4326); cells keep their places.

    A plot beyond the data then has cells all the same, and what other layers know of them counts. A box that the
    grid's CRS cannot express leaves the grid as it is; so does one that counts its degrees otherwise.
    """
    if passes_180(grid):
        return grid
    left, bottom, right, top = _in_crs(bounds, grid.crs)
    if not np.isfinite([left, bottom, right, top]).all():
        return grid
    cols = np.array([left - grid.x0, right - grid.x0]) / grid.dx
    rows = np.sort(np.array([bottom - grid.y0, top - grid.y0]) / grid.dy)
    before_cols, after_cols = _blocks(cols, grid.ncols, block_cols)
    before_rows, after_rows = _blocks(rows, grid.nrows, block_rows)
    if not (before_cols or after_cols or before_rows or after_rows):
        return grid
    return replace(
        grid, x0=grid.x0 - before_cols * grid.dx, y0=grid.y0 - before_rows * grid.dy,
        ncols=grid.ncols + before_cols + after_cols, nrows=grid.nrows + before_rows + after_rows,
    )  # fmt: skip


def _blocks(span: np.ndarray[tuple[int], np.dtype[np.float64]], n: int, block: int) -> tuple[int, int]:
    """Return how many cells to add before and after 0..n so that it holds `span`; whole blocks before keep the blocks in place."""
    before = max(int(np.ceil(-span[0] / block)), 0) * block
    after = max(int(np.ceil(span[1])) + 1 - n, 0) if span[1] > n else 0
    return before, after


def _in_crs(bounds: tuple[float, float, float, float], crs: str) -> tuple[float, float, float, float]:
    if is_geographic(crs):
        return bounds
    from pyproj import Transformer

    box: tuple[float, float, float, float] = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform_bounds(*bounds)
    return box
