"""Values of many layers at the cells of a group: index arithmetic, then each touched block decoded once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.raster import Grid, RasterLayer, Tile
from epoch_plugin.core.zonal.blocks import read_unit, reading_unit
from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.focal import UnitCache, focal_values
from epoch_plugin.core.zonal.grids import same_lattice, within_turn
from epoch_plugin.core.zonal.kernel import Array, LayerRead
from epoch_plugin.core.zonal.rings import Ints

LUT_BYTES = 2  # integers of at most 16 bits are decoded through a table


@dataclass(frozen=True)
class _TileCells:
    """The cells of a group that lie in one tile: which windows they need, and where each cell is in them."""

    tile: int
    cells: npt.NDArray[np.intp] | None  # None: all cells of the group
    units: list[tuple[int, int]]
    index: npt.NDArray[np.intp]


class GroupGather:
    """Gathers layers at the cells (row, col) of `grid`; what layers of one layout share is worked out once."""

    def __init__(self, grid: Grid, row: Ints, col: Ints) -> None:
        """Take the cells of one group."""
        self._grid = grid
        self._row, self._col = row, col
        self._positions: dict[Grid, tuple[Ints, Ints]] = {grid: (row, col)}
        self._layouts: dict[Any, list[_TileCells]] = {}
        self._units = UnitCache()

    def __call__(self, read: LayerRead) -> Array:
        """Return the decoded values of a layer at all cells, or what `read.focal` makes of them; `read.missing` where there is no data."""
        decode, layer = _decoder(read), read.layer
        if read.focal is not None:
            return focal_values(read, decode, *self._position(layer.grid), self._units, _at_cells)
        out: Array | None = None
        for part in self._layout(layer):
            raw, valid = _read_cells(layer, layer.tiles[part.tile], part)
            values = decode(raw)
            if valid is not None:
                values[~valid] = read.missing
            if part.cells is None:
                return values
            if out is None:
                out = np.full(len(self._row), read.missing, values.dtype)
            out[part.cells] = values
        if out is None:  # no cell lies in the source
            out = np.full(len(self._row), read.missing, decode(np.zeros(1, layer.tiles[0].dtype)).dtype)
        return out

    def _layout(self, layer: RasterLayer) -> list[_TileCells]:
        key = (layer.grid, tuple((t.row0, t.col0, t.nrows, t.ncols, t.block_rows, t.block_cols) for t in layer.tiles))
        if key not in self._layouts:
            self._layouts[key] = list(_tile_cells(layer, *self._position(layer.grid)))
        return self._layouts[key]

    def _position(self, grid: Grid) -> tuple[Ints, Ints]:
        if grid not in self._positions:
            self._positions[grid] = cells_in_other_grid(self._grid, self._row, self._col, grid)
        return self._positions[grid]


def _at_cells(read: LayerRead, grid: Grid, row: Ints, col: Ints) -> Array:
    """Return a layer's values at cells of any grid."""
    return GroupGather(grid, row, col)(read)


def cells_in_other_grid(grid: Grid, row: Ints, col: Ints, other: Grid) -> tuple[Ints, Ints]:
    """Return row and column in `other` of the cells' centres; may lie outside it."""
    shift = same_lattice(grid, other)
    if shift is not None:
        return row + shift[0], col + shift[1]
    x = grid.x0 + (col + 0.5) * grid.dx
    y = grid.y0 + (row + 0.5) * grid.dy
    if other.crs != grid.crs:
        transformer = _between(grid.crs, other.crs)
        if transformer is not None:
            x, y = (np.asarray(a, np.float64) for a in transformer.transform(x, y))
    x = within_turn(x, other)
    with np.errstate(invalid="ignore"):
        other_row, other_col = np.floor((y - other.y0) / other.dy), np.floor((x - other.x0) / other.dx)
    outside = ~(np.isfinite(other_row) & np.isfinite(other_col))
    other_row[outside] = -1
    other_col[outside] = -1
    return other_row.astype(np.int64), other_col.astype(np.int64)


