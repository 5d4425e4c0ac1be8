"""General zonal statistics on real data against exactextract (weights: the same cell areas) and rasterstats (cell-aligned plots)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from shapely.geometry import Polygon, box

from epoch_plugin.core.zonal.cell_area import area_below
from tests.core.statistic_scene import run_statistics

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "sierra_de_neiba"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="real data (shared/data) are not here")

ELEVATION, COVER, RAIN = "NASADEM_HGT_n18w072.tif", "W080N20_LC100_v3.0.1_2019.tif", "wc2.1_cruts4.09_2.5m_prec_2018-06.tif"
STATS = ["count", "mean", "std", "min", "max", "sum", "median", "p10", "p90", "majority", "minority", "variety", "classes"]
TINY = 1e-6  # exactextract's covered fractions are single precision: cells covered by less may be missing there


def read(name):
    """Return values (float64, NaN no data), west, north and the cells' sides of a real raster."""
    dataset = gdal.Open(str(DATA / name))
    band = dataset.GetRasterBand(1)
    values = band.ReadAsArray().astype(np.float64)
    values[values == band.GetNoDataValue()] = np.nan
    west, dx, _, north, _, dy = dataset.GetGeoTransform()
    return values, west, north, dx, -dy


def stars(count, west, south, east, north, radius, seed):
    """Return simple polygons of 4 to 9 corners around random places."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        n = int(rng.integers(4, 10))
        angles = np.sort(rng.uniform(0, 2 * np.pi, n))
        lengths = rng.uniform(0.3, 1.0, n) * rng.uniform(0.1, 1.0) * radius
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        star = Polygon(np.c_[x + lengths * np.cos(angles), y + lengths * np.sin(angles)])
        if star.is_valid and star.area > 0:
            found.append(star)
    return found


def ours(tmp_path, name, plots, stats=tuple(STATS)):
    entry = {"role": "layer", "source": str(DATA / name), "stats": list(stats)}
    return [row["extra"]["layer"] for row in run_statistics(["extra"], tmp_path, [entry], plots)["extra"]]


def theirs(name, plots):
    """Return exactextract's answers, weighted by the true area of the cells on the ellipsoid."""
    exactextract = pytest.importorskip("exactextract")
    geopandas = pytest.importorskip("geopandas")
    from exactextract.raster import NumPyRasterSource

    values, west, north, dx, dy = read(name)
    edges = north - dy * np.arange(values.shape[0] + 1)
    area = np.abs(np.diff(area_below(edges))) * np.radians(dx)
    extent = (west, north - dy * values.shape[0], west + dx * values.shape[1], north)
    raster = NumPyRasterSource(values, *extent, nodata=np.nan)
    weights = NumPyRasterSource(np.broadcast_to(area[:, None], values.shape).copy(), *extent)
    frame = geopandas.GeoDataFrame(geometry=plots, crs=4326)
    operations = ["weighted_mean", "weighted_stdev", "weighted_sum", "sum", "min", "max", "variety", "unique", "weighted_frac", "count"]
    return exactextract.exact_extract(raster, frame, operations, weights=weights, output="pandas").to_dict("records")


@pytest.mark.parametrize(("name", "count", "radius", "least"), [(ELEVATION, 650, 0.03, 500), (COVER, 500, 0.03, 400), (RAIN, 200, 0.12, 100)])
def test_against_exactextract_on_real_rasters(tmp_path, name, count, radius, least):
    """1,000 random plots at least over the three rasters; a fifth of the rain raster is sea."""
    values, west, north, dx, dy = read(name)
    plots = stars(count, west, north - dy * values.shape[0], west + dx * values.shape[1], north, radius, seed=7)
    compared = 0
    for mine, peer in zip(ours(tmp_path, name, plots), theirs(name, plots)):
        if not peer["count"] > TINY:
            assert mine["count"] is None or peer["count"] > 0
            continue
        compared += 1
        scale = max(abs(peer["max"]), 1.0)
        assert mine["mean"] == pytest.approx(peer["weighted_mean"], rel=1e-6)
        assert mine["std"] == pytest.approx(peer["weighted_stdev"], rel=1e-6, abs=1e-6 * scale)
        assert mine["sum"] == pytest.approx(peer["sum"], rel=1e-6)
        check_distribution(mine, peer)
    assert compared >= least


