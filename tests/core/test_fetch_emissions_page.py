"""Every field of the biomass page is there, with the same nesting, from a batch over planted layers to the NDJSON line."""

from __future__ import annotations

import datetime as dt
import json
import re

import numpy as np
import pytest

from epoch_plugin.core.batch import BatchRequest, run_batch
from epoch_plugin.core.fetch import FetchRequest, fetch, ndjson
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.store import Store
from tests.core.raster_files import write_datasets, write_tif
from tests.core.store_samples import add_collection, plot

YEARS = (2020, 2021, 2022, 2023)  # those of the page's examples


def page_fields(shared, heading):
    """The properties of the example of the API page under a heading."""
    text = (shared / "reference" / "epoch" / "fetch_biomass_emissions.txt").read_text(encoding="utf-8")
    block = re.sub(r" //.*", "", text[text.index("{\n", text.index(heading)) :]).replace("[longitude, latitude], ...", "[0, 0]")
    return json.JSONDecoder().raw_decode(block)[0]["properties"]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, plots=[plot(1), plot(2)])
    with store.writing() as connection:
        collections.update(connection, "0xabc", {"status": "uploaded"})
    for role, kind in (("agb", "float32"), ("agb_sd", "float32"), ("soc", "float32"), ("lc", "uint8")):
        for year in YEARS:
            write_tif(tmp_path / f"{role}_{year}.tif", np.full((200, 200), 1 + year % 2, kind), -5.01, 6.01, 0.0001, tile=64)
    classes = {"encoding": {"kind": "classes", "class_map": {"1": "natural", "2": "managed"}}, "nodata": 0}
    unit = {"unit": "Mg/ha"}
    path = write_datasets(tmp_path, *(
        {"role": role, "sources": {str(year): f"{role}_{year}.tif" for year in YEARS}, **more}
        for role, more in (("agb", unit), ("agb_sd", unit), ("soc", {}), ("lc", classes))
    ))  # fmt: skip
    request = BatchRequest(collection="0xabc", datasets=path, stats=("luc_emissions",), end_date=dt.date(2023, 12, 31))
    assert run_batch(store, request, NoProgress()).processed_count == 2
    return store


@pytest.mark.parametrize(("heading", "asked"), [
    ("Non-Aggregate Response", {}), ("Aggregate Response (aggregate=true)", {"aggregate": True}), ("Plots Only Response", {"plots_only": True}),
])  # fmt: skip
def test_no_field_of_the_page_is_missing(store, shared, tmp_path, heading, asked):
    wanted = page_fields(shared, heading)
    answer = fetch(store, FetchRequest(collection="0xabc", stats=("luc_emissions",), **asked))
    ndjson.write(str(tmp_path / "out.ndjson"), answer)
    lines = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == (1 if asked.get("aggregate") else 2)
    got = lines[0]["properties"]
    assert set(wanted) <= set(got)
    for name, value in wanted.items():
        if isinstance(value, dict) and name != "metadata":
            assert list(got[name]) == list(value), name  # mean, std, years, as the page has them
            assert all(isinstance(number, (int, float)) for number in got[name].values()), name
        elif isinstance(value, float):
            assert isinstance(got[name], float), name
