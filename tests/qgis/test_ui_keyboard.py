"""Everything in the docks can be reached with the Tab key, has a name for screen readers, and keys of its own."""

from __future__ import annotations

import re
import shutil
from collections import Counter

import pytest
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QGroupBox, QLabel, QLineEdit, QTabBar, QToolButton

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.runs import Runs
from epoch_plugin.bridge.settings import resource
from epoch_plugin.ui.charts.chart_view import ChartView
from tests.qgis.desktop_iface import DesktopIface

WAIT = 60_000
USED = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView, QAbstractSpinBox, QTabBar, ChartView)


@pytest.fixture
def docks(plugin, processed_sample, tmp_path, monkeypatch, qtbot):
    """Both docks on the processed sample, open and read."""
    from epoch_plugin.ui.collections.dock import CollectionsDock
    from epoch_plugin.ui.monitoring.dock import MonitoringDock

    shutil.copy(processed_sample, tmp_path / "store.gpkg")
    monkeypatch.setenv("EPOCH_STORE", str(tmp_path / "store.gpkg"))
    preferences.put(preferences.DATASETS, "")
    iface, runs = DesktopIface(), Runs()
    iface.window.show()
    made = CollectionsDock(iface, runs), MonitoringDock(iface, runs)
    for dock, area in zip(made, (Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea)):
        iface.addDockWidget(area, dock)
    qtbot.waitUntil(lambda: made[0].controller is not None and made[0].controller.loaded, timeout=WAIT)
    qtbot.waitUntil(lambda: made[1].content.columns is not None and not made[1].content.reader.busy, timeout=WAIT)
    yield made
    runs.stop_all()
    for dock in made:
        dock.stop()
    qtbot.waitUntil(lambda: not QgsApplication.taskManager().countActiveTasks(), timeout=WAIT)
    QgsProject.instance().clear()
    iface.window.close()
    iface.window.deleteLater()


def panels(docks, qtbot):
    """Yield each panel by name, as it is seen."""
    content, monitoring = docks[0].content, docks[1].content
    yield "collections", content.main
    yield "add plots", content.add_plots(resource("sample", "plots.geojson"))
    content.close_panels()
    process = content.process()
    for group in process.findChildren(QGroupBox):
        if hasattr(group, "setCollapsed"):
            group.setCollapsed(False)
    yield "process", process
    content.close_panels()
    yield "supply base", monitoring
    monitoring.page.table.view.selectRow(0)
    monitoring.tabs.setCurrentWidget(monitoring.inspector)
    qtbot.waitUntil(lambda: monitoring.inspector.details is not None, timeout=WAIT)
    yield "plot", monitoring


def used_in(panel):
    """What a user clicks, types into or moves in; the inner parts of spin boxes, combo boxes and headers belong to their owner."""
    inner = (QComboBox, QAbstractSpinBox, QAbstractItemView, QTabBar)
    for widget in panel.findChildren(object):
        if not isinstance(widget, USED) or not widget.isVisibleTo(panel) or not widget.isEnabled() or widget.objectName().startswith("qt_"):
            continue
        if isinstance(widget.parentWidget(), inner) or (isinstance(widget, QAbstractItemView) and widget.parentWidget().inherits("QFrame")):
            continue
        if isinstance(widget.parentWidget(), QGroupBox) and widget.objectName() == "collapseButton":  # QGIS's: named by its group
            continue
        yield widget


def by_tab(panel):
    """Everything that the Tab key comes to."""
    found, widget = set(), panel.nextInFocusChain()
    while widget is not panel:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(panel):
            found.add(widget)
        widget = widget.nextInFocusChain()
    return found


def name_of(widget, buddies):
    text = widget.text() if isinstance(widget, QAbstractButton) else widget.placeholderText() if isinstance(widget, QLineEdit) else ""
    return widget.accessibleName() or text or buddies.get(widget, "")


def test_every_control_is_reached_by_tab_and_has_a_name(docks, qtbot):
    for name, panel in panels(docks, qtbot):
        buddies = {label.buddy(): label.text() for label in panel.findChildren(QLabel) if label.buddy() is not None}
        reached = by_tab(panel)
        controls = list(used_in(panel))
        assert len(controls) > 4, name
        for widget in controls:
            own = f"{name}: {type(widget).__name__} '{widget.objectName()}' in {type(widget.parentWidget()).__name__}"
            inside = {child for child in widget.children() if child in reached}
            through = widget.focusProxy() in reached if widget.focusProxy() is not None else False
            helper = isinstance(widget, QToolButton) and widget.parentWidget().inherits("QLineEdit")  # the line edit's own clear button
            if helper or widget.inherits("QgsMessageBar") or isinstance(widget.parentWidget(), QTabBar):
                continue
            assert widget in reached or inside or through, f"{own} is not reached by the Tab key"
            assert name_of(widget, buddies) or isinstance(widget, QTabBar) or isinstance(widget.parentWidget(), tuple(buddies_types(buddies))), own


def buddies_types(buddies):
    """Composite widgets (file, CRS) are named by their label; their parts are reached through them."""
    return {type(widget) for widget in buddies} or {type(None)}


def test_no_key_is_given_twice_in_a_panel(docks, qtbot):
    for name, panel in panels(docks, qtbot):
        texts = [widget.text() for widget in panel.findChildren((QLabel, QAbstractButton)) if widget.isVisibleTo(panel)]
        marks = [re.search(r"&(\w)", text.replace("&&", "")) for text in texts if "<" not in text]
        keys = Counter(mark.group(1).lower() for mark in marks if mark)
        assert not [key for key, count in keys.items() if count > 1], f"{name}: {keys}"
