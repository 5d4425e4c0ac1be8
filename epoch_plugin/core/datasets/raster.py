"""What a raster is, before anything is read from it: grid, tiles, layer. Plain data that travels between threads and nodes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal


@dataclass(frozen=True)
class Grid:
    """A lattice of cells: cell (row, col) spans x0 + col*dx .. x0 + (col+1)*dx and y0 + row*dy .. y0 + (row+1)*dy.

    `dx` > 0; `dy` < 0 for the usual north-up raster, > 0 for a south-up one; rotation is not supported.
    """

    crs: str  # WKT2, or "EPSG:n"
    x0: float
    y0: float
    dx: float
    dy: float
    ncols: int
    nrows: int


@dataclass(frozen=True)
class VectorBurn:
    """A vector layer that is burnt by cell centre on a grid: 1 (or `value_field`) inside, `outside` elsewhere."""

    path: str
    layer: str = ""
    where: str = ""
    value_field: str = ""
    outside: float = 0.0  # what a cell in no feature gets; NaN where "in none" is no answer (measured values, classes)


@dataclass(frozen=True)
class Tile:
    """One file's band, placed on the layer's lattice; (row0, col0) is its upper left cell there."""

    path: str
    band: int  # 1-based
    row0: int
    col0: int
    nrows: int
    ncols: int
    block_rows: int
    block_cols: int
    dtype: str  # numpy name, little-endian in memory: "uint8", "int16", "float32", ...
    has_mask: bool = False  # a mask band or alpha band that is not derived from the nodata tag
    may_be_sparse: bool = False  # VRT or sparse file: blocks or parts of them may be empty, which means no data
    alpha_band: int = 0  # with `has_mask`: the band whose 0 masks; 0 = the band's own mask (GetMaskBand)
    burn: VectorBurn | None = None  # a vector source instead of a file's band


@dataclass(frozen=True)
class RasterLayer:
    """One band of one source: tiles on a common lattice, gaps between them are no data."""

    name: str  # for messages and provenance
    grid: Grid
    tiles: tuple[Tile, ...]
    nodata: float | None  # the rule that METHODS section 1 (3) ends with: entry's, else profile's, else the files' tag; None = none
    scale: float = 1.0
    offset: float = 0.0
    kind: Literal["raster", "vector"] = "raster"

    def __hash__(self) -> int:
        """Return the hash of what tells layers apart nearly always: layers are looked up for every group of blocks."""
        return hash((self.name, self.nodata))

    @cached_property
    def layout(self) -> tuple[Any, ...]:
        """Return what layers have in common whose cells lie in the same windows of files alike."""
        return (self.grid, *((t.row0, t.col0, t.nrows, t.ncols, t.block_rows, t.block_cols) for t in self.tiles))
