"""Every field of the API's pages is there, in single features, aggregates, regions and plots only, with the page's nesting."""

from __future__ import annotations

import ast
import datetime as dt
import json
import re

import numpy as np
import pytest
import shapely.wkb

from epoch_plugin.core.batch import BatchRequest, run_batch
from epoch_plugin.core.fetch import FetchRequest, fetch, ndjson
from epoch_plugin.core.fetch.supply_shed import SupplyShedRequest, fetch_supply_shed
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.store.listing import collections_response
from epoch_plugin.core.store.store import Store
from tests.core.deforestation_scene import LOSS_YEAR, YES_NO, geodesic_ha
from tests.core.raster_files import write_datasets, write_tif
from tests.core.store_samples import add_collection, plot

PAGES = {
    "fetch_deforestation_check": ("eudr_deforestation", "2025-12-31"),
    "fetch_biodiversity": ("biodiversity", "2023-12-31"),
    "fetch_biomass_emissions": ("luc_emissions", "2023-12-31"),
}
HEADINGS = {"Non-Aggregate Response": {}, "Aggregate Response (aggregate=true)": {"aggregate": True}, "Plots Only Response": {"plots_only": True}}
WATER = ("water_stress_index", "precipitation_pet_ratio", "soil_moisture_percentile", "evapotranspiration_anomaly", "aridity_class",
         "annual_precipitation_pet_ratio", "annual_soil_moisture_percentile", "annual_evapotranspiration_anomaly")  # fmt: skip


def page_fields(shared, page, heading):
    """The properties of the example of an API page under a heading."""
    text = (shared / "reference" / "epoch" / f"{page}.txt").read_text(encoding="utf-8")
    block = re.sub(r"\s//.*", "", text[text.index("{\n", text.index(heading)) :]).replace("[longitude, latitude], ...", "[0, 0]")
    return json.JSONDecoder().raw_decode(block)[0]["properties"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    store = Store(folder / "store.gpkg")
    add_collection(store, plots=[plot(n, area=geodesic_ha(shapely.wkb.loads(plot(n).polygon))) for n in (1, 2)], status="uploaded", crop_type="cocoa")
    years = (2020, 2021, 2022, 2023)

    def written(name, value, kind="uint8"):
        write_tif(folder / f"{name}.tif", np.full((200, 200), value, kind), -5.01, 6.01, 0.0001, tile=64)
        return f"{name}.tif"

    loss = {"encoding": {**LOSS_YEAR, "none": 0}, "years": [2001, 2025], "theme": "detection"}
    masks = ("forest_2020", "jrc_forest", "tmf_forest", "natural_forest", "wdpa", "wdpa_mandate")
    crops = ("palm", "cocoa", "rubber", "coffee", "soy", "cattle", "timber")
    entries = [{"role": role, "source": written(role, 1), "encoding": YES_NO, "year": 2020} for role in (*masks, *crops)]
    entries += [{"role": role, "source": written(role, 22), **loss} for role in ("glad", "dynamic_world", "tmf")]
    classes = {"encoding": {"kind": "classes", "class_map": {"1": "natural", "2": "managed"}}, "nodata": 0}
    more = {"agb": {"unit": "Mg/ha"}, "agb_sd": {"unit": "Mg/ha"}, "soc": {}, "chm": {"unit": "m"}, "lc": classes}
    for role, keys in more.items():
        kind = "uint8" if role == "lc" else "float32"
        entries.append({"role": role, "sources": {str(y): written(f"{role}_{y}", 1 + y % 2, kind) for y in years}, **keys})
    path = write_datasets(folder, *entries)
    for statistic, end in PAGES.values():
        request = BatchRequest("0xabc", dt.date.fromisoformat(end), path, (statistic,), start_date=dt.date(2020, 12, 31))
        if statistic == "biodiversity":
            request = BatchRequest("0xabc", dt.date.fromisoformat(end), path, (statistic,), start_date=dt.date(2019, 12, 31))
        run_batch(store, request, NoProgress())
    return store


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("page", PAGES)
def test_no_field_of_a_page_is_missing(store, shared, tmp_path, page, heading):
    wanted = page_fields(shared, page, heading)
    lines = written_lines(fetch(store, FetchRequest("0xabc", (PAGES[page][0],), **HEADINGS[heading])), tmp_path)
    assert len(lines) == (1 if HEADINGS[heading].get("aggregate") else 2)
    compare(wanted, lines[0])
    if heading == "Plots Only Response":
        assert set(lines[0]) == set(wanted)


def written_lines(answer, tmp_path):
    ndjson.write(str(tmp_path / "out.ndjson"), answer)
    return [json.loads(line)["properties"] for line in (tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()]


def compare(wanted, got, path=""):
    """Every field is there, of the page's kind where it is known: text, number, object with the page's keys, timestamp or day."""
    assert set(wanted) <= set(got), sorted(f"{path}{name}" for name in set(wanted) - set(got))
    for name, value in wanted.items():
        found = got[name]
        if name == "metadata" or value is None or found is None:
            continue
        assert kind(found) == kind(value), (path + name, value, found)
        if isinstance(value, dict):
            compare(value, found, f"{path}{name}.")


def kind(value):
    """What a value of JSON is, as a reader of the page's example sees it; a whole number is a number."""
    if isinstance(value, str):
        found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}\+00:00)?", value)
        return "text" if found is None else "timestamp" if found[2] else "day"
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


