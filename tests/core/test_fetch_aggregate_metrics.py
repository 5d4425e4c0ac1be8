"""One row for all plots: emissions (METHODS section 4, "Aggregate") and water, recomputed from the plots' own features."""

from __future__ import annotations

import json

import pytest

from epoch_plugin.core.fetch import FetchRequest, fetch
from epoch_plugin.core.store import results
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, plot

WINDOW = {"collection_id": "0xabc", "monitoring_start": "2020-12-31", "monitoring_end": "2023-12-31", "job_id": "j"}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.gpkg")


def fill(store, statistic, areas, rows):
    """Store plots of these areas (ha) and one row for each of the first ones."""
    add_collection(store, plots=[plot(n, area=area) for n, area in enumerate(areas, 1)])
    with store.writing() as connection:
        uuids = [row["uuid"] for row in connection.execute("SELECT uuid FROM plots ORDER BY fid")]
        results.insert(connection, statistic, [{**WINDOW, "uuid": uuid, **row} for uuid, row in zip(uuids, rows)])


def ask(store, *stats, **request):
    answer = fetch(store, FetchRequest(collection="0xabc", stats=stats, **request))
    kinds = {field.name: field.type for field in answer.fields}
    return [
        {name: json.loads(value) if kinds[name] == "JSON" and value else value for name, value in feature.properties.items()}
        for feature in answer.features
    ]  # fmt: skip


def test_emissions_add_up_and_per_ha_is_of_the_assessed_area(store):
    rows = [
        {"luc_tco2eyear": -30.0, "luc_uncertainty_sd": 4.0, "soc_tco2eyear": 2.0, "valid_fraction": 1.0, "coverage": {"soc": 0.5},
         "annual_agb": {"mean": 100.0, "std": 10.0, "2020": 100.0}, "stock_years": [2020, 2023], "amortisation_years": 3,
         "assessed_end": "2023-12-31", "reasons": []},
        {"luc_tco2eyear": -10.0, "luc_uncertainty_sd": 3.0, "soc_tco2eyear": None, "valid_fraction": 0.5, "coverage": {},
         "annual_agb": {"mean": 40.0, "std": 0.0, "2020": 40.0}, "stock_years": [2020, 2023], "amortisation_years": 3,
         "assessed_end": "2023-12-31", "reasons": [{"code": "missing_layer:soc"}]},
        {"luc_tco2eyear": None, "valid_fraction": 0.0, "annual_agb": {"mean": None, "std": None, "2020": None}, "stock_years": None,
         "reasons": [{"code": "no_data:agb"}, {"code": "missing_layer:soc"}]},
    ]  # fmt: skip
    fill(store, "luc_emissions", [10.0, 20.0, 7.0, 3.0], rows)
    (row,) = ask(store, "luc_emissions", aggregate=True)
    assert row["luc_tco2eyear"] == pytest.approx(-40) and row["luc_tco2ehayear"] == pytest.approx(-40 / (10 + 20 * 0.5))
    assert row["luc_uncertainty_sd"] == pytest.approx(7)  # standard deviations add up: fully correlated
    assert row["soc_tco2eyear"] == pytest.approx(2) and row["soc_tco2ehayear"] == pytest.approx(2 / (10 * 0.5))
    assert row["biogenic_tco2eyear"] is None and row["biogenic_tco2ehayear"] is None
    assert row["annual_agb"] == {"mean": pytest.approx(60), "std": pytest.approx(10 / 3), "2020": pytest.approx(60)}  # (10 x 100 + 20 x 40) / 30
    assert row["annual_soc"] is None and row["stock_years"] == [2020, 2023] and row["amortisation_years"] == 3
    assert row["reasons"] == [{"code": code, "plots": n} for code, n in (("missing_layer:soc", 2), ("no_data:agb", 1), ("not_processed", 1))]
    assert row["aggregate_area"] == pytest.approx(40) and row["aggregate_plot_count"] == 4
    assert row["valid_fraction"] == pytest.approx(20 / 40) and row["assessed_end"].startswith("2023-12-31")


