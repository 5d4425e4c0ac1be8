"""Neighbourhoods: windows of a mosaic around the cells that are needed, across the seams of tiles, handed to a focal function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.raster import Grid, RasterLayer, Tile
from epoch_plugin.core.zonal.blocks import TileReader, reading_unit
from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.kernel import Array, FocalWindow, LayerRead
from epoch_plugin.core.zonal.rings import Ints

SIDE = 256  # cells of such a square are served by one window, cut to what they need
CACHED_BYTES = 64 << 20

AtCells = Callable[[LayerRead, Grid, Ints, Ints], Array]


class UnitCache:
    """Raw units of one group's layers: windows overlap, and each unit shall be decoded once."""

    def __init__(self) -> None:
        """Start empty."""
        self._units: dict[tuple[Tile, int, int], tuple[Array, Bools | None]] = {}
        self._bytes = 0

    def get(self, layer: RasterLayer, tile: Tile, unit_row: int, unit_col: int) -> tuple[Array, Bools | None]:
        """Return raw values of a unit and where they are data (None: everywhere)."""
        key = (tile, unit_row, unit_col)
        if key not in self._units:
            values = np.empty(reading_unit(tile), tile.dtype)
            self._units[key] = (values, TileReader(layer, tile).read(unit_row, unit_col, values, again=True))
            self._bytes += values.nbytes
            while self._bytes > CACHED_BYTES and len(self._units) > 1:
                self._bytes -= self._units.pop(next(iter(self._units)))[0].nbytes
        return self._units[key]


def focal_values(read: LayerRead, decode: Callable[[Array], Array], row: Ints, col: Ints, units: UnitCache, at_cells: AtCells) -> Array:
    """Return `read.focal` at cells (row, col) of the layer's lattice, `read.missing` at those outside it.

    Each square of cells is served by one window: the box of its needed cells, widened to whole `align` blocks and by the margin.
    """
    out = np.full(len(row), read.missing, np.float64)
    focal, layer = read.focal, read.layer
    if focal is None:
        return out
    margin_rows, margin_cols = focal.margin
    for cells in _squares(layer.grid, row, col, max(SIDE, margin_rows, margin_cols) // focal.align * focal.align):
        r, c = row[cells], col[cells]
        top, bottom = _span(r, focal.align, margin_rows)
        left, right = _span(c, focal.align, margin_cols)
        values = _window(read, decode, units, top, bottom, left, right)
        others = {}
        if focal.others:
            rows, cols = (a.reshape(-1) for a in np.meshgrid(np.arange(top, bottom), np.arange(left, right), indexing="ij"))
            others = {other.key: at_cells(other, layer.grid, rows, cols).reshape(values.shape) for other in focal.others}
        out[cells] = focal(FocalWindow(values, top, left, others), r - top, c - left)
    return out


def _squares(grid: Grid, row: Ints, col: Ints, side: int) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the cells inside `grid`, square by square."""
    inside = np.flatnonzero((row >= 0) & (row < grid.nrows) & (col >= 0) & (col < grid.ncols))
    square = (row[inside] // side) * (grid.ncols // side + 1) + col[inside] // side
    order = np.argsort(square, kind="stable")
    if len(order):
        yield from np.split(inside[order], np.flatnonzero(np.diff(square[order])) + 1)


def _span(position: Ints, align: int, margin: int) -> tuple[int, int]:
    return int(position.min()) // align * align - margin, (int(position.max()) // align + 1) * align + margin


def _window(
    read: LayerRead, decode: Callable[[Array], Array], units: UnitCache, top: int, bottom: int, left: int, right: int
) -> npt.NDArray[np.float64]:
    """Decode rows top..bottom - 1 and columns left..right - 1 of a mosaic; where tiles overlap by a rounded cell the first one has it."""
    out = np.full((bottom - top, right - left), read.missing, np.float64)
    for tile in reversed(read.layer.tiles):
        first_row, last_row = max(top, tile.row0), min(bottom, tile.row0 + tile.nrows)
        first_col, last_col = max(left, tile.col0), min(right, tile.col0 + tile.ncols)
        if first_row >= last_row or first_col >= last_col:
            continue
        rows, cols = reading_unit(tile)
        for unit_row, r0, r1 in _cut(first_row - tile.row0, last_row - tile.row0, rows):
            for unit_col, c0, c1 in _cut(first_col - tile.col0, last_col - tile.col0, cols):
                raw, valid = units.get(read.layer, tile, unit_row, unit_col)
                piece = (slice(r0 - unit_row * rows, r1 - unit_row * rows), slice(c0 - unit_col * cols, c1 - unit_col * cols))
                values = np.asarray(decode(raw[piece]), np.float64)
                if valid is not None:
                    values = np.where(valid[piece], values, read.missing)
                out[r0 + tile.row0 - top : r1 + tile.row0 - top, c0 + tile.col0 - left : c1 + tile.col0 - left] = values
    return out


def _cut(first: int, last: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield the units of `size` that first..last - 1 meets: number, first and last position."""
    for unit in range(first // size, (last - 1) // size + 1):
        yield unit, max(first, unit * size), min(last, (unit + 1) * size)
