"""Every field of the API's pages is there, in single features, aggregates, regions and plots only, with the page's nesting."""

from __future__ import annotations

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


def compare(wanted, got):
    """Every field is there; nested ones have every key; numbers are numbers and texts are texts where they are known."""
    assert set(wanted) <= set(got), sorted(set(wanted) - set(got))
    for name, value in wanted.items():
        if isinstance(value, dict) and name != "metadata":
            assert set(value) <= set(got[name]), (name, sorted(set(value) - set(got[name])))
        elif got[name] is not None and value is not None and name not in ("monitoring_start", "monitoring_end"):
            number = (int, float)
            assert isinstance(got[name], number) == isinstance(value, number), name


def test_a_region_has_every_field_of_the_aggregate_pages(store, shared, tmp_path):
    statistics = tuple(statistic for statistic, _ in PAGES.values())
    lines = written_lines(fetch_supply_shed(store, SupplyShedRequest("0xabc", stats=statistics)), tmp_path)
    for page in PAGES:
        compare(page_fields(shared, page, "Aggregate Response (aggregate=true)"), lines[0])
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