def test_emissions_recomputed_from_the_plots_features_equal_the_aggregate(store):
    rows = [
        {**{f"{part}_tco2eyear": (n + 1) * sign for part, sign in (("luc", -1.7), ("biogenic", 0.3), ("removal", 0.5))},
         **{f"{part}_uncertainty_sd": n + 0.5 for part in ("luc", "biogenic", "removal")},
         "valid_fraction": 1 - n / 10, "coverage": {}, "reasons": []}
        for n in range(5)
    ]  # fmt: skip
    fill(store, "luc_emissions", [2.5, 3.0, 1.25, 8.0, 4.0], rows)
    plots, (total,) = ask(store, "luc_emissions"), ask(store, "luc_emissions", aggregate=True)
    assessed = sum(p["area"] * p["valid_fraction"] for p in plots)
    for part in ("luc", "biogenic", "removal"):
        summed = sum(p[f"{part}_tco2eyear"] for p in plots)
        assert total[f"{part}_tco2eyear"] == pytest.approx(summed, rel=1e-12)
        assert total[f"{part}_tco2ehayear"] == pytest.approx(summed / assessed, rel=1e-12)
        assert total[f"{part}_uncertainty_sd"] == pytest.approx(sum(p[f"{part}_uncertainty_sd"] for p in plots), rel=1e-12)


def test_the_per_ha_check_of_the_methods_page(store):
    # METHODS section 4: -125.4 / 4567.8 = -0.027
    fill(store, "luc_emissions", [4000.0, 567.8], [{"luc_tco2eyear": value, "valid_fraction": 1.0, "reasons": []} for value in (-100.0, -25.4)])
    (row,) = ask(store, "luc_emissions", aggregate=True)
    assert round(row["luc_tco2eyear"], 6) == -125.4 and round(row["luc_tco2ehayear"], 3) == -0.027


def test_water_is_weighted_by_area(store):
    rows = [
        {"water_stress_index": 2.0, "precipitation_pet_ratio": 0.4, "aridity_class": "semi-arid", "valid_fraction": 1.0,
         "annual_precipitation_pet_ratio": {"2021": 0.4, "2022": None}, "assessed_end": "2022-12-31", "reasons": []},
        {"water_stress_index": None, "precipitation_pet_ratio": 0.7, "aridity_class": "humid", "valid_fraction": 0.5,
         "annual_precipitation_pet_ratio": {"2021": 0.7, "2022": None}, "assessed_end": "2021-12-31", "reasons": [{"code": "no_data:water_stress"}]},
    ]  # fmt: skip
    fill(store, "water", [10.0, 20.0], rows)
    (row,) = ask(store, "water", aggregate=True)
    assert row["water_stress_index"] == pytest.approx(2.0)  # of the one plot that has it
    assert row["precipitation_pet_ratio"] == pytest.approx(0.6) and row["aridity_class"] == "dry sub-humid"
    assert row["annual_precipitation_pet_ratio"] == {"2021": pytest.approx(0.6), "2022": None}
    assert row["valid_fraction"] == pytest.approx(20 / 30) and row["assessed_end"].startswith("2021-12-31")
    assert row["reasons"] == [{"code": "no_data:water_stress", "plots": 1}]


def test_several_statistics_in_one_row_keep_their_reasons_apart(store):
    fill(store, "water", [10.0], [{"water_stress_index": 2.0, "valid_fraction": 1.0, "reasons": [{"code": "missing_layer:pet"}]}])
    (row,) = ask(store, "luc_emissions", "water", aggregate=True, prefixed=True)
    assert row["water_reasons"] == [{"code": "missing_layer:pet", "plots": 1}]
    assert row["luc_emissions_reasons"] == [{"code": "not_processed", "plots": 1}] and "reasons" not in row
