"""Values of many layers at the cells of a group: index arithmetic, then each touched block decoded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.raster import Grid, RasterLayer, Tile
from epoch_plugin.core.zonal.blocks import TileReader, reading_unit
from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.focal import UnitCache, focal_values
from epoch_plugin.core.zonal.grids import same_lattice, within_turn
from epoch_plugin.core.zonal.kernel import Array, LayerRead
from epoch_plugin.core.zonal.pieces import Lengths, Pieces, stretches
from epoch_plugin.core.zonal.rings import Ints

LUT_BYTES = 2  # integers of at most 16 bits are decoded through a table


@dataclass(frozen=True)
class Raw:
    """A layer as it is stored, at every cell; what stands where `known` is False means nothing (None: all are known)."""

    values: Array
    known: Bools | None


@dataclass(frozen=True)
class _TileCells:
    """The cells of a group that lie in one tile, window by window: which cells they are, and where each is in its window."""

    tile: int
    cells: npt.NDArray[np.intp] | None  # None: all cells of the group, in their order
    units: list[tuple[int, int]]  # row and column of the windows
    ends: list[int]  # how many cells there are up to the end of each window
    index: npt.NDArray[np.intp]


class GroupGather:
    """Gathers layers at cells of `grid`; what layers of one layout share is worked out once."""

    def __init__(self, grid: Grid, pieces: Pieces, reads: Iterable[LayerRead] = ()) -> None:
        """Take the cells of one group, and what will be read there: a layer that comes more than once is read once."""
        self._grid, self._pieces = grid, pieces
        self._positions: dict[Grid, Pieces] = {grid: pieces}
        self._layouts: dict[Any, list[_TileCells]] = {}
        self._units = UnitCache()
        self._expected: dict[RasterLayer, int] = {}
        self._kept: dict[RasterLayer, Raw] = {}
        for read in reads:
            if read.focal is None:
                self._expected[read.layer] = self._expected.get(read.layer, 0) + 1

    def __call__(self, read: LayerRead) -> Array:
        """Return the decoded values of a layer at all cells, or what `read.focal` makes of them; `read.missing` where there is no data."""
        if read.focal is not None:
            position = self._position(read.layer.grid).cells
            return focal_values(read, _decoder(read), position.row, position.col, self._units, _at_cells)
        return decoded(read, self.raw(read.layer))

    def raw(self, layer: RasterLayer) -> Raw:
        """Return what a layer stores at all cells."""
        found = self._kept.pop(layer, None) or self._read(layer)
        self._expected[layer] = self._expected.get(layer, 1) - 1
        if self._expected[layer] > 0:
            self._kept[layer] = found
        return found

    def _read(self, layer: RasterLayer) -> Raw:
        n, dtype = self._pieces.lengths.n_cells, layer.tiles[0].dtype
        parts, again = self._layout(layer), layer.grid != self._grid  # windows of another grid lie across the groups' blocks
        if len(parts) == 1 and parts[0].cells is None:
            return _read_tile(layer, parts[0], again)
        values, known = np.zeros(n, dtype), np.zeros(n, bool)
        for part in parts:
            raw = _read_tile(layer, part, again)
            values[part.cells] = raw.values
            known[part.cells] = True if raw.known is None else raw.known
        return Raw(values, None if known.all() else known)

    def _layout(self, layer: RasterLayer) -> list[_TileCells]:
        if layer.layout not in self._layouts:
            self._layouts[layer.layout] = _tile_cells(layer.tiles, self._position(layer.grid))
        return self._layouts[layer.layout]

    def _position(self, grid: Grid) -> Pieces:
        if grid not in self._positions:
            shift = same_lattice(self._grid, grid)
            if shift is not None:
                self._positions[grid] = self._pieces.moved(*shift)
            else:
                cells = self._pieces.cells
                self._positions[grid] = Pieces.single(*cells_in_other_grid(self._grid, cells.row, cells.col, grid))
        return self._positions[grid]


def decoded(read: LayerRead, raw: Raw) -> Array:
    """Return a layer's values as a kernel wants them; `read.missing` where there is no data."""
    values = _decoder(read)(raw.values)
    if raw.known is not None:
        values[~raw.known] = read.missing
    return values


def _at_cells(read: LayerRead, grid: Grid, row: Ints, col: Ints) -> Array:
    """Return a layer's values at cells of any grid."""
    return GroupGather(grid, Pieces.single(row, col))(read)


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


