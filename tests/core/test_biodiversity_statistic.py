"""Biodiversity through the engine: windows across tiles and past plots, planted heights, reasons, and sums that never change."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, box

from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.biodiversity.statistic import plan_statistic
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal import engine, focal
from tests.core.raster_files import wkb_of, write_datasets, write_tif
from tests.core.test_biodiversity_focal import connectivity_by_double_loop, q_by_double_loop

X0, Y0, CELL = -5.0, 7.0, 0.0001
WINDOW = MonitoringWindow(dt.date(2020, 12, 31), dt.date(2024, 6, 30))


@dataclass(frozen=True)
class Shape:
    uuid: str
    area: float
    flags: tuple[str, ...] = ()


def cells(row0, row1, col0, col1):
    """The polygon of rows row0..row1 - 1 and columns col0..col1 - 1."""
    return MultiPolygon([box(X0 + col0 * CELL, Y0 - row1 * CELL, X0 + col1 * CELL, Y0 - row0 * CELL)])


def planted(rows=150, cols=170, seed=1):
    random = np.random.default_rng(seed)
    heights = random.uniform(0, 30, (rows, cols)).astype(np.float32)
    heights[random.random((rows, cols)) < 0.1] = -9999
    heights[60:80, 100:120] = -9999
    return heights


def tiles(folder, heights, name="chm", side=70):
    """Write heights as tiles whose seams the plots lie on."""
    for row in range(0, heights.shape[0], side):
        for col in range(0, heights.shape[1], side):
            part = heights[row : row + side, col : col + side]
            write_tif(folder / f"{name}_{row}_{col}.tif", part, X0 + col * CELL, Y0 - row * CELL, CELL, nodata=-9999)
    return f"{name}_*.tif"


def rows_of(path, polygons, settings=None, window=WINDOW, threads=2):
    datasets = load_datasets(path)
    boxes = np.array([polygon.bounds for polygon in polygons])
    plan = plan_statistic(datasets, window, settings or Settings(), boxes)
    results = engine.run([wkb_of(polygon) for polygon in polygons], plan.tasks, threads, NoProgress())
    area = [1.0] * len(polygons) if not results else [float(w) / 1e4 or 1.0 for w in results[0].weight]
    return plan, list(plan.rows(results, [Shape(f"p{i}", a) for i, a in enumerate(area)]))


PLOTS = [cells(60, 66, 62, 78), cells(0, 4, 0, 5), cells(100, 103, 20, 26), cells(66, 70, 104, 108), cells(140, 150, 160, 170)]


def test_scores_equal_the_double_loops_across_tiles(tmp_path):
    heights = planted()
    path = write_datasets(tmp_path, {"role": "chm", "sources": {"2022": tiles(tmp_path, heights)}, "unit": "m"})
    settings = Settings.from_dict({"rao_window": 5, "connectivity_radius_m": 60.0})
    plan, rows = rows_of(path, PLOTS, settings)
    known = np.where(heights == -9999, np.nan, np.clip(heights.astype(np.float64), 0, 60))
    q = q_by_double_loop(known, 5, 2.0)
    metres = math.pi / 180 * 6378137 * CELL
    tree = connectivity_by_double_loop_near(known, PLOTS[0], 60.0)
    assert plan.provenance["connectivity_block_cells"] == 1 and plan.provenance["scored_year"] == 2022
    assert plan.provenance["cell_size_m"] == pytest.approx(metres, rel=0.01)
    for row, (r0, r1, c0, c1) in zip(rows, [(60, 66, 62, 78), (0, 4, 0, 5), (100, 103, 20, 26), (66, 70, 104, 108), (140, 150, 160, 170)]):
        inside = q[r0:r1, c0:c1]
        if np.isnan(inside).all():
            assert row["diversity_score"] is None and row["uncertainty_sd"] is None
            continue
        # cells of one plot differ in area by under 1e-6
        assert row["uncertainty_sd"] == pytest.approx(np.nanstd(inside), rel=1e-5)
        assert row["annual_chm"]["2022"] == pytest.approx(np.nanmean(known[r0:r1, c0:c1]), rel=1e-6)
        assert row["valid_fraction"] == pytest.approx((~np.isnan(known[r0:r1, c0:c1])).mean(), rel=1e-5)
    own = ~np.isnan(known[60:66, 62:78])
    expected = 0.5 * min(1, np.nanmean(q[60:66, 62:78]) / 15) + 0.5 * tree[own].mean()
    assert rows[0]["diversity_score"] == pytest.approx(expected, rel=1e-6)
    assert rows[3]["reasons"][0]["code"] == "no_data:chm"  # in the hole of the heights
    assert rows[0]["reasons"] == [{"code": "cell_size:11", "cell_size_m": plan.provenance["cell_size_m"]}]


def connectivity_by_double_loop_near(known, plot, radius):
    """Connectivity of the cells of the first plot from a cut-out that holds its radius, distances by the geodesic."""
    from pyproj import Geod

    geod = Geod(ellps="WGS84")

    def spacing(row):
        latitude = Y0 - (row + 50 + 0.5) * CELL
        down = geod.inv(X0, latitude - CELL / 2, X0, latitude + CELL / 2)[2]
        return down, geod.inv(X0 - CELL / 2, latitude, X0 + CELL / 2, latitude)[2]

    return connectivity_by_double_loop(known[50:76, 52:88], 1, spacing, radius, 5.0)[10:16, 10:26]


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.5])
def test_results_do_not_depend_on_threads_chunks_or_windows(tmp_path, monkeypatch, alpha):
    heights = planted(400, 420, 3)
    path = write_datasets(tmp_path, {"role": "chm", "sources": {"2022": tiles(tmp_path, heights, side=128)}, "unit": "m"})
    random = np.random.default_rng(2)
    corners = random.integers(0, 390, (40, 2))
    plots = [cells(r, r + int(h), c, c + int(w)) for (r, c), h, w in zip(corners, random.integers(1, 10, 40), random.integers(1, 10, 40))]
    settings = Settings.from_dict({"rao_alpha": alpha, "connectivity_radius_m": 230.0})

    def scores(polygons, threads=2):
        datasets = load_datasets(path)
        plan = plan_statistic(datasets, WINDOW, settings, np.array([plot.bounds for plot in plots]))
        results = engine.run([wkb_of(polygon) for polygon in polygons], plan.tasks, threads, NoProgress())
        found = list(plan.rows(results, [Shape("", 1.0)] * len(polygons)))
        return [json.dumps([row[name] for name in ("diversity_score", "uncertainty_sd", "annual_chm")]) for row in found]

    whole = scores(plots)
    assert len(set(whole)) > 20 and "null" not in "".join(whole)
    assert scores(plots, threads=1) == whole
    assert [scores([plot])[0] for plot in plots[:6]] == whole[:6]
    monkeypatch.setattr(focal, "SIDE", 31)
    monkeypatch.setattr(focal, "CACHED_BYTES", 1)
    assert scores(plots) == whole


def test_blocks_are_counted_from_the_first_cell_and_named_in_the_provenance(tmp_path):
    # 10 m cells in UTM, radius 60 m -> f = 1; radius 250 m -> f = 2
    heights = np.random.default_rng(9).uniform(0, 12, (60, 60)).astype(np.float32)
    write_tif(tmp_path / "chm.tif", heights, 500_000.0, 800_000.0, 10.0, crs="EPSG:32630", tile=16)
    path = write_datasets(tmp_path, {"role": "chm", "sources": {"2021": "chm.tif"}, "unit": "m"})
    from pyproj import Transformer
    from shapely.ops import transform

    # rows and columns 25..34, a hair inside, so that lines between transformed corners stay within the cells
    square = box(500_250.01, 800_000 - 349.99, 500_349.99, 800_000 - 250.01)
    back = Transformer.from_crs("EPSG:32630", "EPSG:4326", always_xy=True)
    plot = MultiPolygon([transform(back.transform, square)])
    plan, rows = rows_of(path, [plot], Settings.from_dict({"connectivity_radius_m": 200.0, "rao_reference_m": 1e12}))
    assert plan.provenance["connectivity_block_cells"] == 2 and rows[0]["reasons"] == []
    blocks = connectivity_by_double_loop(heights.astype(np.float64), 2, lambda row: (20.0, 20.0), 200.0, 5.0)
    by_cell = np.repeat(np.repeat(blocks, 2, axis=0), 2, axis=1)[25:35, 25:35]
    assert rows[0]["diversity_score"] == pytest.approx(0.5 * by_cell.mean(), rel=1e-5)


def test_constant_trees_score_a_half_and_series_is_averaged(tmp_path):
    for year, height in ((2020, 10.0), (2021, 20.0), (2023, 80.0), (2025, 1.0)):
        write_tif(tmp_path / f"chm_{year}.tif", np.full((40, 40), height, np.float32), X0, Y0, CELL)
    path = write_datasets(tmp_path, {"role": "chm", "sources": {str(y): f"chm_{y}.tif" for y in (2020, 2021, 2023, 2025)}, "unit": "m"})
    plan, rows = rows_of(path, [cells(10, 12, 10, 13)])
    assert plan.plan.years == (2020, 2021, 2023, 2025) and plan.plan.scored == 2023
    assert rows[0]["diversity_score"] == 0.5 and rows[0]["uncertainty_sd"] == 0.0  # all trees, no difference in height
    annual = rows[0]["annual_chm"]
    clamped = {"mean": 22.75, "std": 0, "2020": 10, "2021": 20, "2023": 60, "2025": 1}  # also years outside the window, as stocks of biomass
    assert {key: pytest.approx(value, abs=1e-6) for key, value in annual.items()} == clamped
    assert rows[0]["assessed_end"] == dt.date(2023, 12, 31) and rows[0]["coverage"] == {"chm": 1.0}


def test_tree_mask_of_another_grid_tells_trees(tmp_path):
    write_tif(tmp_path / "chm.tif", np.full((40, 40), 2.0, np.float32), X0, Y0, CELL)
    write_tif(tmp_path / "trees.tif", np.ones((20, 20), np.uint8), X0, Y0, 2 * CELL)
    path = write_datasets(
        tmp_path,
        {"role": "chm", "sources": {"2022": "chm.tif"}, "unit": "m"},
        {"role": "tree_mask", "source": "trees.tif", "year": 2020, "encoding": {"kind": "mask", "values": [1]}},
    )
    assert rows_of(path, [cells(10, 12, 10, 13)])[1][0]["diversity_score"] == 0.5


def test_what_cannot_be_scored_says_why(tmp_path):
    write_tif(tmp_path / "chm.tif", np.full((40, 40), 9.0, np.float32), X0, Y0, CELL)
    path = write_datasets(tmp_path, {"role": "chm", "sources": {"2019": "chm.tif"}, "unit": "m"})
    plan, rows = rows_of(path, [cells(10, 12, 10, 13)])
    assert rows[0]["diversity_score"] is None and rows[0]["reasons"][0]["code"] == "no_window_year:chm" and rows[0]["valid_fraction"] == 0
    assert plan.missing == () and rows[0]["annual_chm"] == {"mean": pytest.approx(9.0), "std": 0.0, "2019": pytest.approx(9.0)}
    assert rows[0]["assessed_end"] is None and rows[0]["coverage"] == {}
    path = write_datasets(tmp_path, {"role": "agb", "sources": {"2019": "chm.tif"}, "unit": "Mg/ha"})
    plan, rows = rows_of(path, [cells(10, 12, 10, 13)])
    assert plan.missing == ("chm",) and rows[0]["reasons"][0]["code"] == "missing_layer:chm"
    path = write_datasets(tmp_path, {"role": "chm", "sources": {"2022": "chm.tif"}, "unit": "m"})
    assert rows_of(path, [cells(500, 502, 10, 13)])[1][0]["reasons"][0]["code"] == "no_data:chm"
    plan, rows = rows_of(path, [cells(0, 1, 0, 1)])  # 25 of 81 cells of the corner's window
    assert rows[0]["reasons"][0]["code"] == "no_rao" and rows[0]["diversity_score"] is None
    assert rows[0]["annual_chm"]["2022"] == pytest.approx(9.0)


def test_settings_that_make_no_sense_are_refused(tmp_path):
    write_tif(tmp_path / "chm.tif", np.full((40, 40), 9.0, np.float32), X0, Y0, CELL)
    path = write_datasets(tmp_path, {"role": "chm", "sources": {"2022": "chm.tif"}, "unit": "m"})
    for values, words in (({"rao_window": 8}, "odd"), ({"rao_reference_m": 0}, "above 0"), ({"connectivity_radius_m": 0}, "above 0")):
        with pytest.raises(InputError, match=words):
            rows_of(path, [cells(0, 1, 0, 1)], Settings.from_dict(values))


def test_a_real_canopy_height_model_equals_the_double_loop(tmp_path):
    source = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "rao" / "chm_kootenay_nodata.tif"
    if not source.exists():
        pytest.skip("../shared/data/rao is not there")
    from osgeo import gdal
    from pyproj import Transformer
    from shapely.ops import transform

    dataset = gdal.Open(str(source))
    band, (x0, dx, _, y0, _, dy) = dataset.GetRasterBand(1), dataset.GetGeoTransform()
    raw = band.ReadAsArray().astype(np.float64)
    nodata = band.GetNoDataValue()
    known = np.where((raw == nodata) | ~np.isfinite(raw), np.nan, np.clip(raw, 0, 60))
    path = write_datasets(tmp_path, {"role": "chm", "sources": {"2022": str(source)}, "unit": "m"})
    back = Transformer.from_crs(dataset.GetSpatialRef().ExportToWkt(), "EPSG:4326", always_xy=True)
    hair = 1e-6
    square = box(x0 + 5 * dx + hair, y0 + 20 * dy + hair, x0 + 20 * dx - hair, y0 + 5 * dy - hair)
    plan, rows = rows_of(path, [MultiPolygon([transform(back.transform, square)])], Settings.from_dict({"rao_window": 5, "rao_reference_m": 1000.0}))
    q = q_by_double_loop(known, 5, 2.0)[5:20, 5:20]
    assert np.isnan(known).any() and (~np.isnan(q)).sum() > 50
    assert rows[0]["uncertainty_sd"] == pytest.approx(np.nanstd(q), rel=1e-4)
    side = plan.provenance["connectivity_block_cells"]
    trees = connectivity_by_double_loop(known, side, lambda row: (side * dx, side * dx), 500.0, 5.0)
    by_cell = np.repeat(np.repeat(trees, side, axis=0), side, axis=1)[5:20, 5:20][~np.isnan(known[5:20, 5:20])]
    assert rows[0]["diversity_score"] == pytest.approx(0.5 * np.nanmean(q) / 1000 + 0.5 * by_cell.mean(), rel=1e-5)
    assert rows[0]["reasons"][0]["code"] == f"cell_size:{dx:.1f}"
