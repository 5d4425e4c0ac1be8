"""Supply base and regions from a batch to the fetched feature: who belongs, what adds up, what is skipped, what stands beside a plot."""

from __future__ import annotations

import hashlib
import json

import pytest

from epoch_plugin.core.batch import regional
from epoch_plugin.core.errors import CancelledError, InputError, NotFoundError
from epoch_plugin.core.fetch import FetchRequest, fetch, ndjson
from epoch_plugin.core.fetch.supply_shed import SupplyShedRequest, fetch_supply_shed
from epoch_plugin.core.store import collections
from tests.core.deforestation_scene import block_ha, cells
from tests.core.raster_files import write_datasets
from tests.core.region_scene import COLLECTION, cocoa, features, forest_and_loss, region_rows, regions_file, run, store_with
from tests.core.sample_batch import Listener

PLOTS = (cells(0, 0, 10, 10), cells(15, 0, 25, 10), cells(30, 0, 40, 10), cells(0, 20, 4, 24))  # the second: half west, half east of column 20
WEST, EAST = cells(-5, -5, 20, 45), cells(20, -5, 45, 45)


@pytest.fixture
def datasets(tmp_path):
    glad = ((2, 2, 6, 6, 22), (32, 2, 34, 4, 23), (12, 12, 14, 14, 21))
    second = ((2, 2, 6, 6, 22), (32, 2, 34, 4, 23))
    return write_datasets(tmp_path, *forest_and_loss(tmp_path, glad=glad, second=second), cocoa(tmp_path, (11, 11, 19, 19), (21, 11, 23, 13)))


@pytest.fixture
def processed(tmp_path, datasets):
    store = store_with(tmp_path, *PLOTS)
    listener = Listener()
    run(store, datasets, listener, regions=regions_file(tmp_path, ("west", WEST), ("east", EAST), ("nowhere", cells(60, 60, 70, 70))),
        region_name_field="zone")  # fmt: skip
    store.warned = listener.warnings
    return store


def ask(store, **request):
    answer = fetch_supply_shed(store, SupplyShedRequest(**{"collection": COLLECTION, "stats": ("eudr_deforestation",), **request}))
    return answer, features(answer)


def test_rows_of_a_batch(processed):
    rows = region_rows(processed)
    assert set(rows) == {("supply_shed", "Cocoa North"), ("region", "west"), ("region", "east")}  # "nowhere" holds no plot
    west, east, whole = rows["region", "west"], rows["region", "east"], rows["supply_shed", "Cocoa North"]
    # half of the second plot lies in each region, and half is enough for a stored row
    assert (west["commodity_plot_no"], east["commodity_plot_no"], whole["commodity_plot_no"]) == (3, 2, 4)
    assert west["noncompliance_area_ha"] == pytest.approx(block_ha(2, 2, 6, 6), rel=1e-6)
    assert east["noncompliance_area_ha"] == pytest.approx(block_ha(32, 2, 34, 4), rel=1e-6)
    assert whole["noncompliance_area_ha"] == pytest.approx(block_ha(2, 2, 6, 6) + block_ha(32, 2, 34, 4), rel=1e-6)
    assert west["noncompliance_area_perc_ref"] == 0.0  # in cocoa only one of two systems flagged
    assert west["area_ha_commodity"] == pytest.approx(block_ha(0, 0, 10, 10) + block_ha(15, 0, 25, 10) + block_ha(0, 20, 4, 24), rel=1e-5)
    with processed.reading() as connection:
        shares = {(row["uuid"], row["region_uuid"]): row["share"] for row in connection.execute("SELECT * FROM plot_regions")}
    assert shares[f"{COLLECTION}-000002", west["uuid"]] == pytest.approx(0.5, abs=1e-6) and len(shares) == 5
    assert not processed.warned