@pytest.mark.parametrize("page", PAGES)
def test_a_field_that_the_page_has_and_we_lack_is_noticed(store, shared, tmp_path, page):
    """The comparison fails on a renamed field, a renamed key of an object, and on another kind of value; on nothing else."""
    for heading, asked in HEADINGS.items():
        wanted = page_fields(shared, page, heading)
        got = written_lines(fetch(store, FetchRequest("0xabc", (PAGES[page][0],), **asked)), tmp_path)[0]
        compare(wanted, got)
        for name, value in wanted.items():
            with pytest.raises(AssertionError, match=name):
                compare(wanted, {other: found for other, found in got.items() if other != name})
            for key in value if isinstance(value, dict) and name != "metadata" else ():
                with pytest.raises(AssertionError, match=f"{name}.{key}"):
                    compare(wanted, {**got, name: {other: found for other, found in got[name].items() if other != key}})
            if value is not None and name != "metadata":
                with pytest.raises(AssertionError, match=name):
                    compare(wanted, {**got, name: ["neither"]})


def test_every_page_is_read_by_some_test(shared):
    """The two pages of batches are read by the other tests of this file and by tests/qgis/test_api_pages.py."""
    known = {*PAGES, "batch_process", "batch_zonal_stats"}
    assert {path.stem for path in (shared / "reference" / "epoch").glob("*.txt")} == known


def test_collections_are_listed_as_on_the_page(store, shared):
    text = (shared / "reference" / "epoch" / "batch_process.txt").read_text(encoding="utf-8")
    start = text.index("{\n'my_first_collection'")
    (wanted,) = ast.literal_eval(text[start : text.rindex("}") + 1]).values()
    with store.reading() as connection:
        (got,) = collections_response(connection).values()
    assert set(wanted) <= set(got) and set(wanted["batch_jobs"][0]) <= set(got["batch_jobs"][0])
    for name in ("collection_id", "plot_number", "batch_jobs"):
        assert kind(got[name]) == kind(wanted[name]), name
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", got["ingestion_time"])
    for name in ("complete_task_ids", "failed_task_ids", "stats", "start_date", "end_date", "status", "outcome"):
        assert kind(got["batch_jobs"][0][name]) == kind(wanted["batch_jobs"][0][name]), name


def test_a_region_has_every_field_of_the_aggregate_pages(store, shared, tmp_path):
    statistics = tuple(statistic for statistic, _ in PAGES.values())
    lines = written_lines(fetch_supply_shed(store, SupplyShedRequest("0xabc", stats=statistics)), tmp_path)
    for page in PAGES:
        wanted = page_fields(shared, page, "Aggregate Response (aggregate=true)")
        # regions have the timestamps of the deforestation page, whatever else stands beside
        compare({name: value for name, value in wanted.items() if not name.startswith("monitoring_")}, lines[0])
    assert kind(lines[0]["monitoring_start"]) == kind(lines[0]["monitoring_end"]) == "timestamp"
    for name in ("noncompliance_area_perc", "luc_tco2ehayear", "biogenic_tco2ehayear", "soc_tco2ehayear", "removal_tco2ehayear", "diversity_score"):
        assert {f"{name}_ref", f"{name}_ref_n", f"{name}_ref_se", f"{name}_ref_year"} <= set(lines[0]), name
    # between the two plots lies cocoa that lost its forest in the eyes of all three systems, as theirs did
    assert lines[0]["noncompliance_area_perc_ref"] == pytest.approx(1.0) and lines[0]["noncompliance_area_perc_ref_n"] > 50
    assert lines[0]["luc_tco2ehayear_ref"] == pytest.approx(lines[0]["luc_tco2ehayear"], rel=1e-6)
    assert lines[0]["diversity_score_ref"] == pytest.approx(lines[0]["diversity_score"], rel=1e-6)


def test_water_has_the_fields_of_the_methods(store):
    names = [field.name for field in fetch(store, FetchRequest("0xabc", ("water",))).fields]
    assert {*WATER, "thumbnail_url", "assessed_end", "valid_fraction", "reasons"} <= set(names)
    aggregate = [field.name for field in fetch(store, FetchRequest("0xabc", ("water",), aggregate=True)).fields]
    assert {*WATER, "aggregate_area", "aggregate_plot_count", "metadata"} <= set(aggregate)
