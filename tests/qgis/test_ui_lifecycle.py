"""Enabling and disabling the plugin in the desktop: everything comes, everything goes, five times."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from qgis.core import QgsApplication
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QCoreApplication, QEvent
from qgis.PyQt.QtWidgets import QMessageBox, QPushButton

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.settings import resource
from epoch_plugin.plugin import EpochPlugin
from tests.qgis.desktop_iface import DesktopIface

WAIT = 60_000


@pytest.fixture
def alone(plugin):
    """No other plugin object holds the provider meanwhile."""
    plugin.unload()
    yield QgsApplication.processingRegistry()
    plugin.initProcessing()


@pytest.fixture
def iface(alone):
    iface = DesktopIface()
    iface.window.show()
    yield iface
    iface.window.close()
    iface.window.deleteLater()


def slowly(monkeypatch):
    """Make every chunk last long enough to be seen."""
    import time

    from epoch_plugin.core.zonal import engine

    run = engine.run
    monkeypatch.setattr(engine, "run", lambda *arguments, **options: time.sleep(0.3) or run(*arguments, **options))


def settle():
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def test_five_times_on_and_off_leaves_nothing(iface, alone, store, monkeypatch, qtbot):
    monkeypatch.setenv("EPOCH_STORE", store)
    for turn in range(5):
        plugin = EpochPlugin(iface)
        plugin.initGui()
        assert alone.providerById("epoch") is not None
        assert len(plugin.desktop.docks) == len(plugin.desktop.actions) == len(iface.toolbar.actions()) == len(iface.menu.actions()) >= 1
        assert len(iface.option_pages) == len(iface.blockers) == 1 and iface.blockers[0].allowExit()
        dock = plugin.desktop.dock("CollectionsDock")
        assert dock.isHidden() and dock.content is None, "a dock that nobody sees costs nothing"
        plugin.desktop.actions[0].trigger()
        qtbot.waitUntil(lambda dock=dock: dock.isVisible() and dock.content is not None, timeout=WAIT)
        if turn % 2:  # also while panels are open and the store is being read
            dock.content.add_plots(resource("sample", "plots.geojson"))
        plugin.unload()
        settle()
        assert alone.providerById("epoch") is None
        assert not iface.window.findChildren(QgsDockWidget), "a dock is left"
        assert not iface.toolbar.actions() and not iface.menu.actions() and not iface.option_pages and not iface.blockers
        qtbot.waitUntil(lambda: not QgsApplication.taskManager().countActiveTasks(), timeout=WAIT)
        assert not [item for item in iface.canvas.items() if type(item).__name__ == "QgsRubberBand"], "the preview is left on the map"


def many_slow_chunks(iface, store, monkeypatch):
    """Start the plugin so that a batch takes its time; return it, the Collections dock and what the dock shows."""
    from epoch_plugin.core.batch import chunks

    monkeypatch.setenv("EPOCH_STORE", store)
    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", 20)
    slowly(monkeypatch)
    preferences.put_interrupted_jobs([])
    plugin = EpochPlugin(iface)
    plugin.initGui()
    dock = plugin.desktop.dock("CollectionsDock")
    return plugin, dock, dock.build()


def test_closing_qgis_with_a_running_job_asks_and_leaves_one_that_resumes(iface, store, monkeypatch, qtbot):
    from epoch_plugin.core.store import jobs
    from epoch_plugin.core.store.store import Store
    from epoch_plugin.ui.collections.tree_model import ROW

    plugin, dock, content = many_slow_chunks(iface, store, monkeypatch)
    content.ask("sample")
    qtbot.waitUntil(lambda: bool(dock.running_jobs()) and any(run.fraction > 0.1 for run in plugin.desktop.runs.jobs()), timeout=WAIT)
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *texts: asked.append(texts[2]) or QMessageBox.StandardButton.Cancel)
    assert not iface.blockers[0].allowExit() and "resumed" in asked[0] and dock.running_jobs()
    job_id = dock.running_jobs()[0]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    assert iface.blockers[0].allowExit()
    plugin.unload()
    settle()
    with Store(store).reading() as conn:
        job = jobs.get(conn, job_id)
    assert job.status == "cancelled" and 0 < len(job.complete_task_ids) < 16 and preferences.interrupted_jobs() == [job_id]

    # the next start: the dock wakes up by itself, offers, and continues the same job
    plugin = EpochPlugin(iface)
    monkeypatch.setattr("epoch_plugin.ui.desktop.FIRST_LOOK_MS", 1)
    plugin.initGui()
    dock = plugin.desktop.dock("CollectionsDock")
    qtbot.waitUntil(lambda: dock.content is not None and iface.bar.currentItem() is not None and "interrupted" in iface.bar.currentItem().text(),
                    timeout=WAIT)  # fmt: skip
    iface.bar.currentItem().findChild(QPushButton, "EpochResume").click()

    def tones():
        item = dock.content.main.model.item(0)
        return [item.child(i).data(ROW).tone for i in range(item.rowCount())]

    qtbot.waitUntil(lambda: tones() == ["completed"], timeout=WAIT)
    assert preferences.interrupted_jobs() == []
    plugin.unload()
    settle()


def test_a_job_that_qgis_itself_cancels_is_offered_again(iface, store, monkeypatch, qtbot):
    """QGIS asks about active tasks and cancels them before it asks exit blockers."""
    plugin, dock, content = many_slow_chunks(iface, store, monkeypatch)
    content.ask("sample")
    qtbot.waitUntil(lambda: bool(dock.running_jobs()), timeout=WAIT)
    job_id = dock.running_jobs()[0]
    QgsApplication.taskManager().cancelAll()
    qtbot.waitUntil(lambda: not plugin.desktop.runs.active, timeout=WAIT)
    plugin.unload()
    settle()
    assert preferences.interrupted_jobs() == [job_id]
    preferences.put_interrupted_jobs([])


def test_options_page_keeps_what_is_right_and_refuses_what_is_not(iface, plugin, tmp_path):
    from epoch_plugin.ui.options.factory import OptionsFactory

    factory = OptionsFactory()
    page = factory.createWidget(iface.window)
    page.store.setFilePath(str(tmp_path / "other.gpkg"))
    page._add("strict", json.dumps({"min_valid_fraction": 0.99}))
    assert page.isValid()
    page.apply()
    assert preferences.get(preferences.STORE) == str(tmp_path / "other.gpkg") and preferences.presets() == {"strict": {"min_valid_fraction": 0.99}}
    page._add("wrong", '{"min_valid_fracton": 0.9}')
    assert not page.isValid() and "min_valid_fracton" in page.problem.text()
    page.apply()
    assert "wrong" not in preferences.presets()
    again = factory.createWidget(iface.window)
    assert again.rows() == [("strict", '{"min_valid_fraction": 0.99}')]
    again.store.setFilePath("")
    again.table.removeRow(0)
    again.apply()
    assert preferences.get(preferences.STORE) == "" and preferences.presets() == {}


def test_starting_the_desktop_part_is_quick_and_light(root, tmp_path):
    """Less than 50 ms for the GUI part in a fresh process, and nothing heavy imported; measured over QGIS's own imports."""
    code = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from qgis.core import QgsApplication
app = QgsApplication([], True); app.initQgis()
import qgis.gui, qgis.PyQt.QtWidgets, processing
from tests.qgis.desktop_iface import DesktopIface
iface = DesktopIface()
before, start = set(sys.modules), time.perf_counter()
from epoch_plugin.plugin import EpochPlugin
plugin = EpochPlugin(iface)
plugin.initGui()
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted(set(sys.modules) - before)]))
plugin.unload()
import os; sys.stdout.flush(); os._exit(0)
"""
    times = []
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True,
                             env={**os.environ, "PYTHONPATH": "/usr/share/qgis/python/plugins"})  # fmt: skip
        seconds, modules = json.loads(run.stdout.splitlines()[-1])
        times.append(seconds)
        heavy = ("numpy", "osgeo", "shapely", "pyproj", "pandas", "matplotlib", "sqlite3")
        assert [name for name in modules if name.partition(".")[0] in heavy] == []
        assert not [name for name in modules if name.startswith(("epoch_plugin.ui.collections.content", "epoch_plugin.ui.datasets"))]
    print(f"plugin start in the desktop: {1000 * min(times):.0f} ms")
    assert min(times) < 0.1, times  # the budget is 50 ms; a busy machine gets twice that
