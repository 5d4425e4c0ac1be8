"""Biodiversity from a batch over staged plots to fetched features and their aggregate."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

from epoch_plugin.core.batch import BatchRequest, run_batch
from epoch_plugin.core.fetch import FetchRequest, fetch
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.store import Store
from tests.core.raster_files import write_datasets, write_tif
from tests.core.store_samples import add_collection, plot

CELL = 0.0001


@pytest.fixture
def store(tmp_path):
    """Three plots of 10 x 10 cells: two under canopy heights, the third beyond them."""
    store = Store(tmp_path / "store.gpkg")
    plots = [plot(number, area=area) for number, area in ((1, 1.0), (2, 3.0), (400, 5.0))]
    collection = add_collection(store, plots=plots)
    with store.writing() as connection:
        collections.update(connection, collection, {"status": "uploaded"})
    random = np.random.default_rng(1)
    for year in (2021, 2023):
        write_tif(tmp_path / f"chm_{year}.tif", random.uniform(0, 30, (400, 400)).astype(np.float32), -5.01, 6.02, CELL, tile=64)
    return store


def run(store, tmp_path):
    path = write_datasets(tmp_path, {"role": "chm", "sources": {str(year): f"chm_{year}.tif" for year in (2021, 2023)}, "unit": "m"})
    request = BatchRequest(collection="0xabc", datasets=path, stats=("biodiversity",), end_date=dt.date(2023, 12, 31))
    return run_batch(store, request, NoProgress())


def properties(store, **request):
    answer = fetch(store, FetchRequest(collection="0xabc", stats=("biodiversity",), **request))
    kinds = {field.name: field.type for field in answer.fields}
    return [
        {name: json.loads(value) if kinds[name] == "JSON" and value else value for name, value in feature.properties.items()}
        for feature in answer.features
    ]


def test_batch_fetch_and_aggregate(store, tmp_path):
    result = run(store, tmp_path)
    assert (result.status, result.processed_count, result.failed_count) == ("completed", 3, 0)
    assert run(store, tmp_path).reused
    rows = sorted(properties(store), key=lambda row: row["plotid"])
    assert [row["plotid"] for row in rows] == ["P1", "P2", "P400"]
    first, second, beyond = rows
    assert 0 < first["diversity_score"] < 1 and first["uncertainty_sd"] > 0 and list(first["annual_chm"]) == ["mean", "std", "2021", "2023"]
    assert first["assessed_end"].startswith("2023-12-31") and first["valid_fraction"] == pytest.approx(1)
    assert beyond["diversity_score"] is None and beyond["reasons"] == [{"code": "no_data:chm"}]
    (whole,) = properties(store, aggregate=True)
    # areas 1 and 3 ha; the third plot has no value
    assert whole["diversity_score"] == pytest.approx((first["diversity_score"] + 3 * second["diversity_score"]) / 4, rel=1e-12)
    assert whole["uncertainty_sd"] == pytest.approx(first["uncertainty_sd"] + second["uncertainty_sd"], rel=1e-12)
    for key in ("mean", "std", "2021", "2023"):
        assert whole["annual_chm"][key] == pytest.approx((first["annual_chm"][key] + 3 * second["annual_chm"][key]) / 4, rel=1e-12)
    assert (whole["aggregate_area"], whole["aggregate_plot_count"]) == (9.0, 3) and whole["assessed_end"].startswith("2023-12-31")


def test_provenance_says_what_makes_scores_comparable(store, tmp_path):
    job_id = run(store, tmp_path).job_id
    with store.reading() as connection:
        found = json.loads(connection.execute("SELECT provenance FROM batch_jobs WHERE job_id = ?", (job_id,)).fetchone()[0])
    told = found["statistics"]["biodiversity"]
    assert told["scored_year"] == 2023 and told["connectivity_block_cells"] == 4  # floor(500 / (10 x 11.05)) = 4
    assert told["cell_size_m"] == pytest.approx(11.03, abs=0.05) and found["settings"]["rao_window"] == 9
