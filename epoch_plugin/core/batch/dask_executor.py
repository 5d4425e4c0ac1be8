"""Chunks on a Dask cluster. Its nodes need `epoch_plugin.core` and the same paths to the data, neither QGIS nor the store.

Dask sends Python objects in both directions: whoever can reach the scheduler can run code on the nodes and in this process.
The address is therefore the user's own and trusted; docs/cluster.md says how to keep it so.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

import distributed
from distributed.scheduler import KilledWorker

from epoch_plugin.core.batch.compute import ChunkSpec, NodeAnswer, Rows, compute_on_node, node_versions
from epoch_plugin.core.batch.executors import ExecutorError
from epoch_plugin.core.errors import EpochError
from epoch_plugin.core.progress import Progress
from epoch_plugin.core.store.plots import PlotShape

CONNECT_SECONDS = 15.0
WORKERLESS_SECONDS = 120.0  # workers that died are started again by their nannies within seconds
LOOK_EVERY = 5.0  # seconds between looks at how many workers there are
CHUNKS_PER_THREAD = 2  # one is computed, one waits beside it
MOST_CHUNKS = 256
FETCH_SECONDS = 20.0  # below the 60 s after which a job without a sign of life counts as dead
HOW_TO_START = "start it with `dask scheduler` and `dask worker --nworkers 2 <address>`"


class DaskExecutor:
    """A cluster's threads, one chunk each; chunks of workers that die are computed by others."""

    def __init__(self, spec: ChunkSpec, address: str, progress: Progress) -> None:
        """Connect to the scheduler; raise `ExecutorError` when it does not answer or has no worker."""
        self._spec, self._address, self._progress = spec, address, progress
        self._client = self._connect()
        self._own = node_versions()
        self._warned: set[str] = set()
        self._with_workers = time.monotonic()
        self._looked = 0.0
        self.capacity = CHUNKS_PER_THREAD
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            self._look()
        except distributed.TimeoutError:
            self.close()
            raise ExecutorError(f"EXECUTOR: the Dask scheduler at {address} has no worker: {HOW_TO_START}.") from None

    @property
    def fraction(self) -> float:
        """Return 0: nodes report whole chunks."""
        return 0.0

    def submit(self, shapes: Sequence[PlotShape]) -> Any:
        """Send a chunk; the same plots sent again are computed again."""
        return self._client.submit(compute_on_node, self._spec, shapes, pure=False)

    def finished(self, waiting: Collection[Any], seconds: float) -> list[Any]:
        """Return the done ones."""
        if self._client.status != "running":
            raise ExecutorError(f"The connection to the Dask scheduler at {self._address} is lost.")
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._look()
        try:
            with self._client.as_current():  # of this thread only: QGIS may hold other clients
                distributed.wait(list(waiting), timeout=seconds, return_when="FIRST_COMPLETED")
        except distributed.TimeoutError:
            return []
        except distributed.CancelledError as error:
            raise self._dropped() from error
        return [ticket for ticket in waiting if ticket.done()]

    def rows(self, ticket: Any) -> Rows:
        """Return the rows, once the node's versions were compared with this machine's."""
        try:
            answer: NodeAnswer = ticket.result(timeout=FETCH_SECONDS)
        except distributed.CancelledError as error:
            raise self._dropped() from error
        except distributed.TimeoutError as error:
            raise EpochError(f"A chunk's rows did not arrive within {FETCH_SECONDS:.0f} s; its worker may have died.") from error
        except KilledWorker as error:
            raise EpochError(
                f"The workers that took this chunk died ({error}): memory is the usual reason; start fewer workers per machine or give them more."
            ) from error
        except ModuleNotFoundError as error:
            raise ExecutorError(
                f"A Dask worker cannot import '{error.name}': every node needs the plugin's folder on PYTHONPATH, and numpy, shapely, pyproj, osgeo."
            ) from error
        finally:
            ticket.release()
        self._compare(answer.versions)
        return answer.rows

    def close(self) -> None:
        """Take back what was not begun and disconnect; what a node is computing is dropped when it ends."""
        self._client.close()

    def _connect(self) -> Any:
        try:
            return distributed.Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False, name="epoch")
        except (OSError, ValueError, distributed.TimeoutError) as error:
            raise ExecutorError(f"EXECUTOR: no Dask scheduler answers at {self._address} ({error}): {HOW_TO_START}.") from error

    def _dropped(self) -> ExecutorError:
        return ExecutorError(f"The Dask scheduler at {self._address} dropped a chunk: it was restarted, or the connection is lost.")

    def _look(self) -> None:
        """Count the workers' threads; give up when there has been none for long."""
        self._looked = time.monotonic()
        threads = sum(self._client.nthreads().values())
        if threads:
            self._with_workers = self._looked
            self.capacity = min(CHUNKS_PER_THREAD * threads, MOST_CHUNKS)
        elif self._looked - self._with_workers > WORKERLESS_SECONDS:
            raise ExecutorError(f"The Dask scheduler at {self._address} has had no worker for {WORKERLESS_SECONDS:.0f} s: {HOW_TO_START}.")

    def _compare(self, node: dict[str, str]) -> None:
        """Refuse another version of the plugin or method; say once where libraries differ."""
        for name in ("method", "plugin"):
            if node[name] != self._own[name]:
                raise ExecutorError(
                    f"A Dask worker has version {node[name]} of the {name}, this machine {self._own[name]}: install the same everywhere."
                )
        differ = [f"{name} {node.get(name)} instead of {version}" for name, version in self._own.items() if node.get(name) != version]
        text = f"A Dask worker runs {', '.join(differ)}: numbers may differ in their last digits."
        if differ and text not in self._warned:
            self._warned.add(text)
            self._progress.warn(text)