def test_fetch_sums_the_plots_that_pass_the_threshold(processed):
    answer, (east, west) = ask(processed, stat_type="region")
    assert {east["region_name"], west["region_name"]} == {"east", "west"}
    east, west = (row for _, row in sorted((row["region_name"], row) for row in (east, west)))
    assert (west["commodity_plot_no"], east["commodity_plot_no"]) == (2, 1)  # the whole plot must lie in the region: 1.0 is the default
    assert any("1 plots of 'Cocoa North' belong to no region" in text for text in answer.warnings)
    answer, found = ask(processed, stat_type="region", overlap_threshold=0.5)
    assert {row["region_name"]: row["commodity_plot_no"] for row in found} == {"west": 3, "east": 2} and not answer.warnings
    stored = region_rows(processed)["region", "west"]
    west = next(row for row in found if row["region_name"] == "west")
    for name in ("noncompliance_area_ha", "noncompliance_area_perc", "noncompliance_area_rate", "annual_defor_ha", "area_ha_supply_shed", "uuid",
                 "noncompliance_area_perc_ref", "noncompliance_area_perc_ref_n", "noncompliance_area_perc_ref_year"):  # fmt: skip
        assert west[name] == stored[name], name


def test_all_kinds_at_once_and_the_supply_base_by_default(processed, tmp_path):
    answer, (row,) = ask(processed)
    assert (row["stat_type"], row["uuid"], answer.count, answer.matched) == ("supply_shed", COLLECTION, 1, 1)
    answer, rows = ask(processed, stat_type="all", overlap_threshold=0.5)
    assert [row["stat_type"] for row in rows] == ["supply_shed", "region", "region"]
    answer = fetch_supply_shed(processed, SupplyShedRequest(COLLECTION, "all", overlap_threshold=0.5, limit=2))
    assert (answer.count, answer.matched) == (2, 3) and any("3 regions match, 2 are returned" in text for text in answer.warnings)
    assert ndjson.write(str(tmp_path / "regions.ndjson"), answer) == 2
    lines = [json.loads(line) for line in (tmp_path / "regions.ndjson").read_text(encoding="utf-8").splitlines()]
    assert {line["geometry"]["type"] for line in lines} == {"Polygon"} and isinstance(lines[0]["properties"]["centroid"], dict)


def test_sums_recomputed_from_fetched_plots_equal_the_region(processed):
    plots = features(fetch(processed, FetchRequest(COLLECTION, filters=f"uuid={COLLECTION}-000001&uuid={COLLECTION}-000004", limit=0)))
    _, rows = ask(processed, stat_type="region")
    west = next(row for row in rows if row["region_name"] == "west")
    assert west["noncompliance_area_ha"] == pytest.approx(sum(plot["noncompliance_area"] for plot in plots), rel=1e-12)
    assert west["noncompliance_area_perc"] == pytest.approx(
        sum(plot["noncompliance_area"] for plot in plots) / sum(plot["area"] for plot in plots), rel=1e-12
    )
    for year in (2021, 2022, 2023):
        key = f"defor_ha_{year}"
        assert west["annual_defor_ha"][key] == pytest.approx(sum(plot["annual_defor"][key] for plot in plots), rel=1e-12)


def test_filters_windows_and_what_is_not_there(processed):
    _, rows = ask(processed, stat_type="all", filters="region_name=west")
    assert [row["region_name"] for row in rows] == ["west"]
    _, rows = ask(processed, collection=None, stat_type="all", filters="COMMODITY=cocoa&stat_type=region")
    assert len(rows) == 2
    with pytest.raises(InputError, match="no field and no metadata key of regions is called 'wrong'"):
        ask(processed, filters="wrong=1")
    with pytest.raises(NotFoundError, match="No region of kind 'watershed'"):
        ask(processed, stat_type="watershed")
    with pytest.raises(NotFoundError, match="No region of kind 'region'"):
        ask(processed, stat_type="region", start="2020-12-31", end="2022-12-31")
    answer, (row,) = ask(processed, start="2020-12-31", end="2022-12-31")
    assert row["noncompliance_area_ha"] is None and any("no stored result" in text for text in answer.warnings)
    with pytest.raises(InputError, match="STAT_TYPE is 'county'"):
        ask(processed, stat_type="county")


