"""Water indices by hand: ratio and aridity, percentiles, anomalies, water stress, months, reasons (METHODS section 6)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely.geometry import box

from epoch_plugin.core.aridity import aridity_class
from epoch_plugin.core.errors import DatasetError, InputError
from epoch_plugin.core.metrics.water.indices import anomaly, percentile
from tests.core.raster_files import write_tif, write_vector
from tests.core.statistic_scene import codes, run_statistics

D = 0.04
PLOT = box(0, 0, 0.08, 0.04)  # two cells of one row: plain means
WINDOW = {"start": "2020-12-31", "end": "2022-12-31"}  # counted: 2021, 2022


def tif(folder, name, values, nodata=-9999.0):
    return write_tif(folder / f"{name}.tif", np.array([values], "float32"), 0, D, D, nodata=nodata)


def series(folder, role, years, **more):
    """Write one raster per year (both cells alike, or a pair) and return the entry."""
    for year, value in years.items():
        tif(folder, f"{role}{year}", value if isinstance(value, (list, tuple)) else [value, value])
    unit = {} if role == "soil_moisture" else {"unit": "mm"}
    return {"role": role, "sources": {str(year): f"{role}{year}.tif" for year in years}, **unit, **more}


def water(folder, entries, polygons=(PLOT,), **more):
    return run_statistics(["water"], folder, entries, polygons, **{**WINDOW, **more})["water"]


def test_ratio_of_precipitation_to_pet(tmp_path):
    rain = series(tmp_path, "precipitation", {2020: 1, 2021: (900, 1100), 2022: 500, 2023: 1})
    pet = series(tmp_path, "pet", {2021: 1500, 2022: 1000, 2023: 1})
    row = water(tmp_path, [rain, pet])[0]
    assert row["precipitation_pet_ratio"] == pytest.approx((1000 + 500) / (1500 + 1000))  # 0.6: years of the window only
    assert row["aridity_class"] == "dry sub-humid"
    assert row["annual_precipitation_pet_ratio"] == {"2021": pytest.approx(2 / 3), "2022": pytest.approx(0.5)}
    assert row["coverage"] == {"precipitation": pytest.approx(1), "pet": pytest.approx(1)} and row["valid_fraction"] == pytest.approx(1)
    assert row["assessed_end"].isoformat() == "2022-12-31"
    assert codes(row) == ["missing_layer:soil_moisture", "missing_layer:et", "missing_layer:water_stress"]


def test_years_without_either_are_left_out_of_the_ratio(tmp_path):
    rain = series(tmp_path, "precipitation", {2021: 600, 2022: 900})
    pet = series(tmp_path, "pet", {2021: 1000})
    row = water(tmp_path, [rain, pet])[0]
    assert row["precipitation_pet_ratio"] == pytest.approx(0.6)
    assert row["annual_precipitation_pet_ratio"] == {"2021": pytest.approx(0.6), "2022": None}
    assert "earlier_year:precipitation_pet_ratio" in codes(row) and row["assessed_end"].isoformat() == "2021-12-31"
    apart = water(tmp_path, [series(tmp_path, "precipitation", {2022: 900}), pet])[0]
    assert apart["precipitation_pet_ratio"] is None and "no_common_year" in codes(apart) and apart["assessed_end"] is None


def test_pet_of_zero_is_null_with_a_reason(tmp_path):
    row = water(tmp_path, [series(tmp_path, "precipitation", {2021: 600}), series(tmp_path, "pet", {2021: 0})])[0]
    assert (row["precipitation_pet_ratio"], row["aridity_class"]) == (None, None) and "pet_not_positive" in codes(row)


@pytest.mark.parametrize(("value", "name"), [
    (0.0, "hyper-arid"), (0.0499, "hyper-arid"), (0.05, "arid"), (0.1999, "arid"), (0.20, "semi-arid"), (0.4999, "semi-arid"), (0.5, "dry sub-humid"),
    (0.6499, "dry sub-humid"), (0.65, "humid"), (3.0, "humid"), (math.nan, None),
])  # fmt: skip
def test_aridity_classes_include_their_lower_bounds(value, name):
    assert aridity_class(value) == name


def test_percentile_and_anomaly_by_hand(tmp_path):
    # Reference: the five years before the window, plot means 10, 20, 30, 40, 50. 2021: 30, 2022: 45.
    past = {2016: 10, 2017: 20, 2018: 30, 2019: 40, 2020: (40, 60)}
    entries = [series(tmp_path, role, {**past, 2021: 30, 2022: 45}) for role in ("soil_moisture", "et")]
    row = water(tmp_path, entries)[0]
    # 30: two below, one equal: 100 x 2.5 / 5 = 50; 45: four below: 80
    assert row["annual_soil_moisture_percentile"] == {"2021": pytest.approx(50), "2022": pytest.approx(80)}
    assert row["soil_moisture_percentile"] == pytest.approx(80)  # of the last counted year
    # mean 30, SD with n - 1: sqrt(1000 / 4) = 15.8114
    assert row["annual_evapotranspiration_anomaly"] == {"2021": pytest.approx(0, abs=1e-12), "2022": pytest.approx(15 / math.sqrt(250))}
    assert row["evapotranspiration_anomaly"] == pytest.approx(15 / math.sqrt(250))
    assert not {"reference_includes_window:soil_moisture", "earlier_year:et"} & set(codes(row))


def test_the_reference_includes_the_window_where_too_little_lies_before_it(tmp_path):
    row = water(tmp_path, [series(tmp_path, "soil_moisture", {2018: 1, 2019: 2, 2020: 3, 2021: 4, 2022: 5})])[0]
    assert row["soil_moisture_percentile"] == pytest.approx(100 * 4.5 / 5)
    assert "reference_includes_window:soil_moisture" in codes(row)


def test_named_reference_years(tmp_path):
    entry = series(tmp_path, "soil_moisture", {2001 + i: i for i in range(20)} | {2021: 2.5, 2022: 100})
    row = water(tmp_path, [entry], reference_years="2001,2002,2003,2004,2005")[0]
    assert row["annual_soil_moisture_percentile"] == {"2021": pytest.approx(60), "2022": pytest.approx(100)}
    with pytest.raises(InputError, match="reference_years"):
        water(tmp_path, [entry], reference_years="2001-2005")


def test_under_five_reference_years_or_no_variation_is_null_with_a_reason(tmp_path):
    row = water(tmp_path, [series(tmp_path, "soil_moisture", {2019: 1, 2020: 2, 2021: 3, 2022: 4})])[0]
    assert row["soil_moisture_percentile"] is None and "few_reference_years:soil_moisture" in codes(row)
    flat = {year: 0.1 for year in range(2015, 2023)}
    row = water(tmp_path, [series(tmp_path, "et", flat), series(tmp_path, "soil_moisture", flat)])[0]
    assert row["evapotranspiration_anomaly"] is None and "no_variation:et" in codes(row)
    assert row["soil_moisture_percentile"] == pytest.approx(50)


def test_an_earlier_year_is_shown_and_named_where_the_last_is_not_bound(tmp_path):
    row = water(tmp_path, [series(tmp_path, "soil_moisture", {**{2010 + i: i for i in range(11)}, 2021: 3})])[0]
    assert row["soil_moisture_percentile"] == row["annual_soil_moisture_percentile"]["2021"] == pytest.approx(100 * 3.5 / 11)
    assert {"code": "earlier_year:soil_moisture", "year": 2021} in row["reasons"]
    assert row["annual_soil_moisture_percentile"]["2022"] is None and row["assessed_end"].isoformat() == "2021-12-31"
    row = water(tmp_path, [series(tmp_path, "soil_moisture", {2010 + i: i for i in range(11)})])[0]
    assert row["soil_moisture_percentile"] is None and "no_window_year:soil_moisture" in codes(row)


def test_water_stress_leaves_sentinels_out(tmp_path):
    tif(tmp_path, "stress", [4, -1, 9999, 3], nodata=None)
    row = water(tmp_path, [{"role": "water_stress", "source": "stress.tif"}], [box(0, 0, 0.16, 0.04)])[0]
    assert row["water_stress_index"] == pytest.approx(3.5) and row["coverage"]["water_stress"] == pytest.approx(0.5)
    assert row["valid_fraction"] == pytest.approx(0.5) and row["assessed_end"] is None
    blank = water(tmp_path, [{"role": "water_stress", "source": "stress.tif"}], [box(0.05, 0.01, 0.11, 0.02)])[0]
    assert blank["water_stress_index"] is None and "no_data:water_stress" in codes(blank) and blank["valid_fraction"] == 0


def test_a_vector_of_scores_is_burnt_on_the_statistics_raster(tmp_path):
    write_vector(tmp_path / "aq.gpkg", [(box(-1, -1, 0.045, 1), {"score": 2}), (box(0.045, -1, 1, 1), {"score": -1})])
    stress = {"role": "water_stress", "profile": "aqueduct4_baseline_annual", "source": "aq.gpkg", "layer": "areas", "value_field": "score"}
    rain = series(tmp_path, "precipitation", {2021: 600})
    far = box(0.2, 0.2, 0.24, 0.24)  # beyond the rain's raster, inside the second (unscored) basin
    rows = water(tmp_path, [stress, rain], [PLOT, far])
    assert rows[0]["water_stress_index"] == pytest.approx(2) and rows[0]["coverage"]["water_stress"] == pytest.approx(0.5)
    assert rows[1]["water_stress_index"] is None
    with pytest.raises(DatasetError, match="needs the analysis grid of a raster"):
        water(tmp_path, [stress])


def test_months_are_added_only_where_all_of_them_have_data(tmp_path):
    for month in range(12):
        tif(tmp_path, f"m{month}", [100, -9999 if month == 6 else 100])
        tif(tmp_path, f"p{month}", [150, 150])
    months = [f"m{k}.tif" for k in range(12)]
    rain = {"role": "precipitation", "sources": {"2021": months}, "combine": "sum", "unit": "mm"}
    pet = {"role": "pet", "sources": {"2021": [f"p{k}.tif" for k in range(12)]}, "combine": "sum", "unit": "mm"}
    row = water(tmp_path, [rain, pet])[0]
    assert row["precipitation_pet_ratio"] == pytest.approx(1200 / 1800)  # not (1200 + 1100) / 2
    assert row["coverage"] == {"precipitation": pytest.approx(0.5), "pet": pytest.approx(1)} and row["valid_fraction"] == pytest.approx(0.5)
    mean = water(tmp_path, [{**rain, "combine": "mean"}, {**pet, "combine": "mean"}])[0]
    assert mean["precipitation_pet_ratio"] == pytest.approx(100 / 150)


def test_nothing_bound(tmp_path):
    tif(tmp_path, "x", [1, 2])
    row = water(tmp_path, [{"role": "mine", "source": "x.tif", "stats": ["mean"]}])[0]
    assert row["valid_fraction"] == 0 and row["coverage"] == {} and len(codes(row)) == 5
    assert row["annual_precipitation_pet_ratio"] is None and row["water_stress_index"] is None


def test_percentile_against_scipys_definition():
    # scipy.stats.percentileofscore(kind="mean") is the mid-rank: its documented example, [1, 2, 3, 3, 4] scored at 3, is 60
    reference = np.array([[1.0], [2], [3], [3], [4]])
    assert percentile(np.array([[3.0]]), reference)[0, 0] == 60
    values = np.array([2.1, 5.0, 3.3, 8.8, 4.1, np.nan])[:, None]
    known = values[~np.isnan(values)]
    assert anomaly(np.array([[6.0]]), values)[0, 0] == pytest.approx((6 - known.mean()) / known.std(ddof=1))