def check_distribution(mine, peer):
    """Compare what depends on single values, leaving out values that cover next to nothing."""
    order = np.argsort(peer["unique"])
    value, share = np.asarray(peer["unique"])[order], np.asarray(peer["weighted_frac"])[order]
    total = peer["weighted_sum"] / peer["weighted_mean"] / 1e4  # ha
    own = {float(v): ha for v, ha in mine["classes"].items()}
    assert {v for v, ha in own.items() if ha > 10 * TINY * total} <= set(value.tolist())
    for v, part in zip(value.tolist(), share):
        assert own.get(v, 0.0) == pytest.approx(part * total, rel=1e-6, abs=TINY * total)
    if share.min() > TINY and set(own) == set(value.tolist()):
        assert mine["variety"] == peer["variety"] and (mine["min"], mine["max"]) == (peer["min"], peer["max"])
    ranked = np.sort(share)
    if len(ranked) == 1 or ranked[-1] - ranked[-2] > TINY:
        assert mine["majority"] == value[np.argmax(share)]
    if len(ranked) > 1 and ranked[1] - ranked[0] > TINY and ranked[0] > TINY and len(own) == len(value):
        assert mine["minority"] == value[np.argmin(share)]
    reached = np.cumsum(share)
    for q, key in ((0.1, "p10"), (0.5, "median"), (0.9, "p90")):
        if np.abs(reached - q).min() > TINY:  # not on the step between two values
            assert mine[key] == value[np.searchsorted(reached, q)]


def test_against_rasterstats_on_cell_aligned_plots(tmp_path):
    # Where plots follow the cells' edges the cell-centre rule and exact fractions are the same: every touched cell lies inside.
    rasterstats = pytest.importorskip("rasterstats")
    rng = np.random.default_rng(3)
    _, west, north, dx, dy = read(COVER)
    plots = []
    for _ in range(300):
        col, row, width, height = rng.integers(0, 440), rng.integers(0, 100), rng.integers(1, 40), rng.integers(1, 24)
        # a hair inside the edges, so that rounding makes no neighbour a touched cell
        plots.append(box(west + (col + 1e-9) * dx, north - (row + height - 1e-9) * dy, west + (col + width - 1e-9) * dx, north - (row + 1e-9) * dy))
    wanted = ["count", "min", "max", "sum", "mean", "std", "majority", "unique"]
    peers = rasterstats.zonal_stats(plots, str(DATA / COVER), stats=wanted, nodata=255)
    counts = rasterstats.zonal_stats(plots, str(DATA / COVER), categorical=True, nodata=255)
    for mine, peer, cells in zip(ours(tmp_path, COVER, plots), peers, counts):
        assert (mine["count"], mine["min"], mine["max"], mine["variety"]) == (peer["count"], peer["min"], peer["max"], peer["unique"])
        assert mine["sum"] == pytest.approx(peer["sum"], rel=1e-7)
        whole, ranked = sum(mine["classes"].values()), sorted(cells.values())
        assert {float(value) for value in mine["classes"]} == set(cells) and sum(ranked) == peer["count"]
        for value, ha in mine["classes"].items():
            assert ha / whole == pytest.approx(cells[float(value)] / peer["count"], rel=2e-4)
        if len(ranked) == 1 or ranked[-1] > ranked[-2]:
            assert mine["majority"] == peer["majority"]
        # rasterstats counts cells, we weigh areas: within a plot of 24 rows these differ by 2e-4 at most
        assert mine["mean"] == pytest.approx(peer["mean"], rel=2e-4) and mine["std"] == pytest.approx(peer["std"], rel=1e-2, abs=1e-2)
