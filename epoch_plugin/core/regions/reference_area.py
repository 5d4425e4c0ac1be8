"""The area that a collection is compared with: a region without the collection's plots, whole or as a systematic sample of squares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.regions.region import area_ha, polygons

Bounds = tuple[float, float, float, float]
PlotsIn = Callable[[Bounds], Iterable[bytes]]  # the collection's plots (WKB) whose boxes meet a box of degrees

EXACT_CELLS = 2_000_000  # cells of the finest grid up to which a region is taken whole
SQUARE_CELLS = 64  # side of a sample square, in cells of the finest grid
SQUARES = 150  # of a sample: some 0.6 million cells, in blocks all over the region
TILE = 0.1  # degrees: a whole region is cut apart so that plots are taken out of small pieces
_M_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class ReferenceArea:
    """Pieces (WKB MULTIPOLYGON, EPSG:4326) without plots. Sampled: one per sample square; else one, which is everything.

    `fraction` is the share of the searched area in the squares (before plots were taken out), 1 where nothing was left out;
    `searched` the share of the region that was searched, the rest lying beyond the commodity's layer.
    """

    pieces: tuple[bytes, ...]
    sampled: bool
    fraction: float = 1.0
    searched: float = 1.0


def reference_area(region: Any, extent: Bounds, plots_in: PlotsIn, cell_m2: float) -> ReferenceArea:
    """Return a region (shapely, degrees) within `extent` and without the plots; above EXACT_CELLS cells of `cell_m2` a systematic sample.

    Sample squares stand on a lattice of fixed origin, so the same region has the same sample, at distances that make them
    about SQUARES.
    """
    from shapely.geometry import MultiPolygon, box

    region_ha, region = area_ha(region), region.intersection(box(*extent))
    whole_ha = area_ha(region)
    if whole_ha <= 0:
        return ReferenceArea((), False, searched=0.0)
    searched = whole_ha / region_ha
    cells = whole_ha * 10_000.0 / cell_m2
    if cells <= EXACT_CELLS:
        lattice = _Lattice(TILE, TILE, 1.0)
        found = [part for tile in lattice.cut(region) for part in polygons(_without_plots(tile, plots_in))]
        return ReferenceArea((MultiPolygon(found).wkb,) if found else (), False, searched=searched)
    side = SQUARE_CELLS * math.sqrt(cell_m2) / _M_PER_DEGREE
    shrink = max(0.05, math.cos(math.radians((region.bounds[1] + region.bounds[3]) / 2)))
    squares, inside_ha = [], 0.0
    for square in _Lattice(side / shrink, side, max(math.sqrt(cells / (SQUARES * SQUARE_CELLS**2)), 1.0)).cut(region):
        inside_ha += area_ha(square)
        left = polygons(_without_plots(square, plots_in))
        if left:
            squares.append(MultiPolygon(left).wkb)
    return ReferenceArea(tuple(squares), True, inside_ha / whole_ha, searched)


def _without_plots(piece: Any, plots_in: PlotsIn) -> Any:
    import shapely.wkb
    from shapely.ops import unary_union

    plots = [shapely.wkb.loads(wkb) for wkb in plots_in(piece.bounds)]
    if not plots:
        return piece
    return piece.difference(unary_union([plot if plot.is_valid else plot.buffer(0) for plot in plots]))


@dataclass(frozen=True)
class _Lattice:
    """Rectangles of `width` x `height` degrees from (0, 0), at `stride` times their size from each other."""

    width: float
    height: float
    stride: float

    def cut(self, region: Any) -> Iterator[Any]:
        """Yield what of the region lies in each rectangle, by row and column within halves."""
        west, south, east, north = region.bounds
        across, up = self.width * self.stride, self.height * self.stride
        yield from self._cut(region, math.floor(west / across), math.floor(east / across), math.floor(south / up), math.floor(north / up))

    def _cut(self, shape: Any, left: int, right: int, low: int, high: int) -> Iterator[Any]:
        """Halve the range of rectangles and the shape with it, so that a long border is cut in few steps."""
        from shapely.geometry import box

        part = shape.intersection(box(*self._corner(left, low), *self._end(right, high)))
        if not part.area > 0:
            return
        if left == right and low == high:
            yield part
        elif right - left >= high - low:
            middle = (left + right) // 2
            yield from self._cut(part, left, middle, low, high)
            yield from self._cut(part, middle + 1, right, low, high)
        else:
            middle = (low + high) // 2
            yield from self._cut(part, left, right, low, middle)
            yield from self._cut(part, left, right, middle + 1, high)

    def _corner(self, column: int, row: int) -> tuple[float, float]:
        return column * self.width * self.stride, row * self.height * self.stride

    def _end(self, column: int, row: int) -> tuple[float, float]:
        west, south = self._corner(column, row)
        return west + self.width, south + self.height