def test_plots_show_the_reference_of_their_region(processed):
    request = {"collection": COLLECTION, "stats": ("eudr_deforestation",), "prefixed": True, "limit": 0}
    rows = {row["plotid"]: row for row in features(fetch(processed, FetchRequest(**request, stat_type="region", overlap_threshold=0.5)))}
    stored = region_rows(processed)
    for plotid, name in (("P1", "west"), ("P3", "east"), ("P4", "west")):
        assert rows[plotid]["noncompliance_area_perc_ref_n"] == stored["region", name]["noncompliance_area_perc_ref_n"] > 0, plotid
    strict = {row["plotid"]: row for row in features(fetch(processed, FetchRequest(**request, stat_type="region", overlap_threshold=1.0)))}
    assert strict["P2"]["noncompliance_area_perc_ref"] is None and strict["P1"]["noncompliance_area_perc_ref"] == 0.0
    hull = features(fetch(processed, FetchRequest(**request, stat_type="supply_shed")))
    assert {row["noncompliance_area_perc_ref_n"] for row in hull} == {stored["supply_shed", "Cocoa North"]["noncompliance_area_perc_ref_n"]}
    none = features(fetch(processed, FetchRequest(**request, stat_type="admin_area")))
    assert {row["noncompliance_area_perc_ref"] for row in none} == {None}


def test_plots_in_no_region_are_counted_and_the_layer_stays_as_it_is(tmp_path, datasets):
    store, listener = store_with(tmp_path, *PLOTS), Listener()
    path = regions_file(tmp_path, ("west", WEST))
    before = hashlib.sha256((tmp_path / "regions.gpkg").read_bytes()).hexdigest()
    run(store, datasets, listener, regions=path, region_name_field="zone")
    assert "1 of 4 plots belong to no region: no region holds enough of their area." in listener.warnings
    assert hashlib.sha256((tmp_path / "regions.gpkg").read_bytes()).hexdigest() == before


def test_regions_are_part_of_what_a_job_was_computed_from(tmp_path, datasets):
    store, path = store_with(tmp_path, *PLOTS), regions_file(tmp_path, ("west", WEST))
    first = run(store, datasets, if_done="reuse", regions=path, region_name_field="zone")
    assert run(store, datasets, if_done="reuse", regions=path, region_name_field="zone").job_id == first.job_id
    assert run(store, datasets, if_done="reuse").job_id != first.job_id
    (tmp_path / "regions.gpkg").unlink()
    regions_file(tmp_path, ("west", WEST), ("east", EAST))
    assert run(store, datasets, if_done="reuse", regions=path, region_name_field="zone").job_id != first.job_id
    with pytest.raises(InputError, match="has no field 'other'"):
        run(store, datasets, regions=path, region_name_field="other")


def test_a_later_batch_of_another_statistic_keeps_the_regions(processed, tmp_path):
    datasets = write_datasets(tmp_path, *forest_and_loss(tmp_path, glad=()), cocoa(tmp_path, (11, 11, 19, 19)), name="second.json")
    run(processed, datasets, stats=("luc_emissions",))
    _, rows = ask(processed, stat_type="region", stats=("eudr_deforestation", "luc_emissions"), overlap_threshold=0.5)
    assert {row["region_name"] for row in rows} == {"west", "east"}
    assert all(row["noncompliance_area_perc_ref"] is not None and row["luc_tco2ehayear"] is None for row in rows)


