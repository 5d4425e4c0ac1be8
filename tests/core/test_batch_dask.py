"""Batches on a Dask cluster that the README's two commands start on this machine; a worker is killed while it computes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("osgeo.gdal")
pytest.importorskip("distributed")

import distributed

from epoch_plugin.core.batch import chunks, dask_executor, job_run
from epoch_plugin.core.batch.executors import ExecutorError
from epoch_plugin.core.errors import CancelledError, EpochError, MissingLibraryError
from epoch_plugin.core.store import jobs
from epoch_plugin.core.store.store import Store
from tests.core.raster_files import write_datasets
from tests.core.sample_batch import SAMPLE, Listener, run_sample, staged_sample, stored_text

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Cluster:
    """A scheduler with two workers, each with its nanny."""

    address: str
    log: Path

    @property
    def executor(self) -> str:
        return f"dask:{self.address}"

    def pids(self) -> dict[str, int]:
        """Process id by address of the workers that are there now."""
        with distributed.Client(self.address, set_as_default=False) as client:
            found: dict[str, int] = client.run(os.getpid)
            return found

    def wait_for(self, n: int) -> None:
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(n, timeout=60)


def _start(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__WORKER__DAEMON": "True"}
    with log.open("ab") as file:
        return subprocess.Popen([sys.executable, "-m", "dask", *arguments], env=environment, stdout=file, stderr=file, cwd=log.parent)


def _announced(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The address in the scheduler's log, once it is there."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        match = re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text(encoding="utf-8"))
        if match:
            return match.group(0)
        time.sleep(0.1)
    raise AssertionError(f"no scheduler:\n{log.read_text(encoding='utf-8')}")


def _recipe(page: str, command: str) -> list[str]:
    """The arguments of one of the two commands, as a page gives them; the port is any free one, and there is no dashboard."""
    text = (ROOT / page).read_text(encoding="utf-8")
    line = re.search(rf"^    (?:PYTHONPATH=\$PWD )?dask ({command} .*)$", text, re.MULTILINE)
    assert line is not None, f"{page} no longer says how to start a {command}"
    return [*line.group(1).split(), "--no-dashboard"]


@pytest.mark.parametrize("command", ["scheduler", "worker"])
def test_readme_and_page_give_the_same_commands(command):
    assert _recipe("README.md", command) == _recipe("docs/cluster.md", command)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    log = tmp_path_factory.mktemp("dask") / "cluster.log"
    processes = [_start([*_recipe("README.md", "scheduler"), "--port", "0"], log)]
    try:
        address = _announced(log, processes[0])
        worker = [address if word.startswith("tcp://") else word for word in _recipe("README.md", "worker")]
        processes.append(_start(worker, log))
        made = Cluster(address, log)
        made.wait_for(2)
        yield made
    finally:
        for process in reversed(processes):
            process.terminate()  # the nannies end their workers
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return staged_sample(tmp_path_factory.mktemp("dask-store") / "store.gpkg")


@pytest.fixture(scope="module")
def expected(store: Store) -> str:
    """The rows that threads give."""
    return stored_text(store, run_sample(store).job_id)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", 10)


@pytest.mark.parametrize("plots_per_chunk", [25, 150, 5000])
def test_rows_equal_those_of_threads(cluster, store, expected, monkeypatch, plots_per_chunk):
    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", plots_per_chunk)
    listener = Listener()
    result = run_sample(store, listener, executor=cluster.executor)
    assert (result.status, result.failed_count) == ("completed", 0)
    assert stored_text(store, result.job_id) == expected
    assert listener.fractions == sorted(listener.fractions) and listener.fractions[-1] == 1
    assert listener.warnings == []  # the same libraries on all nodes
    with store.reading() as connection:
        assert jobs.get(connection, result.job_id).provenance["executor"] == cluster.executor


def test_a_worker_that_is_killed_while_it_computes_is_survived(cluster, store, expected, small_chunks):
    cluster.wait_for(2)
    before = cluster.pids()
    killed: list[int] = []

    def kill_one(fraction: float) -> None:
        if fraction >= 0.1 and not killed:
            killed.append(sorted(before.values())[0])
            os.kill(killed[0], signal.SIGKILL)

    result = run_sample(store, Listener(kill_one), executor=cluster.executor)
    assert (result.status, result.failed_count) == ("completed", 0)
    assert stored_text(store, result.job_id) == expected
    cluster.wait_for(2)  # the nanny has started another
    assert killed and killed[0] not in cluster.pids().values()


def test_feedback_and_canceljob_stop_a_batch_and_it_can_be_run_again(cluster, store, expected, small_chunks):
    listener = Listener(lambda fraction: setattr(listener, "stop", fraction >= 0.2))
    with pytest.raises(CancelledError):
        run_sample(store, listener, executor=cluster.executor)

    def cancel(fraction: float) -> None:
        if fraction >= 0.2:
            with store.writing() as connection:
                jobs.request_cancel(connection, _newest(connection, store).job_id)

    with pytest.raises(CancelledError):
        run_sample(store, Listener(cancel), executor=cluster.executor)
    with store.reading() as connection:
        job = _newest(connection, store)
    assert job.status == "cancelled" and 0 < len(job.complete_task_ids) < 31
    assert stored_text(store, run_sample(store, executor=cluster.executor).job_id) == expected


def test_only_a_bounded_number_of_chunks_is_under_way(cluster, store, monkeypatch, small_chunks):
    cluster.wait_for(2)
    under_way: list[int] = []
    finished = dask_executor.DaskExecutor.finished

    def count(self: Any, waiting: Any, seconds: float) -> Any:
        under_way.append(len(waiting))
        return finished(self, waiting, seconds)

    monkeypatch.setattr(dask_executor.DaskExecutor, "finished", count)
    run_sample(store, executor=cluster.executor)
    assert max(under_way) == 4  # two workers of one thread: two chunks each


def test_a_source_that_nodes_cannot_read_is_tried_twice_and_named(cluster, store, tmp_path, small_chunks):
    """What the driver sees and the nodes do not: the file is taken away once the plan is made."""
    (tmp_path / "f.tif").write_bytes((SAMPLE / "forest_2020_NE.tif").read_bytes())
    loss = {"role": "glad", "profile": "hansen_gfc", "source": str(SAMPLE / "glad_lossyear.tif"), "nodata": None, "years": [2001, 2025]}
    forest = {"role": "forest_2020", "encoding": {"kind": "mask", "values": [1], "none": [0]}, "nodata": None, "year": 2020, "source": "f.tif"}
    datasets = Path(write_datasets(tmp_path, forest, loss))
    listener, original = Listener(), job_run.open_executor

    def unlink_first(*arguments: Any) -> Any:
        (tmp_path / "f.tif").unlink()
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(EpochError, match=r"f\.tif cannot be opened"):
        patch.setattr(job_run, "open_executor", unlink_first)
        run_sample(store, listener, datasets, executor=cluster.executor)
    assert any("f.tif" in text for text in listener.warnings)


def test_versions_are_compared(cluster, store, monkeypatch):
    own = dask_executor.node_versions()
    monkeypatch.setattr(dask_executor, "node_versions", lambda: {**own, "numpy": "0.1"})
    listener = Listener()
    assert run_sample(store, listener, executor=cluster.executor).status == "completed"
    assert listener.warnings == [f"A Dask worker runs numpy {own['numpy']} instead of 0.1: numbers may differ in their last digits."]
    monkeypatch.setattr(dask_executor, "node_versions", lambda: {**own, "method": "1999"})
    with pytest.raises(ExecutorError, match=r"has version .* of the method, this machine 1999"):
        run_sample(store, executor=cluster.executor)


def test_without_a_scheduler_the_error_says_how_to_start_one(store, monkeypatch):
    monkeypatch.setattr(dask_executor, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ExecutorError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9 .*start it with `dask scheduler`"):
        run_sample(store, executor="dask:tcp://127.0.0.1:9")
    with store.reading() as connection:
        assert _newest(connection, store).status == "failed"


def test_without_workers_the_error_says_so(store, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_executor, "CONNECT_SECONDS", 2.0)
    log = tmp_path / "scheduler.log"
    scheduler = _start(["scheduler", "--host", LOOPBACK, "--port", "0", "--no-dashboard"], log)
    try:
        with pytest.raises(ExecutorError, match="has no worker: start it with"):
            run_sample(store, executor=f"dask:{_announced(log, scheduler)}")
    finally:
        scheduler.terminate()
        scheduler.wait(20)


def test_a_scheduler_that_dies_ends_the_batch_which_threads_can_finish(store, expected, tmp_path, small_chunks):
    log = tmp_path / "cluster.log"
    scheduler = _start(["scheduler", "--host", LOOPBACK, "--port", "0", "--no-dashboard"], log)
    address = _announced(log, scheduler)
    worker = _start(["worker", "--nthreads", "1", "--no-nanny", "--host", LOOPBACK, "--no-dashboard", "--death-timeout", "5", address], log)

    def kill(fraction: float) -> None:
        if fraction >= 0.1 and scheduler.poll() is None:
            scheduler.kill()
            scheduler.wait()

    try:
        with pytest.raises(ExecutorError, match="Dask scheduler"):
            run_sample(store, Listener(kill), executor=f"dask:{address}")
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    with store.reading() as connection:
        job = _newest(connection, store)
    assert job.status == "failed" and 0 < len(job.complete_task_ids) < 31
    result = run_sample(store, if_done="reuse")
    assert stored_text(store, result.job_id) == expected


def test_without_dask_the_error_says_how_to_get_it(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "epoch_plugin.core.batch.dask_executor")
    with pytest.raises(MissingLibraryError, match=r"'distributed' is not installed.*pip install \"dask\[distributed\]\""):
        run_sample(store, executor="dask:tcp://127.0.0.1:9")


def _newest(connection: Any, store: Store) -> jobs.JobRow:
    (collection,) = connection.execute("SELECT collection_id FROM collections").fetchone()
    return jobs.for_collection(connection, collection)[0]
