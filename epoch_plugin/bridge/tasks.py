"""Work in the background that is no algorithm: a function in QGIS's task manager, answered in the main thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QTimer

from epoch_plugin.bridge.compat import QUIET_TASK
from epoch_plugin.bridge.proj_context import keeping_proj_context
from epoch_plugin.core.errors import CancelledError, explained

# A QgsTask that no Python name holds never calls finished(): these are on their way.
_alive: set[BackgroundTask] = set()
SOON_MS, TRIES = 2, 1_000
_ENDED = (QgsTask.TaskStatus.Complete, QgsTask.TaskStatus.Terminated)
# Between a look at the other tasks and the adding of one none may leave; adding tells others, who may add in their turn.
_door = threading.RLock()


class BackgroundTask(QgsTask):
    """Runs `function(progress)` in a worker thread, then `done(result, error)` in the main thread: error is None or a text for the user."""

    def __init__(self, title: str, function: Callable[[Any], Any], done: Callable[[Any, str | None], None], quiet: bool = False):
        super().__init__(title, QUIET_TASK if quiet else QgsTask.Flag.CanCancel)
        self.leaving = False
        self._function, self._done = function, done
        self._result: Any = None
        self._error: str | None = None

    @keeping_proj_context
    def run(self) -> bool:
        """Run the function; whatever it raises is kept, for an exception that leaves here ends QGIS."""
        try:
            self._result = self._function(_TaskProgress(self))
        except CancelledError as error:
            self._error = str(error)
        except Exception as error:
            self._error = explained(error)
        except BaseException as error:  # an interpreter that is asked to stop
            self._error = type(error).__name__
        leave(self)
        return self._error is None

    def finished(self, ok: bool) -> None:
        """Answer, unless nobody waits any more."""
        _alive.discard(self)
        if self._done is not None:
            self._done(self._result, self._error if self._error or ok else "Stopped on request.")

    def forget(self) -> None:
        """Cancel, and do not answer: the asker is gone, or asks something else now."""
        self._done = None
        self.cancel()


class _TaskProgress:
    """A task as the core's `Progress`."""

    def __init__(self, task: QgsTask):
        self._task = task

    def step(self, fraction: float, stage: str) -> None:
        """Show the done share."""
        self._task.setProgress(100.0 * min(1.0, max(0.0, fraction)))

    def info(self, text: str) -> None:
        """Ignore: the answer says it."""

    def warn(self, text: str) -> None:
        """Ignore: the answer says it."""

    def cancelled(self) -> bool:
        """Tell whether the task was cancelled."""
        return self._task.isCanceled()


def in_background(title: str, function: Callable[[Any], Any], done: Callable[[Any, str | None], None], quiet: bool = False) -> BackgroundTask:
    """Start a function in the background and return its task; `quiet` keeps it out of the task list where QGIS can."""
    task = BackgroundTask(title, function, done, quiet)
    _alive.add(task)
    hand_over(task, task.finished)
    return task


def leave(task: Any) -> None:
    """Say in a task's thread that our code has done with it, so that it is on its way out from here on."""
    with _door:
        task.leaving = True


def hand_over(task: QgsTask, ended: Callable[[bool], None], tries: int = TRIES) -> None:
    """Give a task to QGIS's manager as soon as no other task there is on its way out; `ended(False)` where it is cancelled before that.

    The manager keeps the address of a task's runnable after the thread pool has freed it, and takes whatever has that address out of
    the pool's queue when it clears the task away. A task that was added in between, for instance in another's `finished()`, may lie at
    just that address: it then stays queued for ever (QGIS issue 53806). The state alone does not tell in time, because a thread may free
    its runnable between our look at it and the adding: tasks of ours say that they `leave` before they can. Waiting itself ends after
    `tries`: a task that never leaves must not stop all others.
    """
    manager = QgsApplication.taskManager()
    if task.isCanceled():
        ended(False)
        return
    with _door:
        free = not tries or not any(other.status() in _ENDED or getattr(other, "leaving", False) for other in manager.tasks())
        if free:
            manager.addTask(task)
    if not free:
        QTimer.singleShot(SOON_MS, lambda: hand_over(task, ended, tries - 1))


def stop_all() -> None:
    """Forget every task on its way and wait until its thread has left our code (the plugin is being unloaded)."""
    for task in list(_alive):
        task.forget()
        task.waitForFinished(5000)
    _alive.clear()
