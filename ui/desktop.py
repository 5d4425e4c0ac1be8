"""What the plugin adds to the QGIS desktop: docks with their actions, the options page, the question at closing time."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from qgis.gui import QgsApplicationExitBlockerInterface, QgsDockWidget
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, Qt, QTimer
from qgis.PyQt.QtWidgets import QAction, QMessageBox

from epoch_plugin.bridge import preferences, tasks
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import counted
from epoch_plugin.bridge.runs import Runs
from epoch_plugin.bridge.settings import store_path
from epoch_plugin.ui.common.looks import plugin_icon, theme_icon
from epoch_plugin.ui.options.factory import OptionsFactory

MENU = "Epoch"
FIRST_LOOK_MS = 1500  # after QGIS's window has settled


class DockSpec(NamedTuple):
    """A dock: `module` has a class `name(iface, runs)`, light to make, with `build()`, `running_jobs()` and `stop()`; icon of QGIS or ours."""

    module: str
    name: str
    text: str
    icon: str
    area: Qt.DockWidgetArea


DOCKS = (
    DockSpec("epoch_plugin.ui.collections.dock", "CollectionsDock", "Epoch collections", "", Qt.DockWidgetArea.LeftDockWidgetArea),
    DockSpec("epoch_plugin.ui.monitoring.dock", "MonitoringDock", "Epoch monitoring", "mActionHistory", Qt.DockWidgetArea.RightDockWidgetArea),
)


class Desktop(QObject):
    """Makes everything in `start` and removes everything in `stop`."""

    def __init__(self, iface: Any):
        super().__init__()
        self._iface = iface
        self.runs: Runs | None = None
        self.docks: list[QgsDockWidget] = []
        self.actions: list[QAction] = []
        self._options: OptionsFactory | None = None
        self._blocker: ExitBlocker | None = None
        self._first_look: QTimer | None = None

    def start(self) -> None:
        """Add docks, actions, options page and exit blocker; then look for unfinished jobs."""
        self.runs = Runs()
        for spec in DOCKS:
            self._add_dock(spec)
        self.dock("CollectionsDock").results_ready.connect(self.dock("MonitoringDock").show_collection)
        self._options = OptionsFactory()
        self._iface.registerOptionsWidgetFactory(self._options)
        self._blocker = ExitBlocker(self)
        self._iface.registerApplicationExitBlocker(self._blocker)
        self._first_look = QTimer(self)
        self._first_look.setSingleShot(True)
        self._first_look.timeout.connect(self._look_for_unfinished)
        self._first_look.start(FIRST_LOOK_MS)

    def stop(self) -> None:
        """Stop what runs, so that it can be resumed, and remove everything."""
        if self._first_look is not None:
            self._first_look.stop()
        self.interrupt()
        for dock in self.docks:
            if not sip.isdeleted(dock):
                dock.stop()
        tasks.stop_all()
        if self._blocker is not None:
            self._iface.unregisterApplicationExitBlocker(self._blocker)
        if self._options is not None:
            self._iface.unregisterOptionsWidgetFactory(self._options)
        for action in self.actions:
            self._iface.removePluginMenu(MENU, action)
            self._iface.removeToolBarIcon(action)
            action.deleteLater()
        for dock in self.docks:
            if not sip.isdeleted(dock):
                self._iface.removeDockWidget(dock)
                dock.deleteLater()
        self.docks, self.actions = [], []
        self.runs = self._options = self._blocker = self._first_look = None

    def dock(self, name: str) -> QgsDockWidget:
        """Return a dock by its class's name."""
        return next(dock for dock in self.docks if type(dock).__name__ == name)

    def running_jobs(self) -> int:
        """Return the number of batch jobs that this QGIS computes now."""
        return len(self.runs.jobs()) if self.runs else 0

    def _add_dock(self, spec: DockSpec) -> None:
        dock = getattr(import_module(spec.module), spec.name)(self._iface, self.runs)
        dock.hide()
        self._iface.addDockWidget(spec.area, dock)
        dock.hide()  # QGIS shows what is added; it restores what was open when it was closed
        action = QAction(theme_icon(spec.icon) if spec.icon else plugin_icon(), tr(spec.text), self._iface.mainWindow())
        action.setObjectName(f"Epoch{spec.name}Action")
        action.setCheckable(True)
        dock.setToggleVisibilityAction(action)
        self._iface.addToolBarIcon(action)
        self._iface.addPluginToMenu(MENU, action)
        self.docks.append(dock)
        self.actions.append(action)

    def interrupt(self) -> None:
        """Stop every run after its last finished chunk; the jobs among them are offered at the next start."""
        ids = [job for dock in self.docks if not sip.isdeleted(dock) for job in dock.running_jobs()]
        if ids:
            preferences.put_interrupted_jobs([*preferences.interrupted_jobs(), *ids])
        if self.runs is not None:
            self.runs.stop_all()

    def _look_for_unfinished(self) -> None:
        """Hold the store, and wake the Collections dock where there is something to resume; it asks."""
        from epoch_plugin.bridge.overview import read_overview, resumable_jobs
        from epoch_plugin.bridge.store_session import hold, reload_layers

        path, stopped = store_path(), preferences.interrupted_jobs()

        def look(_progress: Any) -> list[Any]:
            hold(path)
            return resumable_jobs(read_overview(path), stopped)

        def found(jobs: list[Any] | None, error: str | None) -> None:
            reload_layers(path)
            if jobs and self.docks:
                self.dock("CollectionsDock").build()

        tasks.in_background(tr("Looking for unfinished jobs"), look, found, quiet=True)


class ExitBlocker(QgsApplicationExitBlockerInterface):
    """Asks before QGIS is closed while a job runs."""

    def __init__(self, desktop: Desktop):
        super().__init__()
        self._desktop = desktop

    def allowExit(self) -> bool:
        """Let QGIS close, after asking where a job runs; the job stops at its last finished chunk and can be resumed."""
        number = self._desktop.running_jobs()
        if not number:
            return True
        one = tr("A job is running. It stops now and can be resumed when QGIS is started again. Close QGIS?")
        several = tr("{n} jobs are running. They stop now and can be resumed when QGIS is started again. Close QGIS?")
        text = counted(number, one, several)
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        answer = QMessageBox.question(None, tr("Epoch: jobs are running"), text, buttons, QMessageBox.StandardButton.Cancel)
        if answer != QMessageBox.StandardButton.Yes:
            return False
        self._desktop.interrupt()  # QGIS refuses to close while a task is active
        return True
