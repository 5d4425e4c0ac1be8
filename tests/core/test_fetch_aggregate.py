"""One row for all plots: METHODS section 3, "Aggregates", against hand-worked numbers and pyproj."""

from __future__ import annotations

import json
import math

import pytest

from epoch_plugin.core.fetch import FetchRequest, fetch
from epoch_plugin.core.fetch.aggregate_deforestation import yearly_rate
from epoch_plugin.core.store import results
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, plot, result, square

pyproj = pytest.importorskip("pyproj")
shapely_wkb = pytest.importorskip("shapely.wkb")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.gpkg")


def total(store, rows, **request):
    with store.writing() as connection:
        results.insert(connection, "eudr_deforestation", rows)
    answer = fetch(store, FetchRequest(collection=request.pop("collection", "0xabc"), aggregate=True, **request))
    (feature,) = answer.features
    return answer, feature, {field.name: _parsed(field, feature.properties[field.name]) for field in answer.fields}


def _parsed(field, value):
    return json.loads(value) if field.type == "JSON" and value is not None else value


def test_the_worked_check_of_the_page(store):
    areas = [500.0, 400.018, 110.0]
    add_collection(store, plots=[plot(n, area=area) for n, area in enumerate(areas, 1)])
    rows = [
        result(1, noncompliance_area=1.0, deforestation_alert="critical"),
        result(2, noncompliance_area=0.18919, deforestation_alert="critical"),
        result(3),
    ]
    _, _, row = total(store, rows)
    assert row["area_ha_commodity"] == pytest.approx(1010.018)
    assert row["noncompliance_area_ha"] == row["noncompliance_area"] == pytest.approx(1.18919)
    assert round(row["noncompliance_area_perc"], 6) == 0.001177
    assert round(row["noncompliance_area_rate"], 6) == 0.000236
    assert (row["noncompliance_plot_count"], row["commodity_plot_no"], row["aggregate_plot_count"]) == (2, 3, 3)


def test_only_assessed_plots_stand_in_the_share_and_the_earliest_end_in_the_rate(store):
    add_collection(store, plots=[plot(n, area=10.0) for n in range(1, 5)])
    rows = [
        result(1, noncompliance_area=2.0, deforestation_alert="critical", assessed_end="2024-12-31"),
        result(2),
        result(3, noncompliance_area=None, deforestation_alert=None, assessed_end="2022-12-31", valid_fraction=0.5),
    ]
    answer, _, row = total(store, rows)
    assert (row["assessed_area_ha"], row["assessed_plot_no"], row["area_ha_commodity"]) == (20.0, 2, 40.0)
    assert row["noncompliance_area_perc"] == pytest.approx(0.1)
    assert row["noncompliance_area_rate"] == pytest.approx(0.1 / (1461 / 365.25))
    assert row["assessed_end"] == "2024-12-31T00:00:00+00:00"
    assert row["reasons"] == [{"code": "not_processed", "plots": 1}]
    assert answer.matched == 4 and "1 of 4 plots have no stored result" in answer.warnings[0]


def test_nothing_assessed_gives_nulls_not_zeros(store):
    add_collection(store, 2)
    _, _, row = total(store, [result(1, noncompliance_area=None, deforestation_alert=None, assessed_end=None)])
    assert all(
        row[name] is None for name in ("noncompliance_area_ha", "noncompliance_area_perc", "noncompliance_area_rate", "noncompliance_plot_count")
    )
    assert row["assessed_plot_no"] == 0 and row["area_ha_forest"] == 0.5
    assert yearly_rate(0.1, "2020-12-31", None) is None


def test_years_are_summed_and_what_is_missing_is_said(store):
    add_collection(store, plots=[plot(n, area=10.0) for n in (1, 2, 3)])

    def row(number, losses, glad, tmf):
        annual = {f"defor_ha_{2021 + k}": loss for k, loss in enumerate(losses)} | {f"defor_ha_rmse_{2021 + k}": 0.0 for k in range(3)}
        systems = {name: {str(2021 + k): area for k, area in enumerate(areas)} for name, areas in (("glad", glad), ("tmf", tmf))}
        return result(number, annual_defor=annual, system_defor=systems)

    _, _, values = total(store, [
        row(1, (1.0, 0.5, None), (1.0, 0.5, None), (0.4, 0.5, None)),
        row(2, (2.0, None, None), (1.0, None, None), (2.0, None, None)),
        row(3, (0.0, 0.0, None), (0.0, 0.0, None), (None, None, None)),
    ])  # fmt: skip
    annual = values["annual_defor_ha"]
    assert list(annual) == [name for year in (2021, 2022, 2023) for name in (f"defor_ha_{year}", f"defor_ha_rmse_{year}")]
    assert (annual["defor_ha_2021"], annual["defor_ha_2022"], annual["defor_ha_2023"]) == (3.0, 0.5, None)
    # TMF speaks for two thirds of the area: under 0.95, so GLAD stands alone and alone there is no error.
    assert (annual["defor_ha_rmse_2021"], annual["defor_ha_rmse_2022"], annual["defor_ha_rmse_2023"]) == (None, None, None)
    assert values["reasons"] == [{"code": "year_not_covered:2022", "plots": 1}, {"code": "year_not_covered:2023", "plots": 3},
                                 {"code": "single_system", "years": [2021, 2022]}]  # fmt: skip
    _, _, two = total(store, [], filters="plotid=P1&plotid=P2")
    # GLAD 2.0 and TMF 2.4 against the union's 3.0.
    assert two["annual_defor_ha"]["defor_ha_rmse_2021"] == pytest.approx(math.sqrt((1.0**2 + 0.6**2) / 2))


