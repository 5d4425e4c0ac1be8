"""Reasons, the deciding area, commodities, protected areas, and every cell of the alert matrix of METHODS section 3."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from tests.core.deforestation_scene import LOSS_YEAR, PLOT, X0, Y0, D, N, Scene, block_ha, cells, codes, field, geodesic_ha, ha, near, verdict, why
from tests.core.raster_files import write_tif


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path).forest()


def test_below_min_area(scene):
    # 0.1 x 1 of a lost cell: 0.0077 ha, under 0.01, whatever the columns say
    scene.loss("glad", (20, 10, 21, 11, 22)).loss("b", (20, 10, 21, 11, 22)).yes("wdpa", (0, 0, N, N))
    row = scene.one(cells(10, 10, 20.1, 11))
    assert verdict(row) == ("medium", "non-critical") and row["noncompliance_area"] == 0
    assert why(row, "below_min_area") == {"deciding_ha": near(0.1 * ha(10)), "minimum_ha": 0.01}
    assert verdict(scene.one(cells(10, 10, 20.15, 11))) == ("medium", "critical")  # 0.0115 ha


def test_edge_only(scene):
    # columns up to 20.4: the centre of the lost cell, 20.5, is outside
    scene.loss("glad", (20, 10, 21, 12, 22)).loss("b", (20, 10, 21, 12, 22))
    plot = cells(10, 10, 20.4, 12)
    row = scene.one(plot)
    lost = 0.4 * block_ha(20, 10, 21, 12)
    assert verdict(row) == ("medium", "critical") and row["noncompliance_area"] == near(lost)
    assert why(row, "edge_only") == {"share": pytest.approx(lost / geodesic_ha(plot), rel=1e-6)}
    assert "edge_only" not in codes(scene.one(cells(10, 10, 20.6, 12)))


def test_edge_only_asks_for_the_deciding_area(scene):
    # the consensus lies at the edge, what one system alone sees lies inside: D is the consensus
    scene.loss("glad", (20, 10, 21, 12, 22), (12, 10, 13, 11, 22)).loss("b", (20, 10, 21, 12, 22))
    row = scene.one(cells(10, 10, 20.4, 12))
    assert row["deforestation_confidence"] == "medium" and "edge_only" in codes(row)


def test_long_edges(tmp_path):
    # 2 degrees along a parallel at 50 north: the straight line in degrees and the geodesic enclose different areas
    scene = Scene(tmp_path)
    for role, value, keys in (("forest_2020", 1, {"year": 2020}), ("glad", 0, {"years": [2001, 2025]})):
        write_tif(tmp_path / f"{role}.tif", np.full((400, 400), value, "uint8"), 20.0, 52.0, 0.01)
        encoding = {"kind": "mask", "values": [1]} if role == "forest_2020" else LOSS_YEAR
        scene.entries.append({"role": role, "source": f"{role}.tif", "encoding": encoding, **keys})
    long, short = scene.check(Polygon([(20.5, 50), (22.5, 50), (22.5, 50.2)]), box(20.5, 50, 20.501, 50.001))
    assert abs(why(long, "long_edges")["ratio"] - 1) > 1e-4
    assert "long_edges" not in codes(short)


def test_commodity_of_2024_never_excuses_a_clearing_of_2021(scene):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21)).yes("cocoa", (10, 10, 20, 20), year=2024)
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "critical") and row["noncompliance_area"] == near(block_ha(10, 10, 14, 14))
    assert "commodity_undated:cocoa" in codes(row)
    assert row["overlap"]["cocoa"] == near(block_ha(10, 10, 20, 20))
    assert scene.one(PLOT, end="2023-12-31")["overlap"]["cocoa"] is None  # newer than the window


def test_commodity_of_2020_is_rotation(scene):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21)).yes("cocoa", (10, 10, 20, 20), year=2020)
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "non-critical") and row["noncompliance_area"] == 0
    assert "commodity_undated:cocoa" not in codes(row)


def test_commodity_without_a_year(scene):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21)).yes("cocoa", (10, 10, 20, 20), year=None)
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "critical") and "commodity_undated:cocoa" in codes(row)


def test_older_layer_beside_a_newer_one(scene):
    # cocoa of 2020 under the clearing excuses; the overlap is that of the newest not later than the window's end
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21))
    for year, block in ((2020, (10, 10, 14, 14, 1)), (2023, (10, 10, 16, 16, 1)), (2026, (10, 10, 18, 18, 1))):
        write_tif(scene.folder / f"cocoa_{year}.tif", field(0, block), X0, Y0, D)
    sources = {str(year): f"cocoa_{year}.tif" for year in (2020, 2023, 2026)}
    scene.entries.append({"role": "cocoa", "sources": sources, "encoding": {"kind": "mask", "values": [1]}})
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "non-critical") and row["overlap"]["cocoa"] == near(block_ha(10, 10, 16, 16))
    assert "commodity_undated:cocoa" not in codes(row)


@pytest.mark.parametrize(
    ("crops", "alert"),
    [
        ({"cocoa": (10, 10, 12, 14)}, "critical"),  # half of D is not more than half
        ({"cocoa": (10, 10, 13, 14)}, "non-critical"),
        ({"cocoa": (10, 10, 12, 14), "palm": (12, 10, 13, 14)}, "non-critical"),  # together, in their union
        ({"cocoa": (10, 10, 12, 14), "palm": (10, 10, 12, 14)}, "critical"),  # the same cells count once
        ({"soy": (10, 10, 14, 14), "cattle": (10, 10, 14, 14)}, "critical"),  # never excuse
        ({"rubber": (10, 10, 14, 14)}, "non-critical"),
        ({"coffee": (10, 10, 14, 14)}, "non-critical"),
        ({"timber": (10, 10, 14, 14)}, "non-critical"),
    ],
)
def test_rotation(scene, crops, alert):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21))
    for role, block in crops.items():
        scene.yes(role, block)
    row = scene.one(PLOT)
    assert row["deforestation_alert"] == alert
    for role, block in crops.items():
        assert row["overlap"][role] == near(block_ha(*block))


def test_rotation_is_a_share_of_the_deciding_area(scene):
    # D = C = columns 10-11; glad alone sees 12-15 too, all of it in cocoa: that does not make the consensus rotation
    scene.loss("glad", (10, 10, 16, 14, 22)).loss("b", (10, 10, 12, 14, 22)).yes("cocoa", (12, 10, 16, 14))
    assert verdict(scene.one(PLOT)) == ("medium", "critical")


@pytest.mark.parametrize("role", ["wdpa", "natural_forest"])
@pytest.mark.parametrize(("columns", "alert"), [(0.1, "non-critical"), (0.2, "critical")])
def test_protected_area_beats_rotation(tmp_path, role, columns, alert):
    # the lost column 20 reaches `columns` into the plot and is protected, 10-13 are rotation: 0.0077 or 0.0153 ha of D are protected
    scene = Scene(tmp_path).forest().loss("glad", (10, 10, 14, 11, 22), (20, 10, 21, 11, 22)).loss("b", (10, 10, 14, 11, 22), (20, 10, 21, 11, 22))
    scene.yes("cocoa", (0, 0, N, N)).yes(role, (20, 10, 21, 11))
    row = scene.one(cells(10, 10, 20 + columns, 11))
    assert row["deforestation_alert"] == alert
    assert row["noncompliance_area"] == near((4 + columns) * ha(10) if alert == "critical" else 0)
    assert row["overlap"][role] == near(columns * ha(10))


@pytest.mark.parametrize("role", ["wdpa_mandate", "jrc_forest", "tmf_forest", "cattle"])
def test_layers_that_do_not_decide(scene, role):
    scene.loss("glad", (10, 10, 14, 14, 22)).loss("b", (10, 10, 14, 14, 22)).yes("cocoa", (0, 0, N, N)).yes(role, (0, 0, N, N))
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "non-critical") and row["overlap"][role] == near(block_ha(10, 10, 20, 20))


# every cell of the alert matrix

CELL = ha(12)  # 0.0765 ha; seven cells are 0.536 ha, six 0.459 ha
# block of D, and the plot around it: 6 cells in 100 (below both limits), 7 cells in 100 (above 0.5 ha), 6 cells in 11 (above half of the plot)
SMALL, LARGE, SHARE = ((10, 12, 16, 13), PLOT), ((10, 12, 17, 13), PLOT), ((10, 12, 16, 13), cells(10, 12, 21, 13))
MATRIX = [
    # confidence, column that applies, D, alert
    ("high", "protected", SMALL, "critical"),
    ("high", "rotation", SMALL, "non-critical"),
    ("high", "otherwise", SMALL, "critical"),
    ("high", "protected and rotation", SMALL, "critical"),
    ("medium", "protected", SMALL, "critical"),
    ("medium", "rotation", LARGE, "non-critical"),
    ("medium", "otherwise", SMALL, "critical"),
    ("medium", "protected and rotation", LARGE, "critical"),
    ("low", "protected", SMALL, "critical"),
    ("low", "rotation", SMALL, "non-critical"),
    ("low", "rotation", LARGE, "non-critical"),
    ("low", "rotation", SHARE, "non-critical"),
    ("low", "protected and rotation", SMALL, "critical"),
    ("low", "otherwise", SMALL, "non-critical"),
    ("low", "otherwise", LARGE, "critical"),
    ("low", "otherwise", SHARE, "critical"),
]


@pytest.mark.parametrize(("confidence", "column", "size", "alert"), MATRIX)
def test_alert_matrix(scene, confidence, column, size, alert):
    (c0, r0, c1, r1), plot = size
    flagging = {"high": ("glad", "b", "c"), "medium": ("glad", "b"), "low": ("glad",)}[confidence]
    for role in ("glad", "b", "c"):
        scene.loss(role, *(((c0, r0, c1, r1, 23),) if role in flagging else ()))
    scene.yes("natural_forest").yes("wdpa", *(((c0, r0, c1, r1),) if "protected" in column else ()))
    scene.yes("coffee", *(((c0, r0, c1, r1),) if "rotation" in column else ()))
    row = scene.one(plot)
    area = (c1 - c0) * CELL
    assert verdict(row) == (confidence, alert)
    assert row["noncompliance_area"] == near(area if alert == "critical" else 0)
    assert row["noncompliance_area_perc"] == near(area / geodesic_ha(plot) if alert == "critical" else 0)
    assert row["detected_area"] == near(area) and row["valid_fraction"] == pytest.approx(1, abs=1e-9)
    assert codes(row) == set()


@pytest.mark.parametrize(
    ("setting", "alert"),
    [
        ({"low_critical_ha": 0.53}, "critical"),
        ({"low_critical_ha": 0.54}, "non-critical"),
        ({"low_critical_ha": 0.54, "low_critical_share": 0.069}, "critical"),
        ({"low_critical_ha": 0.54, "low_critical_share": 0.071}, "non-critical"),
    ],
)
def test_limits_of_low_confidence(scene, setting, alert):
    # 7 cells: 0.5356 ha, 7 % of the plot
    scene.loss("glad", (10, 12, 17, 13, 23)).loss("b")
    assert verdict(scene.one(PLOT, **setting)) == ("low", alert)


def test_column_order_of_three_kinds_of_cells(scene):
    # low confidence, D = U = 12 cells: 1 protected (0.0765 ha) is enough, although 11 of 12 are rotation
    scene.loss("glad", (10, 10, 16, 12, 22)).loss("b").yes("wdpa", (10, 10, 11, 11)).yes("palm", (11, 10, 16, 12), (10, 11, 11, 12))
    assert verdict(scene.one(PLOT)) == ("low", "critical")
