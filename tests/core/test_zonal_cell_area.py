"""Areas of cells on the ellipsoid against pyproj's geodesic areas of the same cells with densified edges."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod, Transformer

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.cell_area import CellArea, ground_cell_size

GEOD = Geod(ellps="WGS84")
SINUSOIDAL = "+proj=sinu +lon_0=0 +R=6371007.181 +units=m +type=crs"


def geodesic_area(grid, row, col, parts=400):
    """Area (m2) of one cell whose edges are straight in the grid's CRS."""
    t = np.linspace(0, 1, parts, endpoint=False)
    u = np.r_[t, np.ones(parts), 1 - t, np.zeros(parts)] + col
    v = np.r_[np.zeros(parts), t, np.ones(parts), 1 - t] + row
    x, y = grid.x0 + u * grid.dx, grid.y0 + v * grid.dy
    lon, lat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
    return abs(GEOD.polygon_area_perimeter(lon, lat)[0])


def of(grid, row, col):
    return float(CellArea(grid)(np.array([row]), np.array([col]))[0])


@pytest.mark.parametrize("latitude", [0.0, 0.01, 18.5, -35.0, 60.0, -83.0])
@pytest.mark.parametrize("size", [1 / 12000, 0.00025, 0.01, 0.5])
@pytest.mark.parametrize("up", [1, -1])
def test_degrees(latitude, size, up):
    grid = Grid("EPSG:4326", -71.0, latitude - up * 3 * size, size, up * size, 10, 10)
    # geodesic areas of small polygons carry rounding of about 0.1 mm of position
    assert of(grid, 3, 4) == pytest.approx(geodesic_area(grid, 3, 4, 4000 if size > 0.1 else 400), rel=2e-8 if size < 0.001 else 1e-9)


def test_whole_earth_adds_up():
    grid = Grid("EPSG:4326", -180.0, 90.0, 1.0, -1.0, 360, 180)
    rows, cols = np.divmod(np.arange(360 * 180), 360)
    # area of the WGS84 ellipsoid, as published: 510 065 621.7 km2
    assert CellArea(grid)(rows, cols).sum() == pytest.approx(510_065_621.724e6, rel=1e-9)


def test_cells_beyond_the_poles_have_no_area():
    grid = Grid("EPSG:4326", -180.0, 91.0, 1.0, -1.0, 360, 182)
    assert of(grid, 0, 5) == 0.0
    assert of(grid, 1, 5) == pytest.approx(geodesic_area(Grid("EPSG:4326", -180.0, 90.0, 1.0, -1.0, 360, 180), 0, 5), rel=1e-6)


@pytest.mark.parametrize(
    "grid",
    [
        Grid("EPSG:3395", -6885690.0, 1857300.0, 30.0, -30.0, 3340, 2958),  # Guadeloupe
        Grid("EPSG:5490", 622669.0, 1832765.0, 30.0, -30.0, 3186, 2934),
        Grid("EPSG:3395", -6885690.0, 1857300.0, 1000.0, -1000.0, 400, 400),  # coarse: the area changes by 2 % over 64 cells
        Grid("EPSG:3395", 0.0, 8_000_000.0, 1000.0, -1000.0, 400, 400),
        Grid("EPSG:3857", -6885690.0, 1857300.0, 10.0, -10.0, 900, 900),
        Grid("EPSG:32630", 166_000.0, 800_000.0, 10.0, 10.0, 5000, 5000),
        Grid("EPSG:32630", 166_000.0, 800_000.0, 5000.0, -5000.0, 130, 160),
        Grid(SINUSOIDAL, -7_783_653.6, 2_223_901.0, 463.312716528, -463.312716528, 2400, 2400),
        Grid("EPSG:6933", -6_000_000.0, 2_000_000.0, 9000.0, -9000.0, 300, 300),
        Grid("EPSG:2163", 0.0, 0.0, 1000.0, -1000.0, 700, 700),
    ],
    ids=lambda grid: f"{grid.crs[:20]} {grid.dx:.0f} m",
)  # fmt: skip
def test_projected(grid):
    rng = np.random.default_rng(3)
    rows, cols = rng.integers(0, grid.nrows, 12), rng.integers(0, grid.ncols, 12)
    together = CellArea(grid)(rows, cols)
    for row, col, area in zip(rows, cols, together):
        # many vertices on a short edge only add up the rounding of each
        assert area == pytest.approx(geodesic_area(grid, row, col, 20 if grid.dx < 100 else 400), rel=2e-8, abs=2e-5)
        assert of(grid, row, col) == area  # whatever else is asked for with it


def test_ground_size_of_a_cell():
    # 0.00025 degrees at the equator: 27.83 m by 27.64 m (meridian: 110 574 m a degree)
    grid = Grid("EPSG:4326", 0.0, 1.0, 0.00025, -0.00025, 8000, 8000)
    assert ground_cell_size(grid, 1.0, 0.0) == pytest.approx(np.sqrt(27.8299 * 27.6436), rel=1e-4)
    assert ground_cell_size(grid, 50.0, 0.0) == pytest.approx(ground_cell_size(grid, 1.0, 0.0))  # outside: the nearest cell
    # Mercator at 60 degrees north: cells are half as long on the ground
    mercator = Grid("EPSG:3395", 0.0, 8_362_700.0, 100.0, -100.0, 100, 100)
    assert ground_cell_size(mercator, 0.0, 60.0) == pytest.approx(50.1, rel=2e-3)


def test_cells_far_apart_need_no_areas_of_the_land_between_them():
    grid = Grid("EPSG:6933", -17367530.45, 7314540.83, 1000.9, -1000.9, 34704, 14616)
    rows, cols = np.array([5000, 5001, 7000, 7001, 9000]), np.array([17000, 21000, 19000, 17003, 17000])
    far = CellArea(grid)
    found = far(rows, cols)
    assert sum(nodes.size for nodes in far._nodes.values()) < 200_000
    assert found.tolist() == [float(CellArea(grid)(rows[i : i + 1], cols[i : i + 1])[0]) for i in range(len(rows))]
