"""Fetching plots with their stored results: fields, windows, limits, nulls, layers and NDJSON."""

from __future__ import annotations

import json
import math
import os
import re
import struct

import pytest

from epoch_plugin.core.errors import InputError, NotFoundError
from epoch_plugin.core.fetch import FetchRequest, fetch, ndjson
from epoch_plugin.core.store import jobs
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, job, plot, result, square

C = "0xabc"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.gpkg")


def run_job(store, rows, job_id="job-1", status="completed", statistic="eudr_deforestation"):
    with store.writing() as connection:
        jobs.create(connection, job(job_id))
        jobs.claim(connection, job_id, "me")
        jobs.commit_chunk(connection, job_id, "me", "0", {statistic: rows}, 100)
        if status == "completed":
            jobs.finish(connection, job_id, "me", status)


def ask(store, **request):
    """Fetch everything and return (result, list of features)."""
    answer = fetch(store, FetchRequest(**{"collection": C, **request}))
    return answer, list(answer.features)


def page_fields(shared, heading):
    """The properties of the first example of the API page under a heading."""
    text = (shared / "reference" / "epoch" / "fetch_deforestation_check.txt").read_text(encoding="utf-8")
    block = re.sub(r"//.*", "", text[text.index("{\n", text.index(heading)) :]).replace("[longitude, latitude], ...", "[0, 0]")
    return json.JSONDecoder().raw_decode(block)[0]["properties"]


