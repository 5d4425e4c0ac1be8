"""The aggregate response is what anybody gets who adds up the fetched features: every sum, mean and rate, over the sample and a part of it."""

from __future__ import annotations

import datetime as dt
import json
import math

import pytest

pytest.importorskip("osgeo.gdal")
pytest.importorskip("pyproj")

from epoch_plugin.core.fetch import FetchRequest, fetch, ndjson
from epoch_plugin.core.fetch.supply_shed import SupplyShedRequest, fetch_supply_shed
from tests.core.sample_batch import SAMPLE, run_sample, staged_sample

STATS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")
FILTERS = ("", "case=ordinary")
PARTS = ("luc", "biogenic", "removal")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = staged_sample(tmp_path_factory.mktemp("aggregate") / "store.gpkg")
    run_sample(made, datasets=SAMPLE / "datasets_all.json", stats=STATS)
    return made


@pytest.fixture(params=FILTERS)
def ask(request, store, tmp_path):
    """Return (features, aggregate) of a statistic, read back from NDJSON."""

    def call(statistic):
        found = []
        for aggregate in (False, True):
            path = str(tmp_path / f"{aggregate}.ndjson")
            wanted = FetchRequest("vavoua", (statistic,), filters=request.param, limit=None if aggregate else 0, aggregate=aggregate)
            with fetch(store, wanted) as answer:
                ndjson.write(path, answer)
            with open(path, encoding="utf-8") as file:
                found.append([json.loads(line)["properties"] for line in file])
        plots, (total,) = found
        assert len(plots) == total["aggregate_plot_count"] == (176 if request.param else 301)
        assert total["aggregate_area"] == near(math.fsum(plot["area"] for plot in plots))
        return plots, total

    return call


def near(value):
    return None if value is None else pytest.approx(value, rel=1e-12, abs=1e-15)


def total_of(plots, name):
    known = [plot[name] for plot in plots if plot[name] is not None]
    return math.fsum(known) if known else None


def weighted(plots, value):
    known = [(plot["area"], value(plot)) for plot in plots if value(plot) is not None]
    return math.fsum(area * number for area, number in known) / math.fsum(area for area, _ in known) if known else None


def check_series(plots, total, name):
    """Every key of an object is the area-weighted mean of the plots that have it."""
    keys = {key for plot in plots for key in plot[name] or {}}
    assert set(total[name]) == keys and keys
    for key in keys:
        assert total[name][key] == near(weighted(plots, lambda plot, key=key: (plot[name] or {}).get(key))), (name, key)


def test_deforestation(ask):
    plots, total = ask("eudr_deforestation")
    assessed = [plot for plot in plots if plot["deforestation_alert"] is not None]
    area, lost = math.fsum(plot["area"] for plot in assessed), total_of(plots, "noncompliance_area")
    ends = [plot["assessed_end"] for plot in assessed]
    assert total["noncompliance_area_ha"] == total["noncompliance_area"] == near(lost)
    assert (total["assessed_area_ha"], total["assessed_plot_no"]) == (near(area), len(assessed))
    assert total["noncompliance_plot_count"] == sum(plot["deforestation_alert"] == "critical" for plot in plots)
    assert total["noncompliance_area_perc"] == near(lost / area)
    assert total["area_ha_forest"] == near(total_of(plots, "forest_area"))
    assert total["assessed_end"] == (None if None in ends else min(ends))
    if None not in ends:
        days = (dt.date.fromisoformat(min(ends)[:10]) - dt.date(2020, 12, 31)).days
        assert total["noncompliance_area_rate"] == near(lost / area / (days / 365.25))
    for year in range(2021, 2026):
        known = [plot for plot in plots if plot["annual_defor"][f"defor_ha_{year}"] is not None]
        summed = math.fsum(plot["annual_defor"][f"defor_ha_{year}"] for plot in known)
        assert total["annual_defor_ha"][f"defor_ha_{year}"] == near(summed)
        missing = [item["plots"] for item in total["reasons"] if item["code"] == f"year_not_covered:{year}"]
        assert missing == ([len(plots) - len(known)] if len(known) < len(plots) else [])


def test_emissions(ask):
    plots, total = ask("luc_emissions")
    for part in PARTS:
        known = [plot for plot in plots if plot[f"{part}_tco2eyear"] is not None]
        summed = total_of(plots, f"{part}_tco2eyear")
        assert total[f"{part}_tco2eyear"] == near(summed)
        assert total[f"{part}_tco2ehayear"] == near(summed / math.fsum(plot["area"] * plot["valid_fraction"] for plot in known))
        assert total[f"{part}_uncertainty_sd"] == near(total_of(plots, f"{part}_uncertainty_sd"))
    soil = [plot for plot in plots if plot["soc_tco2eyear"] is not None]
    summed = total_of(plots, "soc_tco2eyear")
    assert total["soc_tco2eyear"] == near(summed)
    assert total["soc_tco2ehayear"] == near(summed / math.fsum(plot["area"] * plot["coverage"]["soc"] for plot in soil))
    for name in ("annual_agb", "annual_bgb", "annual_soc"):
        check_series(plots, total, name)


def test_biodiversity(ask):
    plots, total = ask("biodiversity")
    assert total["diversity_score"] == near(weighted(plots, lambda plot: plot["diversity_score"])) and 0 < total["diversity_score"] < 1
    assert total["uncertainty_sd"] == near(total_of(plots, "uncertainty_sd"))
    check_series(plots, total, "annual_chm")


def test_water(ask):
    plots, total = ask("water")
    for name in ("water_stress_index", "precipitation_pet_ratio", "soil_moisture_percentile", "evapotranspiration_anomaly"):
        assert total[name] == near(weighted(plots, lambda plot, name=name: plot[name])) and total[name] is not None
    for name in ("annual_precipitation_pet_ratio", "annual_soil_moisture_percentile", "annual_evapotranspiration_anomaly"):
        check_series(plots, total, name)


def test_the_supply_base_has_the_same_sums(store):
    with fetch_supply_shed(store, SupplyShedRequest("vavoua", stats=STATS)) as answer:
        (shed,) = answer.features
    for statistic, names in (
        ("eudr_deforestation", ("noncompliance_area_ha", "noncompliance_area_perc", "noncompliance_area_rate", "annual_defor_ha")),
        ("luc_emissions", ("luc_tco2eyear", "biogenic_tco2ehayear", "removal_uncertainty_sd", "annual_agb")),
        ("biodiversity", ("diversity_score", "uncertainty_sd", "annual_chm")), ("water", ("water_stress_index", "aridity_class")),
    ):  # fmt: skip
        with fetch(store, FetchRequest("vavoua", (statistic,), aggregate=True)) as answer:
            (total,) = answer.features
        for name in names:
            assert shed.properties[name] == total.properties[name] and total.properties[name] is not None, name
