"""Biomass, water and extra statistics in one job: from staged plots to fetched features."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

from epoch_plugin.core.batch import BatchRequest, run_batch
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch import FetchRequest, fetch
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.store import Store
from tests.core.raster_files import write_datasets, write_tif
from tests.core.store_samples import add_collection, plot

CELL = 0.0001
LC = {"kind": "classes", "class_map": {"1": "natural", "2": "managed"}}
STATS = ("luc_emissions", "water", "extra")


@pytest.fixture
def store(tmp_path):
    """Three plots of 10 x 10 cells: two on the rasters, the third beyond them."""
    store = Store(tmp_path / "store.gpkg")
    collection = add_collection(store, plots=[plot(number) for number in (1, 2, 400)])
    with store.writing() as connection:
        collections.update(connection, collection, {"status": "uploaded"})
    return store


@pytest.fixture
def datasets(tmp_path):
    random = np.random.default_rng(1)
    for name in ("agb_2020", "agb_2023", "sd"):
        write_tif(tmp_path / f"{name}.tif", random.uniform(0, 200, (400, 400)).astype("float32"), -5.01, 6.02, CELL, tile=64)
    for name in ("lc_2020", "lc_2023"):
        write_tif(tmp_path / f"{name}.tif", random.integers(1, 3, (400, 400)).astype("uint8"), -5.01, 6.02, CELL, tile=64)
    for name, value in (("p", 1200.0), ("e", 1500.0)):
        write_tif(tmp_path / f"{name}.tif", np.full((2, 2), value, "float32"), -5.01, 6.03, 0.03)
    return write_datasets(
        tmp_path,
        {"role": "agb", "sources": {"2020": "agb_2020.tif", "2023": "agb_2023.tif"}, "unit": "Mg/ha"},
        {"role": "agb_sd", "sources": {"2020": "sd.tif", "2023": "sd.tif"}, "unit": "Mg/ha"},
        {"role": "lc", "sources": {"2020": "lc_2020.tif", "2023": "lc_2023.tif"}, "encoding": LC, "nodata": 0},
        {"role": "precipitation", "sources": {"2021": "p.tif"}, "unit": "mm"},
        {"role": "pet", "sources": {"2021": "e.tif"}, "unit": "mm"},
        {"role": "canopy", "source": "agb_2023.tif", "stats": ["mean", "p90", "area>100"]},
    )


def run(store, datasets, stats=STATS, **more):
    return run_batch(store, BatchRequest(collection="0xabc", datasets=datasets, stats=stats, end_date=dt.date(2023, 12, 31), **more), NoProgress())


def properties(store, *stats, **request):
    answer = fetch(store, FetchRequest(collection="0xabc", stats=stats, prefixed=len(stats) > 1, **request))
    kinds = {field.name: field.type for field in answer.fields}
    return [
        {name: json.loads(value) if kinds[name] == "JSON" and value else value for name, value in feature.properties.items()}
        for feature in answer.features
    ]


def test_one_job_for_three_statistics(store, datasets):
    result = run(store, datasets)
    assert (result.status, result.processed_count, result.failed_count) == ("completed", 3, 0)
    assert run(store, datasets).reused
    first, second, beyond = properties(store, *STATS)
    for row in (first, second):
        assert row["luc_tco2eyear"] is not None and row["luc_uncertainty_sd"] > 0 and row["luc_emissions_valid_fraction"] == pytest.approx(1)
        assert row["precipitation_pet_ratio"] == pytest.approx(0.8) and row["aridity_class"] == "humid"
        assert set(row["extra"]["canopy"]) == {"mean", "p90", "area>100"}
    assert beyond["luc_tco2eyear"] is None and "no_data:agb" in [reason["code"] for reason in beyond["luc_emissions_reasons"]]
    assert beyond["extra"]["canopy"] == {"mean": None, "p90": None, "area>100": None}


def test_a_result_does_not_depend_on_what_ran_with_it(store, datasets):
    run(store, datasets)
    together = {name: properties(store, name) for name in STATS}
    for name in STATS:
        run(store, datasets, (name,))
        alone = properties(store, name)
        assert [{**row, "job_id": None} for row in alone] == [{**row, "job_id": None} for row in together[name]]


def test_the_aggregate_equals_the_sums_of_the_features(store, datasets):
    run(store, datasets, ("luc_emissions",))
    plots, (total,) = properties(store, "luc_emissions"), properties(store, "luc_emissions", aggregate=True)
    known = [row for row in plots if row["luc_tco2eyear"] is not None]
    assert total["luc_tco2eyear"] == pytest.approx(sum(row["luc_tco2eyear"] for row in known), rel=1e-12)
    assessed = sum(row["area"] * row["valid_fraction"] for row in known)
    assert total["luc_tco2ehayear"] == pytest.approx(total["luc_tco2eyear"] / assessed, rel=1e-12)
    assert total["annual_agb"]["2020"] == pytest.approx(
        sum(row["area"] * row["annual_agb"]["2020"] for row in known) / sum(row["area"] for row in known), rel=1e-12
    )


def test_a_setting_is_part_of_what_a_job_is_known_by(store, datasets):
    one = run(store, datasets, ("luc_emissions",))
    other = run(store, datasets, ("luc_emissions",), settings=Settings.from_dict({"root_shoot": 0.3}))
    assert one.job_id != other.job_id
    with store.reading() as connection:
        described = jobs.get(connection, one.job_id).provenance["statistics"]["luc_emissions"]
    assert described["stock_years"] == [2020, 2023] and described["analysis_grid"]["role"] == "agb"
    assert described["root_shoot_from"] == "setting root_shoot"


def test_extra_without_an_extra_entry_is_refused_before_anything_is_written(store, tmp_path, datasets):
    path = write_datasets(tmp_path, {"role": "pet", "sources": {"2021": "e.tif"}, "unit": "mm"}, name="none.json")
    with pytest.raises(InputError, match="no entry"):
        run(store, path, ("extra",))
    with store.reading() as connection:
        assert not jobs.for_collection(connection, "0xabc")
