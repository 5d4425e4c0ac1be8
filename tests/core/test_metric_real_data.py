"""Carbon of Shell Beach and precipitation of the Sierra de Neiba: non-null where there are data, named reasons where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely.wkb
from osgeo import gdal, ogr

from epoch_plugin.core.zonal.cell_area import area_below
from tests.core.statistic_scene import codes, run_statistics
from tests.core.test_metric_zonal_stats_peers import stars

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="real data (shared/data) are not here")

SHELL_BEACH, NEIBA = DATA / "shell_beach", DATA / "sierra_de_neiba"


def polygon_of(path):
    source = ogr.Open(str(path))
    layer = source.GetLayer(0)
    feature = layer.GetNextFeature()  # keeps the geometry alive
    return shapely.wkb.loads(bytes(feature.GetGeometryRef().ExportToWkb()))


def weighted_means(values, west, north, dx, dy, polygons):
    """Return exactextract's mean and weighted total (value x ha) of each polygon, weighted by the cells' true areas."""
    exactextract = pytest.importorskip("exactextract")
    geopandas = pytest.importorskip("geopandas")
    from exactextract.raster import NumPyRasterSource

    area = np.abs(np.diff(area_below(north - dy * np.arange(values.shape[0] + 1)))) * np.radians(dx) / 1e4
    extent = (west, north - dy * values.shape[0], west + dx * values.shape[1], north)
    weights = NumPyRasterSource(np.broadcast_to(area[:, None], values.shape).copy(), *extent)
    frame = geopandas.GeoDataFrame(geometry=polygons, crs=4326)
    found = exactextract.exact_extract(
        NumPyRasterSource(values, *extent, nodata=np.nan), frame, ["weighted_mean", "weighted_sum"], weights=weights, output="pandas"
    )
    return found["weighted_mean"].to_numpy(), found["weighted_sum"].to_numpy()


def read(path):
    dataset = gdal.Open(str(path))
    values = dataset.ReadAsArray().astype(np.float64)
    values[values == dataset.GetRasterBand(1).GetNoDataValue()] = np.nan
    west, dx, _, north, _, dy = dataset.GetGeoTransform()
    return values, west, north, dx, -dy


def carbon(kind):
    return {str(year): str(SHELL_BEACH / f"Manageable_C_{kind}_{year}.tif") for year in (2010, 2018)}


@pytest.fixture(scope="module")
def shell_beach_plots():
    whole = polygon_of(SHELL_BEACH / "shell_beach_41057_B.gpkg")
    _, west, north, dx, dy = read(SHELL_BEACH / "Manageable_C_Biomass_2010.tif")
    return [whole, *stars(60, west + 0.01, north - 20 * dy + 0.01, west + 51 * dx - 0.01, north - 0.01, 0.01, seed=2)]


def test_shell_beach_carbon_2010_to_2018(tmp_path, shell_beach_plots):
    entries = [
        {"role": "agb", "sources": carbon("Biomass"), "unit": "MgC/ha"},
        {"role": "soc", "sources": carbon("Soil"), "unit": "MgC/ha"},
    ]
    rows = run_statistics(["luc_emissions"], tmp_path, entries, shell_beach_plots, start="2010-12-31", end="2018-12-31")["luc_emissions"]
    whole = rows[0]
    assert whole["stock_years"] == [2010, 2018] and whole["assessed_end"].isoformat() == "2018-12-31"
    assert 0.5 < whole["valid_fraction"] < 0.84  # the rasters cover 83 % of the protected area
    assert (whole["luc_tco2eyear"], whole["biogenic_tco2eyear"]) == (None, None)
    assert codes(whole)[:2] == ["missing_layer:agb_sd", "no_land_use"]

    soil = [read(SHELL_BEACH / f"Manageable_C_Soil_{year}.tif") for year in (2010, 2018)]
    change, place = (soil[1][0] - soil[0][0]) * 44 / 12 / 8, soil[0][1:]
    per_ha, total = weighted_means(change, *place, shell_beach_plots)
    known = ~np.isnan(per_ha)
    assert known.sum() > 30
    for row, mean, tonnes in zip(rows, per_ha, total):
        if np.isnan(mean):
            assert row["soc_tco2eyear"] is None and "no_data:soc" in codes(row)
            continue
        assert row["soc_tco2ehayear"] == pytest.approx(mean, rel=1e-6, abs=1e-9)
        assert row["soc_tco2eyear"] == pytest.approx(tonnes, rel=1e-6, abs=1e-9)
    for year in (2010, 2018):
        values, *place = read(SHELL_BEACH / f"Manageable_C_Biomass_{year}.tif")
        for row, mean in zip(rows, weighted_means(values, *place, shell_beach_plots)[0]):
            expected = None if np.isnan(mean) else pytest.approx(mean * 44 / 12, rel=1e-6)
            assert row["annual_agb"][str(year)] == expected
            assert row["annual_bgb"][str(year)] == (None if expected is None else pytest.approx(mean * 44 / 12 * 0.24, rel=1e-6))


def test_sierra_de_neiba_rain_of_twelve_months_without_pet(tmp_path):
    months = [str(NEIBA / f"wc2.1_cruts4.09_2.5m_prec_2018-{month:02d}.tif") for month in range(1, 13)]
    entries = [
        {"role": "precipitation", "sources": {"2018": months}, "combine": "sum", "unit": "mm"},
        {"role": "rain", "sources": {"2018": months}, "combine": "sum", "stats": ["mean", "min", "max"]},
    ]
    plots = [polygon_of(NEIBA / "sierra_de_neiba_478140.gpkg"), polygon_of(NEIBA / "gfw_sample.gpkg")]
    found = run_statistics(["water", "extra"], tmp_path, entries, plots, start="2015-12-31", end="2019-12-31")
    layers = [read(path) for path in months]
    yearly = np.sum([values for values, *_ in layers], axis=0)
    means, _ = weighted_means(yearly, *layers[0][1:], plots)
    for row, extra, mean in zip(found["water"], found["extra"], means):
        assert (row["precipitation_pet_ratio"], row["aridity_class"]) == (None, None)
        assert codes(row)[0] == "missing_layer:pet"
        assert row["coverage"] == {"precipitation": pytest.approx(1, abs=1e-6)} and row["valid_fraction"] == 0
        assert extra["extra"]["rain"]["mean"] == pytest.approx(mean, rel=1e-6)


def test_sierra_de_neiba_land_cover_tells_conversions(tmp_path):
    # Land cover 2015 to 2019 and no biomass: the yearly classes are known, the change is not.
    sources = {str(year): str(NEIBA / f"W080N20_LC100_v3.0.1_{year}.tif") for year in range(2015, 2020)}
    row = run_statistics(
        ["luc_emissions"], tmp_path, [{"role": "lc", "profile": "lc100_v3", "sources": sources}],
        [polygon_of(NEIBA / "sierra_de_neiba_478140.gpkg")], start="2015-12-31", end="2019-12-31",
    )["luc_emissions"][0]  # fmt: skip
    exactextract = pytest.importorskip("exactextract")
    for year, path in sources.items():
        peer = exactextract.exact_extract(path, str(NEIBA / "sierra_de_neiba_478140.gpkg"), ["majority"], output="pandas")
        assert row["annual_lc"][year] == int(peer["majority"][0])
    assert row["coverage"]["lc"] == pytest.approx(1, abs=1e-3) and "missing_layer:agb" in codes(row)