@lru_cache(maxsize=64)
def _between(crs: str, other: str) -> Any:
    from pyproj import CRS, Transformer

    a, b = CRS.from_user_input(crs), CRS.from_user_input(other)
    return None if a.equals(b, ignore_axis_order=True) else Transformer.from_crs(a, b, always_xy=True)


def _tile_cells(layer: RasterLayer, row: Ints, col: Ints) -> list[_TileCells]:
    """Share the cells out to tiles; where two tiles overlap by a rounded cell the first one has it."""
    found = []
    free = np.ones(len(row), bool)
    for number, tile in enumerate(layer.tiles):
        r, c = row - tile.row0, col - tile.col0
        here = free & (r >= 0) & (r < tile.nrows) & (c >= 0) & (c < tile.ncols)
        if not here.any():
            continue
        free &= ~here
        cells = None if here.all() else np.flatnonzero(here)
        if cells is not None:
            r, c = r[cells], c[cells]
        found.append(_units(tile, number, cells, r, c))
        if cells is None or not free.any():
            break
    return found


def _units(tile: Tile, number: int, cells: npt.NDArray[np.intp] | None, row: Ints, col: Ints) -> _TileCells:
    rows, cols = reading_unit(tile)
    (unit_row, in_row), (unit_col, in_col) = _split(row, rows), _split(col, cols)
    first_row, first_col = int(unit_row.min()), int(unit_col.min())
    across = int(unit_col.max()) - first_col + 1
    unit = (unit_row - first_row) * across
    unit += unit_col - first_col
    present: Array = np.flatnonzero(np.bincount(unit))
    slot: Array = np.zeros(int(present[-1]) + 1, np.intp)
    slot[present] = np.arange(len(present)) * (rows * cols)
    index: Array = slot[unit]
    in_row *= cols
    index += in_row
    index += in_col
    return _TileCells(number, cells, [(first_row + int(u) // across, first_col + int(u) % across) for u in present], index)


def _split(position: Ints, size: int) -> tuple[Ints, Ints]:
    """Return position // size and position % size of positions from 0 on; sizes are powers of two nearly always."""
    if size & (size - 1) == 0:
        return position >> (size.bit_length() - 1), position & (size - 1)
    return position // size, position % size


def _read_cells(layer: RasterLayer, tile: Tile, part: _TileCells) -> tuple[Array, Bools | None]:
    rows, cols = reading_unit(tile)
    size = rows * cols
    pool = _scratch(len(part.units) * size, tile.dtype)
    filled: Bools | None = None
    for slot, (unit_row, unit_col) in enumerate(part.units):
        valid = read_unit(layer, tile, unit_row, unit_col, pool[slot * size : (slot + 1) * size].reshape(rows, cols))
        if valid is not None:
            if filled is None:
                filled = np.ones(len(pool), bool)
            filled[slot * size : (slot + 1) * size] = valid.reshape(-1)
    return pool.take(part.index), None if filled is None else filled.take(part.index)


_local = threading.local()


def _scratch(size: int, dtype: str) -> Array:
    """Return uninitialised space that this thread uses again and again: fresh memory costs more than the reading."""
    spaces = _local.__dict__.setdefault("spaces", {})
    if dtype not in spaces or len(spaces[dtype]) < size:
        spaces[dtype] = np.empty(size, dtype)
    space: Array = spaces[dtype][:size]
    return space


_tables: dict[tuple[Any, str], Array] = {}


def _decoder(read: LayerRead) -> Callable[[Array], Array]:
    """Return the elementwise decoding, as a look-up in a table where the values are small whole numbers."""
    kind = np.dtype(read.layer.tiles[0].dtype)
    if kind.kind not in "iu" or kind.itemsize > LUT_BYTES:
        return read.decode
    key = (read.decode, kind.str)
    table = _tables.get(key)  # another thread may clear the tables at any time
    if table is None:
        if len(_tables) > 256:
            _tables.clear()
        # indexed by the value's bits taken as unsigned: negative numbers find their place without an offset
        table = _tables[key] = read.decode(np.arange(1 << (8 * kind.itemsize), dtype=f"u{kind.itemsize}").view(kind))
    found: Array = table
    return lambda raw: np.asarray(found[raw.view(f"u{kind.itemsize}")])
