"""A second window or a new statistic adds rows and repeats no geometry work; the same again reuses or recomputes, and duplicates nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import numpy as np
import pytest
from shapely.geometry import Polygon

from epoch_plugin.core.batch import chunks, regional
from epoch_plugin.core.fetch import FetchRequest, fetch
from epoch_plugin.core.store import jobs
from epoch_plugin.core.zonal import engine
from tests.core.deforestation_scene import X0, Y0, D, cells
from tests.core.raster_files import write_datasets, write_tif
from tests.core.region_scene import COLLECTION, cocoa, forest_and_loss, layer, regions_file, run, store_with

FOUR = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")
TABLES = (*FOUR, "extra", "supply_shed")
EARLY, LATE = dt.date(2022, 12, 31), dt.date(2023, 12, 31)


class Counted:
    """Counts the calls of functions where they are looked up."""

    def __init__(self, monkeypatch):
        self.calls = Counter()
        for module, name in ((engine, "coverage"), (regional, "shares"), (regional, "reference_area"), (engine, "_run_group")):
            monkeypatch.setattr(module, name, self._counting(name, getattr(module, name)))

    def _counting(self, name, function):
        def counted(*arguments, **options):
            self.calls[name] += 1
            return function(*arguments, **options)

        return counted

    def take(self):
        """Return the calls since the last time: geometry work, and groups of cells that were read."""
        found, self.calls = self.calls, Counter()
        return {name: found[name] for name in ("coverage", "shares", "reference_area") if found[name]}, found["_run_group"]


@pytest.fixture
def counted(monkeypatch, tmp_path):
    monkeypatch.setenv("EPOCH_CACHE", str(tmp_path / "cache"))
    return Counted(monkeypatch)


def slanted(column, row):
    corners = [(column, row), (column + 4.3, row + 0.6), (column + 3.7, row + 4.8), (column + 0.2, row + 3.9)]
    return Polygon([(X0 + c * D, Y0 - r * D) for c, r in corners])


@pytest.fixture
def scene(tmp_path, counted):
    """Two plots in one region, and a datasets file with layers for every statistic."""
    store = store_with(tmp_path, slanted(3, 4), slanted(16.4, 12.1))
    agb = {str(year): layer(tmp_path, f"agb_{year}", 100 - year % 100, dtype="float32") for year in (2020, 2022, 2023)}
    chm = {str(year): layer(tmp_path, f"chm_{year}", 12, (0, 0, 9, 9, 20), dtype="float32") for year in (2022, 2023)}
    entries = [
        *forest_and_loss(tmp_path, glad=((4, 5, 6, 8, 22),), second=((4, 5, 7, 8, 22),)), cocoa(tmp_path, (0, 0, 25, 30)),
        {"role": "agb", "sources": agb, "unit": "Mg/ha"}, {"role": "chm", "sources": chm, "unit": "m"},
        {"role": "precipitation", "sources": {str(year): layer(tmp_path, f"p_{year}", 900, dtype="float32") for year in (2021, 2022, 2023)},
         "unit": "mm"},
        {"role": "pet", "sources": {str(year): layer(tmp_path, f"e_{year}", 1200, dtype="float32") for year in (2021, 2022, 2023)}, "unit": "mm"},
        {"role": "own", "source": layer(tmp_path, "own", 7, (0, 0, 6, 6, 9), dtype="float32"), "stats": ["mean", "p90", "area>8"]},
    ]  # fmt: skip
    regions = regions_file(tmp_path, ("west", cells(0, 0, 30, 40)))
    options = {"regions": regions, "region_name_field": "zone", "if_done": "reuse"}
    return store, lambda stats, end, **more: run(store, write_datasets(tmp_path, *entries), stats=stats, end_date=end, **{**options, **more})


def rows(store):
    with store.reading() as connection:
        return {name: connection.execute(f"SELECT count(*) FROM stat_{name}").fetchone()[0] for name in TABLES}


def fetched(store, statistic, **window):
    with fetch(store, FetchRequest(COLLECTION, (statistic,), **window)) as answer:
        return [{**feature.properties, "job_id": None} for feature in answer.features]


def test_a_second_window_adds_rows_and_repeats_no_geometry(scene, counted):
    store, batch = scene
    first = batch(FOUR, EARLY)
    geometry, groups = counted.take()
    assert set(geometry) == {"coverage", "shares", "reference_area"} and groups > 0
    assert geometry["coverage"] == 3  # all layers are of one grid: once for four statistics, and once for each of the two reference areas
    assert rows(store) == {**dict.fromkeys(FOUR, 2), "extra": 0, "supply_shed": 2}  # the collection itself and the region
    second = batch(FOUR, LATE)
    assert counted.take() == ({}, groups) and second.job_id != first.job_id and not second.reused
    assert rows(store) == {**dict.fromkeys(FOUR, 4), "extra": 0, "supply_shed": 4}
    for statistic in FOUR:
        newest, earlier = fetched(store, statistic), fetched(store, statistic, start="2020-12-31", end=EARLY.isoformat())
        assert len(newest) == len(earlier) == 2
        assert {row["monitoring_end"][:10] for row in newest} == {LATE.isoformat()}
        assert {row["monitoring_end"][:10] for row in earlier} == {EARLY.isoformat()}


def test_a_new_statistic_on_a_known_grid_repeats_no_geometry_and_leaves_the_other_rows(scene, counted):
    store, batch = scene
    batch(("luc_emissions",), LATE)
    counted.take()
    before = fetched(store, "luc_emissions")
    for number, statistic in enumerate(("biodiversity", "water", "extra"), 1):
        batch((statistic,), LATE)
        geometry, groups = counted.take()
        assert geometry == {} and groups > 0, statistic
        found = rows(store)
        assert (found["luc_emissions"], found[statistic], found["supply_shed"]) == (2, 2, 2 + 2 * number)
    assert fetched(store, "luc_emissions") == before
    batch(("eudr_deforestation",), LATE)  # asks what nobody asked before: which cells have their centre in a plot
    assert set(counted.take()[0]) == {"coverage"} and rows(store)["eudr_deforestation"] == 2
    batch(("eudr_deforestation",), EARLY)
    assert counted.take()[0] == {} and rows(store)["eudr_deforestation"] == 4


def test_chunks_of_coarser_layers_are_those_of_ten_metres(tmp_path, counted, monkeypatch):
    monkeypatch.setattr(chunks, "CELLS_PER_CHUNK", 400)  # cells of 10 m, of which a plot of 0.001 degrees holds 124: three plots each
    store = store_with(tmp_path, *(cells(4 * n, 0, 4 * n + 4, 4) for n in range(8)))
    for name, values, cell in (("fine", np.ones((100, 100), "float32"), D / 2.5), ("coarse", np.ones((40, 40), "float32"), D)):
        write_tif(tmp_path / f"{name}.tif", values, X0, Y0, cell)
    entries = {name: {"role": "own", "source": f"{name}.tif", "stats": ["mean"]} for name in ("fine", "coarse")}
    done = {}
    for names in (("fine", "coarse"), ("coarse",)):
        used = [{**entries[name], "role": f"own_{name}"} for name in names]
        job = run(store, write_datasets(tmp_path, *used), stats=("extra",))
        with store.reading() as connection:
            done[names] = jobs.get(connection, job.job_id).complete_task_ids
    assert len(set(map(tuple, done.values()))) == 1 and len(done["coarse",]) == 3
    counted.take()
    run(store, write_datasets(tmp_path, {**entries["coarse"], "role": "another"}), stats=("extra",))
    assert counted.take()[0] == {}


def test_from_kept_geometry_come_the_same_numbers(scene, monkeypatch, tmp_path):
    store, batch = scene
    batch((*FOUR, "extra"), LATE)
    found = [fetched(store, statistic) for statistic in (*FOUR, "extra")]
    for cache in ("cache", "other"):  # read from the cache, worked out anew
        monkeypatch.setenv("EPOCH_CACHE", str(tmp_path / cache))
        batch((*FOUR, "extra"), LATE, if_done="recompute")
        assert [fetched(store, statistic) for statistic in (*FOUR, "extra")] == found
    with store.reading() as connection:
        for region in ("Cocoa North", "west"):
            own = [dict(row) for row in connection.execute("SELECT * FROM stat_supply_shed WHERE region_name = ?", (region,))]
            assert len(own) == 3 and len({json.dumps({**row, "fid": 0, "job_id": 0, "geom": 0}, default=str) for row in own}) == 1
        assert own[0]["luc_tco2ehayear_ref"] < 0 < own[0]["diversity_score_ref"] and own[0]["noncompliance_area_perc_ref"] == 0
        shares = connection.execute("SELECT uuid, region_uuid, share, count(*) FROM plot_regions GROUP BY 1, 2, 3").fetchall()
        assert sorted(tuple(row)[2:] for row in shares) == [(1.0, 3), (1.0, 3)]


def test_the_same_again_is_reused_or_recomputed_as_asked_and_duplicates_nothing(scene, counted):
    store, batch = scene
    first = batch(FOUR, LATE)
    once, shown = rows(store), [fetched(store, statistic) for statistic in FOUR]
    counted.take()
    again = batch(FOUR, LATE)
    assert again.reused and again.job_id == first.job_id and counted.take() == ({}, 0) and rows(store) == once
    anew = batch(FOUR, LATE, if_done="recompute")
    geometry, groups = counted.take()
    assert not anew.reused and anew.job_id != first.job_id and geometry == {} and groups > 0
    assert rows(store) == {name: 2 * number for name, number in once.items()}  # evidence: older rows stay until they are pruned
    assert [fetched(store, statistic) for statistic in FOUR] == shown
    with store.reading() as connection:
        assert {job.status for job in jobs.for_collection(connection, COLLECTION)} == {"completed"}
        for statistic in FOUR:
            assert connection.execute(f"SELECT count(*), count(DISTINCT uuid) FROM view_{statistic}").fetchone()[:] == (2, 2)
            keys = "uuid, monitoring_start, monitoring_end, job_id"
            assert connection.execute(f"SELECT max(n) FROM (SELECT count(*) n FROM stat_{statistic} GROUP BY {keys})").fetchone()[0] == 1
