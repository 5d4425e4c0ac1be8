"""Batches on threads: the same bytes for any number of threads and any chunks; progress, cancel, retry, resume."""

from __future__ import annotations

import datetime as dt
import gc
import pickle
import threading

import pytest

pytest.importorskip("osgeo.gdal")

from epoch_plugin.core.batch import chunks, compute, executors
from epoch_plugin.core.batch.compute import ChunkSpec
from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.errors import CancelledError, DatasetError, EpochError, InputError
from epoch_plugin.core.store import jobs, plots
from epoch_plugin.core.store.plots import PlotShape
from epoch_plugin.core.store.store import Store
from tests.core.sample_batch import PLOTS, SAMPLE, Listener, run_sample, staged_sample, stored_text


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return staged_sample(tmp_path_factory.mktemp("executors") / "store.gpkg")


@pytest.fixture(scope="module")
def expected(store: Store) -> str:
    """The rows of an undisturbed run, in one chunk."""
    return stored_text(store, run_sample(store).job_id)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", 40)


@pytest.mark.parametrize("plots_per_chunk", [7, 100, 5000])
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_rows_are_the_same_to_the_last_bit(store, expected, monkeypatch, threads, plots_per_chunk):
    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", plots_per_chunk)
    monkeypatch.setattr(executors.os, "cpu_count", lambda: threads)
    assert stored_text(store, run_sample(store).job_id) == expected


def test_chunks_by_cells_give_the_same_too(store, expected, monkeypatch):
    monkeypatch.setattr(chunks, "CELLS_PER_CHUNK", 3000)
    listener = Listener()
    assert stored_text(store, run_sample(store, listener).job_id) == expected
    assert int(listener.stages[-1].split("/")[1]) > 20


def test_what_a_chunk_needs_travels(store):
    """Plan, plots and rows survive the way to another process and back."""
    seen: list[tuple[ChunkSpec, list]] = []
    original = compute.rows_of

    def keep(spec, shapes, sums):
        seen.append((spec, list(shapes)))
        return original(spec, shapes, sums)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "rows_of", keep)
        run_sample(store)
    spec, shapes = pickle.loads(pickle.dumps(seen[0]))
    assert spec == seen[0][0] and shapes == seen[0][1]
    answer = pickle.loads(pickle.dumps(compute.compute_on_node(spec, shapes)))
    assert answer.rows == compute.compute_chunk(*seen[0], 2)


def test_rows_are_made_while_they_are_stored(store, monkeypatch):
    """No more than some of a chunk's rows and plots exist at a time: Python's garbage collector visits all, and QGIS's windows wait for it."""
    alive: list[int] = []
    commit = jobs.commit_chunk

    def is_plot_or_row(one):
        return type(one) is PlotShape or (type(one) is dict and {"uuid", "valid_fraction"} <= one.keys())

    def watched(rows):
        for number, row in enumerate(rows):
            if number % 50 == 0:
                alive.append(sum(map(is_plot_or_row, gc.get_objects())))
            yield row

    def commit_watched(connection, job_id, owner, chunk_id, rows, *others, **more):
        commit(connection, job_id, owner, chunk_id, {name: watched(own) for name, own in rows.items()}, *others, **more)

    monkeypatch.setattr(jobs, "commit_chunk", commit_watched)
    run_sample(store, stats=("eudr_deforestation", "luc_emissions", "biodiversity", "water"))
    assert len(alive) == 4 * 7 and 0 < max(alive) < PLOTS / 2


def test_some_plots_of_a_store_are_a_sequence(store):
    with store.reading() as connection:
        fids = [row[0] for row in connection.execute("SELECT fid FROM plots ORDER BY uuid")]
        shapes = plots.shapes(connection, fids)
        (one,) = plots.shapes(connection, [fids[7]])
    assert len(shapes) == PLOTS and [shape.uuid for shape in shapes] == sorted(shape.uuid for shape in shapes)
    assert shapes[7] == one == list(shapes)[7] and list(shapes[5:9])[2] == one and shapes[-1] == list(shapes)[-1]


