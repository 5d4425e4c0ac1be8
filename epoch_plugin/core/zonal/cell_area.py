"""True areas of a grid's cells on the WGS84 ellipsoid."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.pieces import Pieces
from epoch_plugin.core.zonal.rings import Floats, Ints, metres_per_unit
from epoch_plugin.core.zonal.weights import CellWeights, quantum_of

WGS84_A = 6_378_137.0
WGS84_F = 1 / 298.257223563
NODE_M = 1000.0  # distance of the nodes between which the areas of a projected grid are interpolated: their curvature is 1e-8 over it
MOST_CELLS_PER_NODE = 64
MOST_NODES = 1 << 16  # between cells that are worked out together


def area_below(latitude_deg: Floats) -> Floats:
    """Return the ellipsoid's area (m2) between the equator and a latitude, per radian of longitude.

    Closed form of the meridional integral, the same as behind the authalic latitude (Snyder 1987, eq. 3-12).
    """
    b = WGS84_A * (1 - WGS84_F)
    e = np.sqrt(WGS84_F * (2 - WGS84_F))
    s = np.sin(np.radians(latitude_deg))
    return np.asarray(b * b / 2 * (s / (1 - (e * s) ** 2) + np.log((1 + e * s) / (1 - e * s)) / (2 * e)))


@lru_cache(maxsize=64)
def is_geographic(crs: str) -> bool:
    """Tell whether a CRS has degrees of longitude and latitude as its axes."""
    from pyproj import CRS

    return bool(CRS.from_user_input(crs).is_geographic)


class CellArea:
    """Areas (m2) of cells given by row and column; exact per row in degrees, interpolated to 1e-8 in a projection."""

    def __init__(self, grid: Grid) -> None:
        """Prepare for `grid`; nothing is computed for cells that are not asked for."""
        self._grid = grid
        self._step = 1 if is_geographic(grid.crs) else _cells_per_node(grid)
        self._nodes: dict[tuple[int, int, int, int], Floats] = {}

    def __call__(self, rows: Ints, cols: Ints) -> Floats:
        """Return the area of each cell (row, col), m2."""
        if len(rows) == 0:
            return np.zeros(0)
        if is_geographic(self._grid.crs):
            return self._by_row(rows)
        return self._interpolated(rows, cols)

    def weights(self, pieces: Pieces, fraction: Floats) -> CellWeights:
        """Return what is covered of every cell of pieces that are covered to these fractions."""
        of_cell, quantum = pieces.lengths.piece, quantum_of(_nominal_m2(self._grid))
        if len(of_cell) and is_geographic(self._grid.crs):
            areas = self._by_row(pieces.row) * fraction
            return CellWeights(np.rint(areas / quantum).astype(np.int64)[of_cell], quantum)
        cells = pieces.cells
        areas = self(cells.row, cells.col) * fraction[of_cell]
        return CellWeights(np.rint(areas / quantum).astype(np.int64), quantum)

    def _by_row(self, rows: Ints) -> Floats:
        low, high = int(rows.min()), int(rows.max())
        edges = np.clip(self._grid.y0 + self._grid.dy * np.arange(low, high + 2), -90.0, 90.0)
        areas = np.abs(np.diff(area_below(edges))) * np.radians(self._grid.dx)
        return np.asarray(areas[rows - low])

    def _interpolated(self, rows: Ints, cols: Ints) -> Floats:
        step = self._step
        r0, r1 = int(rows.min()) // step, int(rows.max()) // step + 1
        c0, c1 = int(cols.min()) // step, int(cols.max()) // step + 1
        if (r1 - r0) * (c1 - c0) > MOST_NODES:  # plots far apart: the land between them needs no nodes
            along = rows if r1 - r0 > c1 - c0 else cols
            first = along < (int(along.min()) + int(along.max()) + 1) // 2
            areas = np.empty(len(rows))
            for half in (first, ~first):
                areas[half] = self._interpolated(rows[half], cols[half])
            return areas
        nodes = self._node_areas(r0, r1, c0, c1)
        r, c = rows / step - r0, cols / step - c0
        i, j = r.astype(np.int64), c.astype(np.int64)
        fr, fc = r - i, c - j
        top = nodes[i, j] * (1 - fc) + nodes[i, j + 1] * fc
        bottom = nodes[i + 1, j] * (1 - fc) + nodes[i + 1, j + 1] * fc
        return np.asarray(top * (1 - fr) + bottom * fr)

    def _node_areas(self, r0: int, r1: int, c0: int, c1: int) -> Floats:
        """Areas of the cells at the nodes: their corners in an equal-area projection, by the shoelace formula."""
        key = (r0, r1, c0, c1)
        if key not in self._nodes:
            grid = self._grid
            rows, cols = np.meshgrid(np.arange(r0, r1 + 1) * self._step, np.arange(c0, c1 + 1) * self._step, indexing="ij")
            to_equal_area = _equal_area(grid.crs).transform
            x0, y0 = to_equal_area(grid.x0 + cols * grid.dx, grid.y0 + rows * grid.dy)
            # relative to the first corner: the products would cancel far from the origin
            corners = [
                tuple(a - b for a, b in zip(to_equal_area(grid.x0 + (cols + dc) * grid.dx, grid.y0 + (rows + dr) * grid.dy), (x0, y0)))
                for dc, dr in ((1, 0), (1, 1), (0, 1))
            ]
            twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners[:-1], corners[1:]))
            self._nodes[key] = np.asarray(np.abs(twice) / 2)
        return self._nodes[key]


def _cells_per_node(grid: Grid) -> int:
    """Return the distance of the nodes in cells: a property of the grid alone, so that areas do not depend on what is asked for."""
    side = max(grid.dx, abs(grid.dy)) * metres_per_unit(grid.crs)
    return int(min(max(NODE_M // side, 1), MOST_CELLS_PER_NODE))


def _nominal_m2(grid: Grid) -> float:
    """Return what the cells' area would be if the projection were true everywhere; at the equator for degrees."""
    return grid.dx * abs(grid.dy) * metres_per_unit(grid.crs) ** 2


@lru_cache(maxsize=64)
def _equal_area(crs: str) -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(crs, "+proj=cea +datum=WGS84 +units=m +type=crs", always_xy=True)


def ground_cell_size(grid: Grid, longitude: float, latitude: float) -> float:
    """Return the side (m) of a square as large as the grid's cell at a place; of the nearest cell where the place lies outside."""
    x, y = longitude, latitude
    if not is_geographic(grid.crs):
        from pyproj import Transformer

        x, y = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True).transform(longitude, latitude)
    row, col = (y - grid.y0) / grid.dy, (x - grid.x0) / grid.dx
    row, col = (value if np.isfinite(value) else 0.0 for value in (row, col))
    cell = np.array([int(min(max(row, 0), grid.nrows - 1))]), np.array([int(min(max(col, 0), grid.ncols - 1))])
    return float(np.sqrt(CellArea(grid)(*cell)[0]))
