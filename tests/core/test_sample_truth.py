"""The synthetic sample's truth holds together, by means that its generator did not use; the engine is held against it elsewhere."""

from __future__ import annotations

import filecmp
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy")
gdal = pytest.importorskip("osgeo.gdal")
pyproj = pytest.importorskip("pyproj")
shapely_geometry = pytest.importorskip("shapely.geometry")

from scripts.make_sample import RUNS, make_sample  # noqa: E402
from scripts.sample.expect import disagreements  # noqa: E402
from scripts.sample.grids import ANALYSIS, TMF  # noqa: E402
from scripts.sample.ground import cell_shares, rectangle_ha, ring_ha  # noqa: E402
from scripts.sample.plan import Plan, make_plan, plots_with_ids  # noqa: E402
from scripts.sample.planted import all_cases  # noqa: E402

SAMPLE = Path(__file__).resolve().parents[2] / "epoch_plugin" / "resources" / "sample"
GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan()


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["plots"]


def _geodesic_ha(lons: list[float], lats: list[float]) -> float:
    return abs(GEOD.polygon_area_perimeter(lons, lats)[0]) / 1e4


@pytest.mark.parametrize("box", [(-6.53, 7.41, -6.528, 7.4123), (10.0, 34.9, 10.0021, 34.9021), (-60.1, -0.001, -60.0989, 0.0013)])
def test_rectangle_area_equals_pyproj_of_the_densified_rectangle(box: tuple[float, float, float, float]) -> None:
    west, south, east, north = box
    steps = [k / 2000 for k in range(2000)]
    lons = [west + (east - west) * t for t in steps] + [east] * 2000 + [east - (east - west) * t for t in steps] + [west] * 2000
    lats = [south] * 2000 + [south + (north - south) * t for t in steps] + [north] * 2000 + [north - (north - south) * t for t in steps]
    area = rectangle_ha(*box)
    assert area == pytest.approx(_geodesic_ha(lons, lats), rel=1e-9)
    assert ring_ha([(west, south), (east, south), (east, north), (west, north)]) == pytest.approx(area, rel=1e-12)


def test_cell_shares_equal_shapely(plan: Plan) -> None:
    shapes = [shape for _, shape, case in plots_with_ids(plan) if case.name != "ordinary"][::6]
    for shape in shapes:
        for lattice in (ANALYSIS, TMF):
            rings = [[lattice.to_cells(*p) for p in ring] for ring in shape.parts[0]]
            polygon = shapely_geometry.Polygon(rings[0])
            shares = cell_shares(rings[0])
            assert math.fsum(shares.values()) == pytest.approx(polygon.area, rel=1e-12)
            for row, column in random.Random(1).sample(sorted(shares), min(8, len(shares))):
                cell = shapely_geometry.box(column, row, column + 1, row + 1)
                assert shares[row, column] == pytest.approx(polygon.intersection(cell).area, abs=1e-10)


def test_cells_of_all_plots_sum_to_the_geodesic_area(plan: Plan, truth: dict) -> None:
    """METHODS section 1: within 1e-5 for edges under 0.002 degrees up to 35 degrees of latitude; the sample's longest are 0.0026."""
    for plotid, shape, case in plots_with_ids(plan):
        if case.points:
            assert truth[plotid]["area"] == (case.declared_ha or 4.0)
        straight = sum(ring_ha(outer) - sum(map(ring_ha, holes)) for outer, *holes in shape.parts)
        assert math.fsum(shape.weights(TMF).values()) == pytest.approx(straight, rel=5e-7), plotid
        assert truth[plotid]["area"] == pytest.approx(straight, rel=2e-6), plotid


def test_a_cut_rectangle_has_the_area_of_the_rectangle_in_both(plan: Plan, truth: dict) -> None:
    """Hansen alone, a rectangular plot, a clearing cut by its edge: plot ∩ clearing is a rectangle with a closed area."""
    checked = 0
    for plotid, shape, case in plots_with_ids(plan):
        if case.name not in ("edge only", "a sliver of a clearing"):
            continue
        lons, lats = zip(*shape.parts[0][0])
        corner = _stand_corner(shape, case)
        west, north, east, south = (corner[k % 2] + v for k, v in enumerate(case.losses[0].rect))
        step = float(ANALYSIS.step)
        w, e = max(min(lons), -6.6 + west * step), min(max(lons), -6.6 + east * step)
        s, n = max(min(lats), 7.5 - south * step), min(max(lats), 7.5 - north * step)
        assert truth[plotid]["detected_area"] == pytest.approx(rectangle_ha(w, s, e, n), rel=1e-6)
        checked += 1
    assert checked == 2


def _stand_corner(shape, case) -> tuple[int, int]:
    (x, y), (lx, ly) = ANALYSIS.to_cells(*shape.parts[0][0][0]), case.parts[0][0][0]
    return round(x - lx), round(y - ly)


def test_every_hand_written_expectation_is_met(plan: Plan, truth: dict) -> None:
    wrong = [line for plotid, _, case in plots_with_ids(plan) for line in disagreements(plotid, case, truth[plotid])]
    assert not wrong
    assert sum(bool(case.expect) for _, _, case in plots_with_ids(plan)) >= 120


def test_every_cell_of_the_alert_matrix_has_a_plot(truth: dict) -> None:
    found = {(t["case"], t["deforestation_confidence"], t["deforestation_alert"]) for t in truth.values()}
    for level in ("high", "medium", "low"):
        assert (f"{level}, protected area", level, "critical") in found
        assert (f"{level}, natural forest", level, "critical") in found
        assert (f"{level}, rotation of cocoa", level, "non-critical") in found
        assert (f"{level}, large", level, "critical") in found
    assert ("low, half of a small plot", "low", "critical") in found
    assert ("low, small in a large plot", "low", "non-critical") in found
    assert {c for _, c, a in found if a == "non-critical" and c} == {"high", "medium", "low"}
    assert any(c is None and a is None for _, c, a in found)
    assert {c.name for c in all_cases()} <= {t["case"] for t in truth.values()}