def test_progress_never_goes_back_and_comes_from_the_callers_thread(store, small_chunks):
    threads = set()
    listener = Listener(lambda _: threads.add(threading.get_ident()))
    run_sample(store, listener)
    assert listener.fractions == sorted(listener.fractions) and listener.fractions[-1] >= 1
    assert threads == {threading.get_ident()}
    assert "gather 4/8" in listener.stages and listener.stages[-1] == "gather 8/8"


def test_feedback_stops_a_batch_and_what_was_committed_is_not_done_again(store, expected, small_chunks):
    listener = Listener(lambda fraction: setattr(listener, "stop", fraction >= 0.25))
    with pytest.raises(CancelledError):
        run_sample(store, listener)
    with store.reading() as connection:
        job = jobs.for_collection(connection, _collection(store))[0]
        done = connection.execute("SELECT count(*) FROM stat_eudr_deforestation WHERE job_id = ?", (job.job_id,)).fetchone()[0]
    assert job.status == "cancelled" and 2 <= len(job.complete_task_ids) < 8 and done == 40 * len(job.complete_task_ids)


def test_cancelling_through_the_store_stops_a_batch(store, small_chunks):
    def cancel(fraction: float) -> None:
        if fraction >= 0.25:
            with store.writing() as connection:
                jobs.request_cancel(connection, jobs.for_collection(connection, _collection(store))[0].job_id)

    with pytest.raises(CancelledError):
        run_sample(store, Listener(cancel))
    with store.reading() as connection:
        assert jobs.for_collection(connection, _collection(store))[0].status == "cancelled"


def test_a_chunk_that_fails_once_is_tried_again(store, expected, monkeypatch, small_chunks):
    failures = iter([True] * 3 + [False] * 100)
    original = compute.chunk_sums

    def shaky(*arguments):
        if next(failures):
            raise DatasetError("the network was away")
        return original(*arguments)

    monkeypatch.setattr(executors, "chunk_sums", shaky)
    result = run_sample(store)
    assert (result.status, result.failed_count) == ("completed", 0)
    assert stored_text(store, result.job_id) == expected


def test_a_chunk_that_keeps_failing_leaves_the_others_and_can_be_repeated(tmp_path, expected, monkeypatch, small_chunks):
    store = staged_sample(tmp_path / "store.gpkg")
    original = compute.chunk_sums
    bad: list[bytes] = []

    def broken(spec, polygons, *others):
        bad.append(polygons[0])
        if polygons[0] == bad[0]:
            raise DatasetError("tile 7 cannot be read")
        return original(spec, polygons, *others)

    monkeypatch.setattr(executors, "chunk_sums", broken)
    with pytest.raises(EpochError, match="40 plots could not be processed: tile 7 cannot be read The other 261 are stored"):
        run_sample(store, if_done="reuse")
    assert bad.count(bad[0]) == 2
    monkeypatch.setattr(executors, "chunk_sums", original)
    result = run_sample(store, if_done="reuse")
    assert (result.status, result.processed_count) == ("completed", PLOTS)
    assert stored_text(store, result.job_id) == expected


def test_chunks_of_other_plots_have_other_ids(monkeypatch):
    boxes = [[float(i), 0.0, i + 0.01, 0.01] for i in range(30)]
    fids, array = chunks.as_boxes([(i, *box) for i, box in enumerate(boxes)])
    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", 10)
    ids = {chunk.chunk_id for chunk in chunks.make_chunks(fids, array, 900.0)}
    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", 15)
    assert ids.isdisjoint(chunk.chunk_id for chunk in chunks.make_chunks(fids, array, 900.0))


@pytest.mark.parametrize("name", ["processes", "dask", "dask:", "dask: "])
def test_an_unknown_executor_is_refused_with_what_would_be_right(name):
    request = BatchRequest(collection="x", end_date=dt.date(2025, 12, 31), datasets=str(SAMPLE / "datasets.json"), executor=name)
    with pytest.raises(InputError, match="use 'threads' or 'dask:<scheduler address>'"):
        request.check()


def _collection(store: Store) -> str:
    with store.reading() as connection:
        return str(connection.execute("SELECT collection_id FROM collections").fetchone()[0])
