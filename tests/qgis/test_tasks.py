"""Tasks are handed to QGIS's manager when it cannot lose them, whoever starts them and from wherever."""

from __future__ import annotations

import threading

import pytest
from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QCoreApplication

from epoch_plugin.bridge import tasks
from epoch_plugin.bridge.runs import Runs
from epoch_plugin.core.store.store import Store

WAIT = 10_000
ENDED = (QgsTask.TaskStatus.Complete, QgsTask.TaskStatus.Terminated)


@pytest.fixture
def company(plugin):
    """For every task that is added to the manager: the states of the others there at that moment."""
    manager, found = QgsApplication.taskManager(), []

    def note(task_id):
        found.append([other.status() for other in manager.tasks() if manager.taskId(other) != task_id])

    manager.taskAdded.connect(note)
    yield found
    manager.taskAdded.disconnect(note)


def chain(length, fails=False):
    """Start a task whose answer starts the next one, and return the answers as they come."""
    answers = []

    def work(_progress):
        if fails:
            raise ValueError("it failed")
        return len(answers)

    def answered(result, error):
        answers.append(error or result)
        if len(answers) < length:
            tasks.in_background("next", work, answered)

    tasks.in_background("first", work, answered)
    return answers


@pytest.mark.parametrize("fails", [False, True])
def test_a_task_started_by_the_answer_of_another_waits_until_that_one_is_cleared_away(company, fails, qtbot):
    answers = chain(5, fails)
    qtbot.waitUntil(lambda: len(answers) == 5, timeout=WAIT)
    assert len(company) == 5 and not any(state in ENDED for states in company for state in states)


class Lingering(QgsTask):
    """A task that has said that it leaves, but whose thread is held up before QGIS can know: what a busy computer does."""

    def __init__(self):
        super().__init__("lingering", QgsTask.Flag.CanCancel)
        self.leaving, self.left, self.go = False, threading.Event(), threading.Event()

    def run(self):
        tasks.leave(self)
        self.left.set()
        return self.go.wait(WAIT / 1000)


def test_a_task_waits_for_one_that_leaves_although_qgis_still_calls_it_running(plugin, company, qtbot):
    manager, lingering = QgsApplication.taskManager(), Lingering()
    manager.addTask(lingering)
    assert lingering.left.wait(WAIT / 1000)
    assert lingering.status() == QgsTask.TaskStatus.Running
    answers = []
    tasks.in_background("second", lambda _progress: 1, lambda *answer: answers.append(answer))
    qtbot.wait(50 * tasks.SOON_MS)
    assert len(company) == 1 and not answers  # only the first was added
    lingering.go.set()
    qtbot.waitUntil(lambda: bool(answers), timeout=WAIT)
    assert answers == [(1, None)] and company == [[], []]


def test_no_task_leaves_while_another_is_being_added(plugin, qtbot):
    manager, lingering, seen = QgsApplication.taskManager(), Lingering(), []
    lingering.go.set()

    def added(_task_id):
        thread = threading.Thread(target=tasks.leave, args=(lingering,))
        thread.start()
        thread.join(0.2)
        seen.append((lingering.leaving, thread))

    manager.taskAdded.connect(added)
    try:
        tasks.in_background("one", lambda _progress: 1, lambda *_answer: None)
    finally:
        manager.taskAdded.disconnect(added)
    ((leaving, thread),) = seen
    thread.join(WAIT / 1000)
    assert not leaving and lingering.leaving
    qtbot.waitUntil(lambda: not manager.countActiveTasks(), timeout=WAIT)


@pytest.mark.parametrize("well", [True, False])
def test_algorithms_say_that_they_leave_whether_they_end_well_or_not(well, store, qtbot):
    runs, ended = Runs(), []
    runs.finished.connect(lambda run, ok: ended.append((ok, run.task.leaving)))
    if well:
        with Store(store).writing():
            pass  # an empty store
    runs.start("epoch:getcollections", {"STORE": store}, "asks")
    qtbot.waitUntil(lambda: bool(ended), timeout=WAIT)
    assert ended == [(well, True)]


def test_an_algorithm_started_by_the_end_of_another_waits_as_well(company, store, qtbot):
    runs, ended = Runs(), []

    def again(run, ok):
        ended.append((ok, run.error))
        if len(ended) < 3:
            runs.start("epoch:getcollections", {"STORE": store}, "again")

    runs.finished.connect(again)
    runs.start("epoch:getcollections", {"STORE": store}, "once")
    qtbot.waitUntil(lambda: len(ended) == 3, timeout=WAIT)
    assert len(company) == 3 and not any(state in ENDED for states in company for state in states)


def test_a_task_cancelled_before_it_was_handed_over_answers(monkeypatch, plugin, qtbot):
    states = iter([QgsTask.TaskStatus.Complete])

    class Manager:
        added = []

        def tasks(self):
            state = next(states, None)
            return [] if state is None else [type("Other", (), {"status": lambda self: state})()]

        def addTask(self, task):
            self.added.append(task)

    monkeypatch.setattr(tasks.QgsApplication, "taskManager", lambda: Manager())
    answers = []
    task = tasks.in_background("waits", lambda _progress: 1, lambda *answer: answers.append(answer))
    task.cancel()
    assert task.waitForFinished(1000)  # what is not started can be waited for
    qtbot.waitUntil(lambda: bool(answers), timeout=WAIT)
    assert answers == [(None, "Stopped on request.")] and not Manager.added
    QCoreApplication.processEvents()
