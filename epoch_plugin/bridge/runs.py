"""Algorithms in the background: started by id, followed by signals, kept alive until they are done."""

from __future__ import annotations

import time
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.loading import load_results
from epoch_plugin.bridge.tasks import hand_over, leave

UNLOAD_WAIT_MS = 15_000


class _Feedback(QgsProcessingFeedback):
    """Passes what is said from the worker thread to the run's signals."""

    def __init__(self, run: Run):
        super().__init__(False)
        self._run = run

    def setProgressText(self, text: str) -> None:
        """Name the stage."""
        self._run.staged.emit(text)

    def pushWarning(self, warning: str) -> None:
        """Keep what the user must read."""
        self._run.warnings.append(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        """Keep why it failed."""
        self._run.errors.append(error)

    def leaving(self) -> None:
        """Say, in the worker thread, that the algorithm has done its work."""
        leave(self._run.task)


class Run(QObject):
    """One run of an algorithm: task, algorithm, context and feedback stay here until it is done.

    `what` says in words what it does; `about` is free for the asker (collection, window, ...).
    """

    staged = pyqtSignal(str)  # emitted in the worker thread
    changed = pyqtSignal()
    done = pyqtSignal(bool)

    def __init__(self, algorithm_id: str, parameters: dict[str, Any], what: str, about: dict[str, Any] | None = None):
        super().__init__()
        self.algorithm_id, self.parameters, self.what, self.about = algorithm_id, parameters, what, about or {}
        self.fraction, self.stage = 0.0, ""
        self.started = time.monotonic()
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.results: dict[str, Any] = {}
        self.layers: list[Any] = []
        self.running = False
        self.cancelled = False
        self.interrupted = False  # cancelled, but not through `cancel`: by QGIS when it closes, or in its list of tasks
        self._first: tuple[float, float] | None = None
        self.task: QgsProcessingAlgRunnerTask | None = None

    @property
    def error(self) -> str:
        """Why it failed, for the user; empty if it did not."""
        return self.errors[-1].strip() if self.errors else ""

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace since the first progress; None while there is too little to go by."""
        if self._first is None or self.fraction - self._first[1] < 0.02:
            return None
        return (time.monotonic() - self._first[0]) / (self.fraction - self._first[1]) * (1.0 - self.fraction)

    def start(self) -> None:
        """Hand the run to the task manager; an algorithm that is not there ends it at once."""
        self._algorithm = QgsApplication.processingRegistry().createAlgorithmById(self.algorithm_id)
        if self._algorithm is None:
            self.errors.append(tr("The algorithm {name} is not available.", "Runs").format(name=self.algorithm_id))
            self.done.emit(False)
            return
        self._context, self._feedback = QgsProcessingContext(), _Feedback(self)
        self._context.setProject(QgsProject.instance())
        self._context.setFeedback(self._feedback)
        self.task = QgsProcessingAlgRunnerTask(self._algorithm, self.parameters, self._context, self._feedback)
        self.task.setDescription(self.what)
        self.staged.connect(self._on_stage)
        self._feedback.progressChanged.connect(self._on_progress)
        self.task.executed.connect(self._on_executed)
        self.running = True
        hand_over(self.task, lambda ok: self._on_executed(ok, {}))

    def cancel(self) -> None:
        """Ask the run to stop; it ends when its algorithm has seen that."""
        if self.running and self.task is not None:
            self.cancelled = True
            self.task.cancel()
            self.changed.emit()

    def stop_and_wait(self) -> None:
        """Cancel and wait until the worker thread has left our code (the plugin is being unloaded)."""
        self.cancel()
        if self.task is not None and self.running:
            self.task.waitForFinished(UNLOAD_WAIT_MS)

    def _on_stage(self, text: str) -> None:
        self.stage = text
        self.changed.emit()

    def _on_progress(self, percent: float) -> None:
        self.fraction = percent / 100.0
        self._first = self._first or (time.monotonic(), self.fraction)
        self.changed.emit()

    def _on_executed(self, ok: bool, results: dict[str, Any]) -> None:
        if not self.running:
            return
        self.running = False
        self.interrupted = not ok and not self.cancelled and self.task.isCanceled()
        self.cancelled = self.cancelled or self.interrupted
        self.results = dict(results)
        if ok:
            self.layers = load_results(self._context, self._feedback)
        elif not self.errors:
            stopped = tr("Stopped on request.", "Runs")
            self.errors.append(stopped if self.cancelled else tr("It ended without saying why; see the log messages panel.", "Runs"))
        self.done.emit(ok)


class Runs(QObject):
    """All runs of this QGIS that the docks started."""

    started = pyqtSignal(object)
    changed = pyqtSignal(object)
    finished = pyqtSignal(object, bool)

    def __init__(self) -> None:
        super().__init__()
        self.active: list[Run] = []

    def start(self, algorithm_id: str, parameters: dict[str, Any], what: str, **about: Any) -> Run:
        """Start an algorithm in the background and return its run; connect to its `done` or to `finished`."""
        run = Run(algorithm_id, parameters, what, about)
        self.active.append(run)
        run.changed.connect(lambda: self.changed.emit(run))
        run.done.connect(lambda ok: self._ended(run, ok))
        run.start()
        if run.running:
            self.started.emit(run)
        return run

    def jobs(self) -> list[Run]:
        """Return the runs that compute a batch job."""
        return [run for run in self.active if run.about.get("kind") == "job"]

    def stop_all(self) -> None:
        """Cancel everything and wait for it."""
        for run in list(self.active):
            run.stop_and_wait()
        self.active.clear()

    def _ended(self, run: Run, ok: bool) -> None:
        if run in self.active:
            self.active.remove(run)
        self.finished.emit(run, ok)


def into_project() -> QgsProcessingOutputLayerDefinition:
    """Return the value of a layer output that shall be loaded as a temporary layer."""
    return QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance())