@pytest.mark.parametrize("run", [run[0] for run in RUNS])
def test_the_numbers_of_a_plot_fit_together(run: str) -> None:
    for plotid, t in json.loads((SAMPLE / run).read_text(encoding="utf-8"))["plots"].items():
        areas = [ha for key, ha in t["annual_defor"].items() if "rmse" not in key and ha is not None]
        if t["detected_area"] is not None:
            assert math.fsum(areas) == pytest.approx(t["detected_area"], abs=1e-9), plotid
            assert t["detected_area"] <= t["forest_area"] + 1e-9
        else:
            assert not areas and t["deforestation_alert"] is None
        if t["deforestation_alert"] == "critical":
            assert 0 < t["noncompliance_area"] <= t["detected_area"] + 1e-12
        else:
            assert not t["noncompliance_area"]
        for system, share in t["agreement"].items():
            if system != "all" and share is not None:
                total = math.fsum(ha or 0.0 for ha in t["system_defor"][system].values())
                assert share * t["detected_area"] == pytest.approx(total, abs=1e-9), (plotid, system)
        assert -1e-12 <= t["valid_fraction"] <= 1 + 2e-6
        assert not t["detected_area"] or t["deforestation_start"] <= t["deforestation_end"]


def test_the_records_end_where_they_were_planted_to_end(truth: dict) -> None:
    by_case = {t["case"]: t for t in truth.values()}
    short = by_case["record ends in 2023, cleared"]
    assert short["annual_defor"]["defor_ha_2024"] is None and short["annual_defor"]["defor_ha_2022"] > 1
    assert by_case["no system can look"]["assessed_end"] is None
    assert by_case["outside every raster"]["detected_area"] is None
    assert by_case["60 % covered, no detection"]["valid_fraction"] == pytest.approx(16.6 / 27.3, abs=1e-4)
    flagged = by_case["two systems, three years apart"]
    assert flagged["agreement"]["all"] == 0 and flagged["system_defor"]["radd"]["2025"] > 1.1 and flagged["annual_defor"]["defor_ha_2025"] < 0.3


def test_files_hold_what_was_planned(plan: Plan) -> None:
    draw = random.Random(7)
    checked = 0
    names = {"glad": "glad_lossyear", "radd": "radd_date", "cocoa": "cocoa", "forest_2020": "forest_2020"}
    layers = {name: plan.scene.single[role] for role, name in names.items()}
    layers |= {f"tmf/tmf_{year}": layer for year, layer in plan.scene.series["tmf"].items()}
    for name, layer in layers.items():
        for part in layer.parts:
            raster = gdal.Open(str(SAMPLE / (f"{name}_{part.name}.tif" if part.name else f"{name}.tif")))
            west, step, _, north, _, _ = raster.GetGeoTransform()
            assert (raster.RasterXSize, raster.RasterYSize) == (part.columns, part.rows)
            for _ in range(40):
                row, column = draw.randrange(part.rows), draw.randrange(part.columns)
                lon, lat = west + (column + 0.5) * step, north - (row + 0.5) * step
                x, y = layer.lattice.to_cells(lon, lat)
                assert int(raster.ReadAsArray(column, row, 1, 1)[0, 0]) == layer.at(math.floor(y), math.floor(x))
                checked += 1
    assert checked > 600


def test_the_sample_is_small_and_dated_by_nobody() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_000_000
    assert not [path for path in files if path.suffix in (".xml", ".gpkg-wal", ".gpkg-shm")]
    for path in SAMPLE.rglob("*.tif"):
        assert not gdal.Open(str(path)).GetMetadataItem("TIFFTAG_DATETIME"), path


def _approximate(value: Any) -> Any:
    """Return the value with every number replaced by one that equals its neighbours."""
    if isinstance(value, dict):
        return {key: _approximate(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_approximate(item) for item in value]
    return pytest.approx(value, rel=1e-12, abs=1e-11) if isinstance(value, float) else value


@pytest.mark.slow
def test_making_the_sample_again_gives_the_same_files(tmp_path: Path) -> None:
    again = make_sample(tmp_path / "sample")
    names = sorted(str(path.relative_to(SAMPLE)) for path in SAMPLE.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file())
    for name in (name for name in names if name.endswith("json")):
        # the mathematics library of another system may round a sine otherwise: what is said and where is the same, numbers to twelve digits
        assert _approximate(json.loads((again / name).read_text(encoding="utf-8"))) == json.loads((SAMPLE / name).read_text(encoding="utf-8")), name
    for name in (name for name in names if name.endswith(".tif")):  # another GDAL may compress otherwise: cells are compared
        old, new = gdal.Open(str(SAMPLE / name)), gdal.Open(str(again / name))
        assert (old.ReadAsArray() == new.ReadAsArray()).all() and old.GetGeoTransform() == new.GetGeoTransform(), name


def test_writing_the_files_twice_gives_the_same_bytes(plan: Plan, tmp_path: Path) -> None:
    from scripts.sample.files import write_plots, write_protected_areas, write_rasters
    from scripts.sample.metrics.files import write_measured
    from scripts.sample.metrics.plant import make_ground

    ground = make_ground(plan)
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write_rasters(plan, folder)
        write_measured(ground, folder)
        write_protected_areas(plan, folder / "protected_areas.gpkg")
        write_plots(plan, folder / "plots.geojson")
    names = sorted(str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(names) == 88
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", names, shallow=False)[1:] == ([], [])