@pytest.mark.parametrize(
    "heading, request_",
    [
        ("Non-Aggregate Response", {}),
        ("Aggregate Response (aggregate=true)", {"aggregate": True}),
        ("Plots Only Response", {"plots_only": True}),
    ],
)
def test_no_field_of_the_api_page_is_missing(store, shared, tmp_path, heading, request_):
    wanted = page_fields(shared, heading)
    add_collection(store, 2)
    run_job(store, [result(1), result(2)])
    answer = fetch(store, FetchRequest(collection=C, **request_))
    ndjson.write(str(tmp_path / "out.ndjson"), answer)
    feature = json.loads((tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()[0])
    assert feature["type"] == "Feature" and feature["geometry"]["type"] == "Polygon"
    got = feature["properties"]
    assert set(wanted) <= set(got)
    for name, value in wanted.items():
        if isinstance(value, dict):
            assert isinstance(got[name], dict), name
        if isinstance(value, str) and value.endswith("+00:00") and got[name] is not None:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", got[name]), name
    if "annual_defor" in wanted:
        assert list(got["annual_defor"]) == list(wanted["annual_defor"])
    if request_.get("plots_only"):
        assert list(got) == ["uuid", "plotid", "ingestion_date", "area", "metadata"]


def test_nothing_stored_gives_the_plots_with_nulls_and_a_warning(store):
    add_collection(store, 2)
    answer, features = ask(store)
    assert (answer.count, answer.matched) == (2, 2)
    assert "2 of 2 plots have no stored result" in answer.warnings[0]
    values = features[0].properties
    assert json.loads(values["reasons"]) == [{"code": "not_processed"}]
    assert all(values[name] is None for name in ("forest_area", "deforestation_alert", "annual_defor", "monitoring_start", "job_id"))
    assert values["area"] == 1.25


def test_a_window_is_selected_exactly(store):
    add_collection(store, 2)
    run_job(store, [result(1, "a", end="2024-12-31"), result(2, "a", end="2024-12-31")], "a")
    run_job(store, [result(1, "b", end="2025-12-31")], "b")
    _, newest = ask(store)
    assert [f.properties["monitoring_end"] for f in newest] == ["2025-12-31T00:00:00+00:00", "2024-12-31T00:00:00+00:00"]
    answer, exact = ask(store, start="2020-12-31", end="2025-12-31")
    assert [f.properties["job_id"] for f in exact] == ["b", None]
    assert "1 of 2 plots have no stored result for the window 2020-12-31 to 2025-12-31" in answer.warnings[0]
    _, old = ask(store, filters="monitoring_end=2024-12-31")
    assert [f.properties["job_id"] for f in old] == ["a", "a"]
    _, of_job = ask(store, job_id="a")
    assert [f.properties["job_id"] for f in of_job] == ["a", "a"]
    for bad in ({"start": "31.12.2020"}, {"start": "2025-12-31", "end": "2020-12-31"}, {"end": "2025-12-31", "filters": "monitoring_end=2024-12-31"}):
        with pytest.raises(InputError):
            ask(store, **bad)
    with pytest.raises(NotFoundError, match="no job 'zzz'"):
        ask(store, job_id="zzz")


def test_windows_from_the_cut_off_come_first_and_others_are_named(store):
    add_collection(store, 2)
    run_job(store, [result(1, "a", end="2024-12-31")], "a")
    run_job(store, [result(1, "b", start="2021-12-31", end="2026-06-30"), result(2, "b", start="2021-12-31", end="2026-06-30")], "b")
    answer, features = ask(store)
    assert [f.properties["job_id"] for f in features] == ["a", "b"]
    assert answer.warnings == ("eudr_deforestation: 1 results are of windows that do not start on 2020-12-31, because none is stored that does.",)


def test_rows_of_an_unfinished_job_only_where_no_completed_one_has_the_window(store):
    add_collection(store, 2)
    run_job(store, [result(1, "done")], "done")
    run_job(store, [result(1, "running"), result(2, "running")], "running", status="in_progress")
    answer, features = ask(store)
    assert [f.properties["job_id"] for f in features] == ["done", "running"]
    assert "1 results come from a job that is not completed" in answer.warnings[0]


def test_fetch_and_view_agree(store):
    add_collection(store, 30)
    for number, end in enumerate(("2023-12-31", "2025-12-31", "2024-12-31")):
        run_job(
            store, [result(n, f"j{number}", end=end) for n in range(number + 1, 31, 2)], f"j{number}", "completed" if number % 2 else "in_progress"
        )
    run_job(store, [result(5, "late", start="2023-12-31", end="2026-12-31")], "late")
    _, features = ask(store)
    with store.reading() as connection:
        view = {row["uuid"]: (row["job_id"], row["monitoring_end"]) for row in connection.execute("SELECT * FROM view_eudr_deforestation")}
    fetched = {f.uuid: (f.properties["job_id"], f.properties["monitoring_end"][:10]) for f in features if f.properties["job_id"]}
    assert fetched == view


@pytest.mark.parametrize(
    "request_, count, matched",
    [
        ({}, 12, 12),
        ({"limit": 0}, 12, 12),
        ({"limit": 5}, 5, 12),
        ({"filters": "plotid=P3"}, 1, 1),
        ({"filters": "plotid=P3&plotid=P4"}, 1, 2),
        ({"filters": "PLOTID=P3&plotid=P3"}, 1, 1),
        ({"filters": "plotid=P3&plotid=P4", "limit": 0}, 2, 2),
        ({"filters": "clientid=ABC"}, 6, 6),
        ({"filters": "clientid=ABC&plotid=P3&plotid=P5"}, 1, 2),
        ({"filters": "clientid=ABC", "limit": 4}, 4, 6),
        ({"filters": "uuid=0xabc-000001"}, 1, 1),
        ({"filters": "clientid=nobody"}, 0, 0),
        ({"aggregate": True, "limit": 3}, 1, 12),
        ({"aggregate": True, "filters": "plotid=P3&plotid=P4"}, 1, 2),
    ],
)
def test_every_limit_rule(store, request_, count, matched):
    add_collection(store, 12)
    run_job(store, [result(number + 1) for number in range(12)])
    answer, features = ask(store, **request_)
    assert (answer.count, answer.matched, len(features)) == (count, matched, count)
    assert any("raise LIMIT" in text for text in answer.warnings) is (matched > count and not request_.get("aggregate", False))
    assert any("No plot matches" in text for text in answer.warnings) is (matched == 0)


def test_the_default_limit_is_ten_thousand(store):
    add_collection(store, 10_005)
    answer = fetch(store, FetchRequest(collection=C, plots_only=True))
    assert (answer.count, answer.matched, sum(1 for _ in answer.features)) == (10_000, 10_005, 10_000)


def test_bad_requests_say_what_would_be_right(store):
    add_collection(store, 1)
    for request_, message in (
        ({"limit": -1}, "LIMIT"), ({"stats": ("biomass",)}, "eudr_deforestation"), ({"collection": None}, "FILTERS"),
        ({"stats": ("eudr_deforestation", "water")}, "fetchplots"), ({"aggregate": True, "plots_only": True}, "choose one"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            ask(store, **request_)
    with pytest.raises(NotFoundError, match="Cocoa North"):
        ask(store, collection="nowhere")


def test_fetchplots_prefixes_what_every_statistic_has(store):
    add_collection(store, 2)
    run_job(store, [result(1), result(2)])
    water = {
        "collection_id": C,
        "monitoring_start": "2020-12-31",
        "monitoring_end": "2025-12-31",
        "job_id": "w",
        "water_stress_index": 2.5,
        "reasons": [],
    }
    run_job(store, [{**water, "uuid": "0xabc-000001"}], "w", statistic="water")
    answer, features = ask(store, stats=("eudr_deforestation", "water"), prefixed=True)
    names = [field.name for field in answer.fields]
    assert len(names) == len({name.casefold() for name in names})
    assert {"eudr_deforestation_reasons", "water_reasons", "water_monitoring_end", "water_thumbnail_url", "forest_area", "water_stress_index"} <= set(
        names
    )
    assert not {"reasons", "job_id", "monitoring_start", "coverage", "thumbnail_url"} & set(names)
    first, second = (f.properties for f in features)
    assert (first["water_stress_index"], first["water_job_id"], second["water_stress_index"]) == (2.5, "w", None)
    assert json.loads(second["water_reasons"]) == [{"code": "not_processed"}] and second["eudr_deforestation_reasons"] == "[]"
    one, _ = ask(store, stats=("water",), prefixed=True)
    assert "water_reasons" in [field.name for field in one.fields]
    none, _ = ask(store, stats=(), prefixed=True)
    assert [field.name for field in none.fields] == ["uuid", "plotid", "ingestion_date", "area", "metadata"]


def test_cft_is_the_newest_jobs_rows_of_farm_emissions(store):
    add_collection(store, 2)
    for job_id, values in (("a", (1.0, 2.0)), ("b", (3.0,))):
        rows = [{"collection_id": C, "uuid": "0xabc-000001", "source": f"s{i}", "tco2e_year": v, "job_id": job_id} for i, v in enumerate(values)]
        run_job(store, rows, job_id, statistic="non_biomass")
    _, features = ask(store, stats=("cft",), prefixed=True)
    assert [(row["source"], row["tco2e_year"]) for row in json.loads(features[0].properties["cft"])] == [("s0", 3.0)]
    assert features[1].properties["cft"] is None


def test_ndjson_has_the_uploaded_shape_and_every_value_as_it_was(store, tmp_path):
    point = struct.pack("<BI2d", 1, 1, -4.123456789012345, 6.0)
    metadata = '{"näme":"a\\"b\\n\u2028","deep":{"list":[1,2.50,null]},\n"big":123456789012345678901234567890}'
    plots = [plot(1, source_geometry=point, metadata=metadata), plot(2, polygon=_two_squares())]
    add_collection(store, plots=plots)
    path = tmp_path / "out.ndjson"
    answer = fetch(store, FetchRequest(collection=C, plots_only=True, flatten=True))
    assert ndjson.write(str(path), answer) == 2
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in path.read_text(encoding="utf-8").split("\n")[:-1])
    assert first["geometry"] == {"type": "Point", "coordinates": [-4.123456789012345, 6.0]}
    assert first["properties"]["metadata"] == json.loads(metadata)
    assert second["geometry"]["type"] == "MultiPolygon" and len(second["geometry"]["coordinates"]) == 2
    assert not (tmp_path / "out.ndjson.partial").exists()


def _two_squares():
    return struct.pack("<BII", 1, 6, 2) + square(1, 1)[9:] + square(3, 3)[9:]


def test_ndjson_writes_more_features_than_at_once_in_their_order(store, tmp_path):
    add_collection(store, 1203)
    answer = fetch(store, FetchRequest(collection=C, plots_only=True))
    assert ndjson.write(str(tmp_path / "out.ndjson"), answer) == 1203
    lines = (tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()
    again = fetch(store, FetchRequest(collection=C, plots_only=True))
    assert [json.loads(line)["properties"]["uuid"] for line in lines] == [feature.uuid for feature in again.features]


def test_a_shape_that_ndjson_cannot_hold_leaves_no_file(store, tmp_path):
    add_collection(store, 2)
    answer = fetch(store, FetchRequest(collection=C, plots_only=True))
    first, second = answer.features
    with pytest.raises(ValueError, match="finite"), ndjson.NdjsonWriter(str(tmp_path / "out.ndjson"), answer.fields) as writer:
        writer.add(first)
        writer.add(second._replace(source=struct.pack("<BI2d", 1, 1, math.nan, 6.0)))
    assert list(tmp_path.glob("out.ndjson*")) == []


def test_an_interrupted_ndjson_leaves_no_file(store, tmp_path):
    add_collection(store, 2)
    answer = fetch(store, FetchRequest(collection=C, plots_only=True))
    with pytest.raises(RuntimeError), ndjson.NdjsonWriter(str(tmp_path / "out.ndjson"), answer.fields) as writer:
        writer.add(next(answer.features))
        raise RuntimeError("cancelled")
    assert [path.name for path in tmp_path.iterdir() if "ndjson" in path.name] == []
    with pytest.raises(InputError, match="NDJSON cannot be written"):
        ndjson.write(str(tmp_path / "no folder" / "out.ndjson"), answer)


def test_flattening_makes_columns_of_nested_values(store):
    plots = [
        plot(1, metadata='{"farmerCode":"X1","Area":1.5,"n":1,"mixed":1,"yes":true,"o":{"a":1}}'),
        plot(2, metadata='{"area":2,"n":2,"mixed":"b"}'),
    ]
    add_collection(store, plots=plots)
    run_job(store, [result(1), result(2)])
    answer, features = ask(store, flatten=True)
    rows = [answer.layer_properties(feature) for feature in features]
    names = [field.name for field in answer.layer_fields]
    types = {field.name: field.type for field in answer.layer_fields}
    assert set(names) == set(rows[0]) == set(rows[1])
    assert {"agreement_glad", "overlap_cocoa", "defor_ha_2021", "defor_ha_rmse_2025", "coverage_glad", "metadata_farmerCode"} <= set(names)
    assert not {"agreement", "overlap", "metadata", "annual_defor"} & set(names)
    assert rows[0]["overlap_cocoa"] == 0.03118 and rows[0]["agreement_dynamic_world"] is None
    assert (rows[0]["metadata_Area"], rows[0]["metadata_area_2"], rows[1]["metadata_Area"], rows[1]["metadata_area_2"]) == (1.5, None, None, 2)
    assert any("'metadata_area_2'" in text for text in answer.warnings)
    assert (types["metadata_n"], types["metadata_Area"], types["metadata_mixed"], types["overlap_cocoa"]) == ("INTEGER", "REAL", "TEXT", "REAL")
    assert (rows[0]["metadata_mixed"], rows[1]["metadata_mixed"], rows[0]["metadata_yes"], rows[0]["metadata_o"]) == ("1", "b", "true", '{"a": 1}')
    assert json.loads(rows[0]["system_defor_glad"])["2021"] == 0.0
    # Features keep the objects whole: that is what NDJSON writes.
    assert json.loads(features[0].properties["overlap"])["cocoa"] == 0.03118


def test_fields_carry_aliases_and_units(store):
    add_collection(store, 1)
    answer, _ = ask(store)
    units = {field.name: (field.alias, field.unit, field.type) for field in answer.fields}
    assert units["area"] == ("Area", "ha", "REAL")
    assert units["noncompliance_area_perc"][1:] == ("0-1", "REAL")
    assert units["monitoring_end"][2] == "DATE" and units["overlap"][1:] == ("ha", "JSON")


def test_one_snapshot_whoever_commits_meanwhile(store):
    add_collection(store, 600)
    answer = fetch(store, FetchRequest(collection=C, limit=0))
    first = next(answer.features)
    run_job(store, [result(number + 1) for number in range(600)])
    assert {feature.properties["job_id"] for feature in [first, *answer.features]} == {None}
    assert answer.matched == 600


@pytest.mark.parametrize("obstacle", ["the disk is full", "a folder has the name"])
def test_ndjson_that_cannot_be_finished_is_an_error_in_words_and_leaves_nothing(store, tmp_path, obstacle):
    add_collection(store, 2)
    path = tmp_path / "out.ndjson"
    if obstacle == "a folder has the name":
        path.mkdir()
    elif not os.path.exists("/dev/full"):
        pytest.skip("this system has no device that is always full")
    else:
        (tmp_path / "out.ndjson.partial").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"NDJSON cannot be written to .*out\.ndjson"):
        ndjson.write(str(path), fetch(store, FetchRequest(collection=C, plots_only=True)))
    assert path.is_dir() or not path.exists()
    assert not os.path.lexists(tmp_path / "out.ndjson.partial")
