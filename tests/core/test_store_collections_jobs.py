"""Collections and jobs: names, deletion with its backup, chunks, cancel, resume, listing."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest

from epoch_plugin.core.errors import CancelledError, InputError, NotFoundError, StoreError
from epoch_plugin.core.store import collections, jobs, plots, results
from epoch_plugin.core.store.listing import collections_response
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import INGESTED, add_collection, job, plot, result

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.gpkg")


def test_a_collection_is_found_by_id_or_name_ignoring_case(store):
    add_collection(store, 3, "0x1", "Cacao ÉTÉ")
    with store.reading() as connection:
        assert {collections.find(connection, text).collection_id for text in ("0x1", "cacao été", " CACAO Été ")} == {"0x1"}
        assert collections.find(connection, "0x1").plot_number == 3
        with pytest.raises(NotFoundError, match="Cacao ÉTÉ"):
            collections.find(connection, "coffee")
        assert collections.find_or_none(connection, "coffee") is None


def test_a_taken_name_or_id_is_refused_and_nothing_is_stored(store):
    add_collection(store, 1, "0x1", "Straße")
    for collection_id, name in (("0x2", "STRASSE"), ("0x1", "other"), ("0x3", "  ")):
        with pytest.raises(InputError):
            add_collection(store, 1, collection_id, name)
    with store.reading() as connection:
        assert [row.collection_id for row in collections.all_rows(connection)] == ["0x1"]
        assert plots.count(connection, "0x2") == 0


def test_editing_keeps_the_id_and_the_uniqueness_of_names(store):
    add_collection(store, 1, "0x1", "One")
    add_collection(store, 1, "0x2", "Two")
    with store.writing() as connection:
        collections.update(connection, "0x1", {"collection_name": "ONE", "description": "x'); DROP TABLE plots; --"})
    for changes, error in (({"collection_name": "two"}, InputError), ({"collection_id": "0x9"}, InputError), ({"nonsense": 1}, StoreError)):
        with pytest.raises(error), store.writing() as connection:
            collections.update(connection, "0x1", changes)
    with store.reading() as connection:
        row = collections.find(connection, "one")
        assert (row.collection_id, row.collection_name, row.description) == ("0x1", "ONE", "x'); DROP TABLE plots; --")


def test_geometries_come_in_position_order(store):
    add_collection(store, 3)
    with store.reading() as connection:
        uuids, wkbs, areas = plots.geometries(connection, "0xabc")
    assert uuids == [plot(number).uuid for number in (1, 2, 3)]
    assert wkbs == [plot(number).polygon for number in (1, 2, 3)]
    assert areas == [1.25, 1.5, 1.75]


def test_delete_removes_every_trace_and_leaves_a_backup(store):
    add_collection(store, 3, "0x1", "Keep")
    add_collection(store, 2, "0x2", "Go")
    with store.writing() as connection:
        jobs.create(connection, job("j", "0x2"))
        results.insert(connection, "eudr_deforestation", [result(1, "j", "0x2"), result(1, "k", "0x1")])
        results.insert(connection, "plot_regions", [
            {"uuid": f"{name}-000001", "stat_type": "region", "region_uuid": "r", "share": 1.0, "job_id": "j"} for name in ("0x1", "0x2")
        ])  # fmt: skip
    assert collections.delete(store, "go") == 2
    with store.reading() as connection:
        left = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in
                ("collections", "plots", "rtree_plots_geom", "stat_eudr_deforestation", "plot_regions", "batch_jobs")}  # fmt: skip
    assert left == {"collections": 1, "plots": 3, "rtree_plots_geom": 3, "stat_eudr_deforestation": 1, "plot_regions": 1, "batch_jobs": 0}
    backup = Store(f"{store.path}.before-delete.gpkg")
    with backup.reading() as connection:
        assert plots.count(connection, "0x2") == 2
    collections.delete(store, "Keep")
    with backup.reading() as connection:
        assert [row.collection_name for row in collections.all_rows(connection)] == ["Keep"]


def test_a_collection_with_a_living_job_is_not_deleted(store):
    add_collection(store, 1)
    with store.writing() as connection:
        jobs.create(connection, job())
        jobs.claim(connection, "job-1", "runner")
    with pytest.raises(InputError, match="canceljob"):
        collections.delete(store, "0xabc")
    with store.reading() as connection:
        assert plots.count(connection, "0xabc") == 1


def test_a_job_goes_from_queued_to_completed(store):
    add_collection(store, 2)
    with store.writing() as connection:
        created = jobs.create(connection, job(provenance={"settings": {"rho": 1}}), NOW)
        assert (created.status, created.progress, created.created, created.stats) == ("queued", 0, "2026-01-02T03:04:05.000Z", ["eudr_deforestation"])
        jobs.claim(connection, "job-1", "me", NOW)
        jobs.commit_chunk(connection, "job-1", "me", "a", {"eudr_deforestation": [result(1)]}, 50, "ZONAL_STATS", NOW)
        jobs.fail_chunk(connection, "job-1", "me", "b", "tile unreadable", NOW)
        jobs.commit_chunk(connection, "job-1", "me", "b", {"eudr_deforestation": [result(2)]}, 100, now=NOW)
        done = jobs.finish(connection, "job-1", "me", "completed", outcome="DONE", now=NOW)
    assert (done.status, done.progress, done.outcome, done.complete_task_ids, done.failed_task_ids) == ("completed", 100, "DONE", ["a", "b"], [])
    with store.writing() as connection, pytest.raises(InputError, match="completed"):
        jobs.claim(connection, "job-1", "me")


def test_rows_and_progress_of_a_chunk_are_stored_together_or_not_at_all(store):
    add_collection(store, 2)
    with store.writing() as connection:
        jobs.create(connection, job())
        jobs.claim(connection, "job-1", "me")
    with pytest.raises(StoreError), store.writing() as connection:
        jobs.commit_chunk(connection, "job-1", "me", "a", {"eudr_deforestation": [result(1), result(2, area_in_acres=3)]}, 50)
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM stat_eudr_deforestation").fetchone()[0] == 0
        assert jobs.get(connection, "job-1").complete_task_ids == []


def test_a_cancelled_job_takes_no_more_chunks_and_can_be_claimed_again(store):
    add_collection(store, 2)
    with store.writing() as connection:
        jobs.create(connection, job())
        jobs.claim(connection, "job-1", "me")
        jobs.commit_chunk(connection, "job-1", "me", "a", {"eudr_deforestation": [result(1)]}, 50)
    with store.writing() as connection:
        assert jobs.request_cancel(connection, "job-1") == "cancelled"
    for action in (
        lambda c: jobs.commit_chunk(c, "job-1", "me", "b", {"eudr_deforestation": [result(2)]}, 100),
        lambda c: jobs.heartbeat(c, "job-1", "me"),
    ):
        with pytest.raises(CancelledError), store.writing() as connection:
            action(connection)
    with store.writing() as connection:
        assert connection.execute("SELECT count(*) FROM stat_eudr_deforestation").fetchone()[0] == 1
        assert jobs.claim(connection, "job-1", "other").complete_task_ids == ["a"]


def test_a_job_without_a_sign_of_life_for_a_minute_can_be_taken_over(store):
    add_collection(store, 1)
    with store.writing() as connection:
        jobs.create(connection, job(), NOW)
        jobs.claim(connection, "job-1", "first", NOW)
        with pytest.raises(InputError, match="being run by first"):
            jobs.claim(connection, "job-1", "second", NOW + dt.timedelta(seconds=60))
        jobs.heartbeat(connection, "job-1", "first", NOW + dt.timedelta(seconds=50))
        with pytest.raises(InputError):
            jobs.claim(connection, "job-1", "second", NOW + dt.timedelta(seconds=100))
        assert jobs.claim(connection, "job-1", "second", NOW + dt.timedelta(seconds=111)).owner == "second"
        with pytest.raises(CancelledError, match="taken over by second"):
            jobs.heartbeat(connection, "job-1", "first")


def test_jobs_are_found_by_their_inputs(store):
    add_collection(store, 1)
    with store.writing() as connection:
        for number, status in enumerate(("completed", "failed", "completed")):
            jobs.create(connection, job(f"j{number}", inputs_key="same", status=status), NOW + dt.timedelta(hours=number))
        assert jobs.find_by_inputs_key(connection, "same", jobs.COMPLETED).job_id == "j2"
        assert jobs.find_by_inputs_key(connection, "same", jobs.UNFINISHED).job_id == "j1"
        assert jobs.find_by_inputs_key(connection, "other", jobs.COMPLETED) is None
        with pytest.raises(NotFoundError, match="'nothing'"):
            jobs.get(connection, "nothing")
        with pytest.raises(sqlite3.IntegrityError):
            jobs.create(connection, job("j1"))


def test_the_listing_has_the_fields_of_the_page(store):
    add_collection(store, 3, name="my_first_collection", description="my_first_collection_description")
    with store.writing() as connection:
        jobs.create(connection, job("j1", outcome="CHECK_TABLES", status="in_progress"), NOW)
    with store.reading() as connection:
        response = collections_response(connection)
    assert response == {
        "my_first_collection": {
            "collection_id": "0xabc",
            "description": "my_first_collection_description",
            "ingestion_time": INGESTED.replace("Z", "+00:00"),
            "plot_number": 3,
            "batch_jobs": [{
                "job_id": "j1", "outcome": "CHECK_TABLES", "complete_task_ids": [], "failed_task_ids": [], "start_date": "2020-12-31",
                "end_date": "2025-12-31", "stats": ["eudr_deforestation"], "status": "in_progress",
            }],
        }
    }  # fmt: skip