def _tile_cells(tiles: tuple[Tile, ...], pieces: Pieces) -> list[_TileCells]:
    """Share the cells out to tiles; where two tiles overlap by a rounded cell the first one has it."""
    if pieces.lengths.n_cells == 0:
        return []
    box = (int(pieces.row.min()), int(pieces.row.max()), int(pieces.col.min()), int((pieces.col + pieces.lengths.length).max()) - 1)
    near = [number for number, tile in enumerate(tiles) if _meets(tile, *box)]
    if any(_cuts(tiles[number], pieces) for number in near):
        pieces = pieces.cells
    found = []
    free = np.ones(len(pieces.row), bool)
    for number in near:
        tile = tiles[number]
        row, col = pieces.row - tile.row0, pieces.col - tile.col0
        here = free & (row >= 0) & (row < tile.nrows) & (col >= 0) & (col < tile.ncols)
        if here.any():
            free &= ~here
            found.append(_by_unit(tile, number, row, col, pieces.lengths, None if here.all() else np.flatnonzero(here)))
    return found


def _meets(tile: Tile, top: int, bottom: int, left: int, right: int) -> bool:
    return top < tile.row0 + tile.nrows and bottom >= tile.row0 and left < tile.col0 + tile.ncols and right >= tile.col0


def _cuts(tile: Tile, pieces: Pieces) -> bool:
    """Tell whether the edge of the tile, or of one of its windows, cuts a piece."""
    if pieces.lengths.all_single:
        return False
    _, cols = reading_unit(tile)
    first, last = pieces.col - tile.col0, pieces.col + (pieces.lengths.length - 1) - tile.col0
    cut = _divided(first, cols)[0] != _divided(last, cols)[0]
    cut |= (first < tile.ncols) & (last >= tile.ncols)
    return bool(cut.any())


def _by_unit(tile: Tile, number: int, row: Ints, col: Ints, lengths: Lengths, chosen: npt.NDArray[np.intp] | None) -> _TileCells:
    """Find the window of each piece (or of the `chosen` ones), and put pieces of one window together."""
    rows, cols = reading_unit(tile)
    if chosen is not None:
        row, col = row[chosen], col[chosen]
    (unit_row, in_row), (unit_col, in_col) = _divided(row, rows), _divided(col, cols)
    across = -(-tile.ncols // cols)
    unit, start = unit_row * across + unit_col, in_row * cols + in_col
    order = _together(unit)
    if order is not None:
        chosen = order if chosen is None else chosen[order]
        unit, start = unit[order], start[order]
    cells = None
    if chosen is not None:
        first_cell, lengths = lengths.first_of(chosen), lengths.of(chosen)
        cells = lengths.steps(first_cell)
    first = stretches(unit)
    units = [(u // across, u % across) for u in unit[first].tolist()]
    return _TileCells(number, cells, units, [*lengths.first_of(first[1:]).tolist(), lengths.n_cells], lengths.steps(start))


def _together(unit: Ints) -> npt.NDArray[np.intp] | None:
    """Return the order in which equal units stand together, whole stretches at a time; None where they do already."""
    first = stretches(unit)
    if len(np.unique(unit[first])) == len(first):
        return None
    by_unit = np.argsort(unit[first], kind="stable")
    return Lengths(np.diff(np.r_[first, len(unit)])[by_unit]).steps(first[by_unit])


def _divided(position: Ints, size: int) -> tuple[Ints, Ints]:
    """Return position // size and position % size; sizes are powers of two nearly always."""
    if size & (size - 1) == 0:
        return position >> (size.bit_length() - 1), position & (size - 1)
    return position // size, position % size


def _read_tile(layer: RasterLayer, part: _TileCells, again: bool) -> Raw:
    """Read window by window: one that was just decoded is still in the processor's cache when its cells are taken."""
    tile = layer.tiles[part.tile]
    rows, cols = reading_unit(tile)
    reader, window = TileReader(layer, tile), _scratch(rows * cols, tile.dtype)
    square = window.reshape(rows, cols)
    values: Array = np.empty(len(part.index), tile.dtype)
    known: Bools | None = None
    start = 0
    for (unit_row, unit_col), end in zip(part.units, part.ends):
        valid = reader.read(unit_row, unit_col, square, again)
        index = part.index[start:end]
        window.take(index, out=values[start:end], mode="clip")  # indices are all inside; "clip" spares numpy a copy
        if valid is not None:
            known = np.ones(len(values), bool) if known is None else known
            known[start:end] = valid.reshape(-1).take(index)
        start = end
    return Raw(values, known)


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
    return lambda raw: np.asarray(found.take(raw.view(f"u{kind.itemsize}")))
