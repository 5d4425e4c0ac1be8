"""Plots of every shape: smaller than a cell, across tiles, with holes, at the antimeridian, points; expectations are worked out beside each test."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, Point, Polygon, box

from tests.core.deforestation_scene import LOSS_YEAR, PLOT, X0, Y0, D, N, Scene, block_ha, cells, codes, field, geodesic_ha, ha, near, verdict, why
from tests.core.raster_files import write_tif


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path).forest()


def test_plot_smaller_than_a_cell(scene):
    scene.loss("glad", (10, 10, 11, 11, 22)).loss("b", (10, 10, 11, 11, 22))
    plot = cells(10.2, 10.3, 10.9, 10.8)  # 0.7 x 0.5 of a lost cell
    row = scene.one(plot)
    assert row["detected_area"] == near(0.35 * ha(10)) and row["noncompliance_area_perc"] == pytest.approx(1, abs=1e-6)
    assert verdict(row) == ("medium", "critical") and row["valid_fraction"] == pytest.approx(1, abs=1e-9)


def test_plot_across_tile_edges(tmp_path):
    # tiles of 16 x 16 in the file, and two files side by side: the plot lies on all of them
    scene = Scene(tmp_path).forest(tile=16)
    for number, part in enumerate((field(0, (15, 15, 17, 17, 22))[:, :16], field(0, (15, 15, 17, 17, 22))[:, 16:])):
        write_tif(tmp_path / f"glad_{number}.tif", part, X0 + 16 * number * D, Y0, D, nodata=255)
    scene.entries.append({"role": "glad", "source": "glad_*.tif", "encoding": LOSS_YEAR, "years": [2001, 2025]})
    row = scene.one(cells(12.5, 12.5, 20.5, 20.5))
    assert row["detected_area"] == near(block_ha(15, 15, 17, 17))
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9)


def test_horizontal_edges_inside_cells(scene):
    # rows 10.3 to 12.8: row 10 counts 0.7, row 12 counts 0.8; the interior of those rows is crossed by no other edge
    scene.loss("glad", (0, 0, N, N, 22))
    row = scene.one(cells(5.5, 10.3, 25.25, 12.8))
    assert row["detected_area"] == near(19.75 * (0.7 * ha(10) + ha(11) + 0.8 * ha(12)))
    assert row["forest_area"] == near(row["detected_area"])


def test_hole(scene):
    # the loss lies in the hole but for its left half column: 0.5 x 4 cells
    scene.loss("glad", (14, 14, 18, 18, 22)).loss("b", (14, 14, 18, 18, 22))
    row = scene.one(Polygon(PLOT.exterior.coords, [cells(14.5, 13, 19, 19).exterior.coords]))
    assert row["detected_area"] == near(0.5 * block_ha(14, 14, 15, 18))
    assert row["forest_area"] == near(block_ha(10, 10, 20, 20) - 4.5 * block_ha(0, 13, 1, 19))


def test_antimeridian(tmp_path):
    # a mosaic on both sides of 180: lost on the eastern half (west longitudes) only
    scene = Scene(tmp_path)
    for side, x0 in (("e", 180 - 10 * D), ("w", -180.0)):
        write_tif(tmp_path / f"forest_{side}.tif", np.ones((10, 10), "uint8"), x0, Y0, D)
        write_tif(tmp_path / f"glad_{side}.tif", np.full((10, 10), 22 if side == "w" else 0, "uint8"), x0, Y0, D)
    scene.entries += [
        {"role": "forest_2020", "source": "forest_*.tif", "encoding": {"kind": "mask", "values": [1], "none": [0]}, "year": 2020},
        {"role": "glad", "source": "glad_*.tif", "encoding": LOSS_YEAR, "years": [2001, 2025]},
    ]
    plot = MultiPolygon([box(180 - 5 * D, Y0 - 8 * D, 180, Y0 - 2 * D), box(-180, Y0 - 8 * D, -180 + 5 * D, Y0 - 2 * D)])
    row = scene.one(plot)
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9)
    assert row["detected_area"] == near(block_ha(0, 2, 5, 8)) and row["forest_area"] == near(2 * row["detected_area"])


@pytest.mark.parametrize("flags", [(), ("area_assumed",)])
def test_point_with_and_without_an_area(scene, flags):
    # staging makes the circle and says whether its area was declared; the check hands the assumption on
    plot = Point(X0 + 15 * D, Y0 - 15 * D).buffer(4 * D, 16)
    row = scene.loss("glad").one(plot, flags=flags)
    assert ("area_assumed" in codes(row)) == bool(flags)
    if flags:
        assert why(row, "area_assumed") == {"area_ha": pytest.approx(geodesic_ha(plot))}
