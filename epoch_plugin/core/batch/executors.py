"""Where chunks are computed: in this process, or on a Dask cluster; both behind one interface."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

from epoch_plugin.core.batch.compute import ChunkSpec, Rows, chunk_sums, rows_of
from epoch_plugin.core.errors import EpochError, InputError, MissingLibraryError
from epoch_plugin.core.executor_name import DASK, THREADS
from epoch_plugin.core.progress import NoProgress, Progress
from epoch_plugin.core.store.plots import PlotShape
from epoch_plugin.core.zonal.engine import GridResult


class ExecutorError(EpochError):
    """The executor itself is lost, so that no further chunk can be computed."""


class Executor(Protocol):
    """Computes chunks; what `submit` returns is only handed back to the other methods."""

    @property
    def capacity(self) -> int:
        """Return how many chunks may be under way at a time: what bounds the memory, and keeps everybody busy."""

    @property
    def fraction(self) -> float:
        """Return the done share (0..1) of the chunk that is computed here; 0 where nobody can tell."""

    def submit(self, shapes: Sequence[PlotShape]) -> Any:
        """Start on the plots of a chunk."""

    def finished(self, waiting: Collection[Any], seconds: float) -> list[Any]:
        """Return those that are done, after waiting up to some seconds for the first; raise `ExecutorError` if none ever will be."""

    def rows(self, ticket: Any) -> Rows:
        """Return a finished chunk's rows or raise what went wrong with it."""

    def close(self) -> None:
        """Drop what is still under way and let go of all resources."""


def open_executor(name: str, spec: ChunkSpec, progress: Progress) -> Executor:
    """Return the executor `threads` or `dask:<scheduler address>`.

    Raises `MissingLibraryError` without dask and `ExecutorError` where the cluster does not answer.
    """
    if name == THREADS:
        return ThreadsExecutor(spec, os.cpu_count() or 1)
    if name.startswith(DASK):
        try:
            from epoch_plugin.core.batch.dask_executor import DaskExecutor
        except ImportError as error:
            raise MissingLibraryError(
                f"EXECUTOR=dask:... needs the Python library dask.distributed, but '{error.name}' is not installed. Install it into QGIS's Python "
                '(python -m pip install "dask[distributed]"; on Debian: apt install python3-distributed), or use EXECUTOR=threads.'
            ) from None
        return DaskExecutor(spec, name[len(DASK) :].strip(), progress)
    raise InputError(f"EXECUTOR is '{name}': use '{THREADS}' or '{DASK}<scheduler address>'.")


_Summed = tuple[Sequence[PlotShape], list[list[GridResult]]]  # a chunk's plots and the engine's sums for each statistic


class ThreadsExecutor:
    """The cores of this machine: the engine spreads one chunk at a time over the threads, while rows are made of the one before and stored."""

    capacity = 2  # one is computed, the next one's plots wait for it

    def __init__(self, spec: ChunkSpec, threads: int) -> None:
        """Start the thread in which chunks are planned; `threads` of the engine work for it."""
        self._spec, self._threads = spec, threads
        self._watch = _Watch()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="epoch-chunk")

    @property
    def fraction(self) -> float:
        """Return how far the engine says it is."""
        return self._watch.fraction

    def submit(self, shapes: Sequence[PlotShape]) -> Future[_Summed]:
        """Queue a chunk."""
        return self._pool.submit(self._compute, shapes)

    def finished(self, waiting: Collection[Any], seconds: float) -> list[Any]:
        """Return the done ones."""
        done = wait(waiting, seconds, FIRST_COMPLETED).done
        return [ticket for ticket in waiting if ticket in done]

    def rows(self, ticket: Any) -> Rows:
        """Make the rows, in the caller's thread."""
        shapes, sums = ticket.result()
        return rows_of(self._spec, shapes, sums)

    def close(self) -> None:
        """Stop the engine at its next group of blocks and wait for it."""
        self._watch.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _compute(self, shapes: Sequence[PlotShape]) -> _Summed:
        try:
            return shapes, chunk_sums(self._spec, [shape.polygon for shape in shapes], self._threads, self._watch)
        finally:
            self._watch.fraction = 0.0  # of the next one


class _Watch(NoProgress):
    """The engine's listener in the chunk thread: the caller's own is only spoken to in the caller's thread, as QGIS wants it."""

    def __init__(self) -> None:
        self.fraction = 0.0
        self.stop = threading.Event()

    def step(self, fraction: float, stage: str) -> None:
        """Remember how far it is."""
        self.fraction = fraction

    def cancelled(self) -> bool:
        """Tell the engine to stop."""
        return self.stop.is_set()
