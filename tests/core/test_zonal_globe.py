"""Around the globe: plots across the antimeridian, grids from 0 to 360 and from -180; the expectations are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, Polygon, box

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.cell_area import CellArea
from tests.core.raster_files import write_tif, write_vector
from tests.core.test_zonal_sources import same
from tests.core.zonal_kernels import ClassKernel, areas_by_class, class_areas, open_classes, run, task_of


def test_plot_across_the_antimeridian(tmp_path):
    # split at 180 as staging does; the raster goes around the globe in 3600 columns of 0.1 degrees
    values = np.zeros((40, 3600), "uint8")
    values[:, -1], values[:, 0] = 4, 6
    write_tif(tmp_path / "a.tif", values, -180.0, -16.0, 0.1, tile=256)
    plot = MultiPolygon([box(179.95, -16.8, 180, -16.5), box(-180, -16.8, -179.98, -16.5)])
    (found,) = areas_by_class(tmp_path, [plot], source="a.tif", nodata=None)
    areas = [float(CellArea(Grid("EPSG:4326", -180.0, -16.0, 0.1, -0.1, 9, 40))(np.array([r]), np.array([0]))[0]) for r in (5, 6, 7)]
    same(found, {4: 0.5 * sum(areas), 6: 0.2 * sum(areas)})


@pytest.fixture
def turned(tmp_path):
    """A raster from 0 to 360 degrees: each column of one degree holds its number modulo 200."""
    write_tif(tmp_path / "turned.tif", np.tile(np.arange(360) % 200, (20, 1)).astype("uint8"), 0.0, 10.0, 1.0, tile=256)
    return "turned.tif"


DEGREE = float(CellArea(Grid("EPSG:4326", 0.0, 10.0, 1.0, -1.0, 360, 20))(np.array([3]), np.array([0]))[0])  # row 3: latitudes 6 to 7


@pytest.mark.parametrize(
    ("plot", "wanted"),
    [
        (box(20, 6, 20.5, 7), {20: 0.5}),
        (box(-70.5, 6, -70, 7), {289 - 200: 0.5}),
        (box(-1.25, 6, -1, 7), {358 - 200: 0.25}),
        (box(-0.25, 6, 0.5, 7), {359 - 200: 0.25, 0: 0.5}),
        (MultiPolygon([box(179.5, 6, 180, 7), box(-180, 6, -179.75, 7)]), {179: 0.5, 180: 0.25}),
        (Polygon(box(-71, 6, -70, 7).exterior.coords, [box(-70.75, 6, -70.25, 7).buffer(0).exterior.coords]), {289 - 200: 0.5}),
    ],
    ids=["east", "west", "just west", "across Greenwich", "across the antimeridian", "with a hole"],
)  # fmt: skip
def test_grid_from_0_to_360(tmp_path, turned, plot, wanted):
    (found,) = areas_by_class(tmp_path, [plot], source=turned, nodata=None)
    same(found, {value: share * DEGREE for value, share in wanted.items()})


def test_layer_from_0_to_360_under_another_grid(tmp_path, turned):
    write_tif(tmp_path / "a.tif", np.zeros((40, 720), "uint8"), -180.0, 10.0, 0.5, tile=256)
    grid, _ = open_classes(tmp_path, name="a", source="a.tif", nodata=None)
    _, read = open_classes(tmp_path, source=turned, nodata=None)
    found = class_areas(run(task_of(grid, ClassKernel(read)), [box(-70.5, 6, -70, 7), box(20, 6, 20.5, 7)]), 2)
    same(found[0], {89: 0.5 * DEGREE}, rel=1e-6)
    same(found[1], {20: 0.5 * DEGREE}, rel=1e-6)


def test_layer_from_minus_180_under_a_grid_from_0_to_360(tmp_path, turned):
    write_tif(tmp_path / "a.tif", np.tile(np.arange(720) % 200, (40, 1)).astype("uint8"), -180.0, 10.0, 0.5, tile=256)
    grid, _ = open_classes(tmp_path, name="turned", source=turned, nodata=None)
    _, read = open_classes(tmp_path, source="a.tif", nodata=None)
    found = class_areas(run(task_of(grid, ClassKernel(read)), [box(-71, 6, -70, 7), box(20, 6, 21, 7)]), 2)
    # the centre -70.5 is the left edge of column 219 of the half degrees; 20.5 of column 401
    same(found[0], {219 - 200: DEGREE}, rel=1e-9)
    same(found[1], {401 - 400: DEGREE}, rel=1e-9)


def test_vector_on_a_grid_from_0_to_360(tmp_path, turned):
    grid, _ = open_classes(tmp_path, name="turned", source=turned, nodata=None)
    write_vector(tmp_path / "v.gpkg", [(box(-72, 5, -69, 8), {"kind": 1}), (box(178, 5, 180, 8), {"kind": 1}), (box(-180, 5, -179, 8), {"kind": 1})])
    _, read = open_classes(tmp_path, grid.grid, name="v", source="v.gpkg", encoding={"kind": "mask", "values": [1], "none": [0]})
    plots = [box(-71, 6, -70, 7), box(-60, 6, -59, 7), box(179, 6, 180, 7), box(-180, 6, -179, 7)]
    found = class_areas(run(task_of(grid, ClassKernel(read)), plots), 4)
    assert [list(areas) for areas in found] == [[2], [1], [2], [2]]