def test_a_skipped_collection_says_so_in_a_row_and_is_believed_again_once_processed(tmp_path, datasets):
    store = store_with(tmp_path, *PLOTS, locations_confidence="low", validation_report={"confidence": "low"})
    assert run(store, datasets, skip_on_low_confidence=True).status == "cancelled"
    assert run(store, datasets, skip_on_low_confidence=True).status == "cancelled"  # once skipped, it is not trusted the second time either
    skipped = "not processed: validation confidence too low"
    row = region_rows(store)["supply_shed", "Cocoa North"]
    assert row["locations_confidence"] == skipped and row["noncompliance_area_ha"] is None and row["aggregate_plot_count"] == 4
    assert row["reasons"] == [{"code": "not_processed"}]
    _, (fetched,) = ask(store)
    assert fetched["locations_confidence"] == skipped and fetched["noncompliance_area_ha"] is None
    assert run(store, datasets).status == "completed"
    with store.reading() as connection:
        assert collections.find(connection, COLLECTION).locations_confidence == "low"
    _, (fetched,) = ask(store)
    assert fetched["locations_confidence"] == "low" and fetched["noncompliance_area_ha"] is not None


def test_farm_emissions_per_ha_and_tonne(tmp_path, datasets):
    payload = {"cft_payload": {"crop": {"type": "cocoa", "yield": {"value": 500, "unit": "kg/ha"}},
                               "fertilisers": [{"type": "urea", "application_rate": {"value": 100, "unit": "kg/ha"}}]}}  # fmt: skip
    store = store_with(tmp_path, *PLOTS, input_payload=payload)
    run(store, datasets, non_biomass=True)
    row = region_rows(store)["supply_shed", "Cocoa North"]
    with store.reading() as connection:
        total, area = connection.execute("SELECT sum(tco2e_year), (SELECT sum(area) FROM plots) FROM stat_non_biomass").fetchone()
    assert row["non_biomass_tco2eyear"] == pytest.approx(total, rel=1e-12) and total > 0
    assert row["non_biomass_tco2ehayear"] == pytest.approx(total / area, rel=1e-12)
    assert row["non_biomass_tco2etonne"] == pytest.approx(total / (area * 0.5), rel=1e-12)  # 500 kg/ha
    _, (fetched,) = ask(store, stats=("eudr_deforestation", "cft"))
    (whole,) = features(fetch(store, FetchRequest(COLLECTION, ("eudr_deforestation", "cft"), aggregate=True, prefixed=True)))
    for name in ("non_biomass_tco2eyear", "non_biomass_tco2ehayear", "non_biomass_tco2etonne"):
        assert fetched[name] == whole[name] == row[name]


def test_farm_emissions_without_a_payload_are_refused(tmp_path, datasets):
    store = store_with(tmp_path, *PLOTS)
    with pytest.raises(InputError, match="has no INPUT_PAYLOAD"):
        run(store, datasets, non_biomass=True)
    assert not region_rows(store)


def test_metadata_fills_what_only_metadata_can_know(tmp_path, datasets):
    metadata = {"company_name": "Cocoa & Co", "dds_reference_number": "25FR1", "legality_risk": "low"}
    store = store_with(tmp_path, *PLOTS, metadata=metadata)
    run(store, datasets)
    _, (row,) = ask(store)
    assert {name: row[name] for name in metadata} == metadata
    assert row["facility_name"] is None and row["travel_time_min"] is None and row["facility_geo"].startswith("POINT(10.0")


def test_shares_that_take_long_are_stopped_while_they_are_worked_out(tmp_path, datasets, monkeypatch):
    store, listener = store_with(tmp_path, *PLOTS), Listener()
    seen = []

    def slowly(*of):
        for share in original(*of):
            seen.append(share)
            listener.stop = True
            yield share

    original = regional.shares
    monkeypatch.setattr(regional, "shares", slowly)
    with pytest.raises(CancelledError):
        run(store, datasets, listener, regions=regions_file(tmp_path, ("known to no other test", cells(-4, -5, 20, 45))), region_name_field="zone")
    assert len(seen) == 1