def test_hull_area_and_centroid(store):
    shapely_geometry = pytest.importorskip("shapely.geometry")
    add_collection(store, plots=[plot(1, polygon=square(0.0, 0.0)), plot(2, polygon=square(1.0, 0.0)), plot(3, polygon=square(0.0, 1.0))])
    _, feature, row = total(store, [result(1)])
    corners = [(0, 0), (1.001, 0), (1.001, 0.001), (0.001, 1.001), (0, 1.001)]
    expected = abs(pyproj.Geod(ellps="WGS84").polygon_area_perimeter(*zip(*corners))[0]) / 1e4
    assert row["area_ha_supply_shed"] == pytest.approx(expected, rel=1e-12)
    hull = shapely_wkb.loads(feature.polygon)
    assert hull.geom_type == "MultiPolygon" and hull.equals(shapely_geometry.MultiPolygon([shapely_geometry.Polygon(corners)]))
    centroid = shapely_geometry.Polygon(corners).centroid
    assert row["centroid"] == {"lat": pytest.approx(centroid.y), "long": pytest.approx(centroid.x)}
    assert row["facility_geo"] == f"POINT({row['centroid']['long']!r} {row['centroid']['lat']!r})"


def test_plots_on_both_sides_of_the_antimeridian_have_a_small_hull(store):
    add_collection(store, plots=[plot(1, polygon=square(179.9, -17.0)), plot(2, polygon=square(-179.9, -17.0))])
    _, feature, row = total(store, [result(1), result(2)])
    hull = shapely_wkb.loads(feature.polygon)
    assert len(hull.geoms) == 2 and hull.bounds[0] >= -180 and hull.bounds[2] <= 180
    assert row["area_ha_supply_shed"] < 300
    assert abs(row["centroid"]["long"]) > 179.9


def test_system_types_places_and_metadata(store):
    plots = [plot(1, area=1.0, metadata='{"system_type":"estate"}'), plot(2, area=2.0), plot(3, area=4.0, metadata='{"system_type":"Smallholder"}')]
    add_collection(store, plots=plots, system_type="smallholder", country="Ghana", detected_country="Ivory Coast", admin1="Vallée du Bandama",
                   crop_type="cocoa", locations_confidence="high",
                   metadata={"company_name": "Coop", "dds_reference_number": "25FR1", "stage_report": {"read": 3}})  # fmt: skip
    _, _, row = total(store, [result(1), result(2), result(3)])
    assert row["metadata"] == {"company_name": "Coop", "dds_reference_number": "25FR1"}
    assert (row["area_ha_estate"], row["area_ha_smallholder"], row["aggregate_area"]) == (1.0, 6.0, 7.0)
    assert (row["country"], row["admin1"], row["commodity"], row["locations_confidence"]) == ("Ivory Coast", "Vallée du Bandama", "cocoa", "high")
    assert (row["company_name"], row["dds_reference_number"], row["facility_name"], row["legality_risk"]) == ("Coop", "25FR1", None, None)
    assert (row["collection_id"], row["stat_type"], row["collection_name"]) == ("0xabc", "supply_shed", "Cocoa North")


def test_several_collections_and_windows_are_not_mixed_up_silently(store):
    add_collection(store, 1)
    add_collection(store, 1, "0xdef", "Second")
    rows = [result(1, end="2024-12-31"), result(1, collection_id="0xdef")]
    answer, _, row = total(store, rows, collection=None, filters="clientid=ABC")
    assert (row["collection_id"], row["uuid"], row["commodity_plot_no"]) == (None, None, 2)
    assert (row["monitoring_start"], row["monitoring_end"]) == ("2020-12-31T00:00:00+00:00", "2025-12-31T00:00:00+00:00")
    assert any("2 different windows" in text for text in answer.warnings)


def test_no_matching_plot_gives_no_row(store):
    add_collection(store, 1)
    answer = fetch(store, FetchRequest(collection="0xabc", aggregate=True, filters="clientid=nobody"))
    assert (answer.count, answer.matched, list(answer.features)) == (0, 0, [])
    assert "No plot matches" in answer.warnings[0]
