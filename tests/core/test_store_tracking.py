"""What batchprogress answers, for jobs and for collections."""

from __future__ import annotations

import pytest

from epoch_plugin.core.errors import NotFoundError
from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.store import Store
from epoch_plugin.core.store.tracking import progress_response


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    with store.writing() as conn:
        for name in ("Vavoua", "idle"):
            collections.add(conn, collections.CollectionRow(f"0x{name}", name, "2025-11-18T13:38:23Z"), [])
        for number in (1, 2):
            jobs.create(conn, jobs.JobRow(f"job{number}", "0xVavoua", ["eudr_deforestation"], "2020-12-31", "2025-12-31", f"key{number}"))
        jobs.claim(conn, "job2", "me")
        jobs.commit_chunk(conn, "job2", "me", "c1", {}, 40.0, "gather")
        jobs.fail_chunk(conn, "job2", "me", "c2", "disk full")
    return store


@pytest.mark.parametrize("tracking_id", ["job2", "0xVavoua", "vavoua", " job2 "])
def test_a_job_is_found_by_its_id_or_as_the_newest_of_its_collection(store, tracking_id):
    with store.reading() as conn:
        answer = progress_response(conn, tracking_id)
    assert (answer["job_id"], answer["status"], answer["progress"], answer["stage"]) == ("job2", "in_progress", 40.0, "gather")
    assert (answer["complete_count"], answer["failed_count"], answer["error"], answer["running"]) == (1, 1, "disk full", True)


@pytest.mark.parametrize(("tracking_id", "words"), [("idle", "no job yet"), ("nobody", "neither a job nor a collection")])
def test_what_cannot_be_tracked_says_what_to_do(store, tracking_id, words):
    with store.reading() as conn, pytest.raises(NotFoundError, match=words):
        progress_response(conn, tracking_id)
