"""The plot inspector and the Check a plot map tool, used as a user uses them."""

from __future__ import annotations

import json
import shutil

import pytest
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsGeometry, QgsPointXY, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QCoreApplication, QEvent, Qt

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.numbers import number
from epoch_plugin.bridge.plot_pictures import FOREST
from epoch_plugin.bridge.runs import Runs
from epoch_plugin.bridge.settings import resource
from epoch_plugin.ui.inspector.panel import PlotInspector
from tests.qgis.desktop_iface import DesktopIface

WAIT = 20_000


@pytest.fixture(scope="module")
def truth():
    with open(resource("sample", "truth.json"), encoding="utf-8") as file:
        return json.load(file)["plots"]


@pytest.fixture
def content(plugin, processed_sample, tmp_path, monkeypatch, qtbot):
    """The Monitoring dock's content on the sample, read to the end."""
    from epoch_plugin.ui.monitoring.dock import MonitoringDock

    shutil.copy(processed_sample, tmp_path / "store.gpkg")
    monkeypatch.setenv("EPOCH_STORE", str(tmp_path / "store.gpkg"))
    preferences.put(preferences.DATASETS, "")
    iface, runs = DesktopIface(), Runs()
    iface.window.show()
    iface.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    dock = MonitoringDock(iface, runs)
    iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    qtbot.waitUntil(lambda: dock.content is not None and dock.content.columns is not None and not dock.content.reader.busy, timeout=WAIT)
    yield dock.content
    dock.stop()
    preferences.put(preferences.DATASETS, "")
    qtbot.waitUntil(lambda: not QgsApplication.taskManager().countActiveTasks(), timeout=WAIT)
    QgsProject.instance().clear()
    iface.window.close()
    iface.window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def row_of(content, plotid):
    table = content.page.table
    return next(row for row in range(table.model.rowCount()) if table.model.data(table.model.index(row, 0)) == plotid)


def inspect(content, qtbot, plotid):
    """Select a plot in the table and open the Plot page."""
    content.page.table.view.selectRow(row_of(content, plotid))
    content.tabs.setCurrentWidget(content.inspector)
    qtbot.waitUntil(lambda: content.inspector.details is not None and content.inspector.details.plotid == plotid, timeout=WAIT)
    return content.inspector


def one_with(truth, **wanted):
    return next(plotid for plotid, plot in truth.items() if all(plot[name] == value for name, value in wanted.items()))


def texts_of(rows, item=None):
    found, parent = [], item or rows.invisibleRootItem()
    for i in range(parent.childCount()):
        child = parent.child(i)
        found += [tuple(child.text(column) for column in range(rows.columnCount())), *texts_of(rows, child)]
    return found


def test_a_critical_plot_is_told_in_a_sentence_first(content, truth, qtbot):
    plotid = one_with(truth, deforestation_alert="critical", deforestation_confidence="high")
    panel, plot = inspect(content, qtbot, plotid), truth[plotid]
    assert panel.title.text().startswith(f"{plotid} · ") and panel.title.text().endswith(" ha")
    assert panel.badge.text() == "Forest loss detected · high confidence"
    year = plot["deforestation_start"][:4]
    assert panel.sentence.text().startswith("Forest loss of ") and f" ha seen in {year} by " in panel.sentence.text()
    assert any("GLAD (Hansen)" in line and "%" in line for line in panel.reasons.lines)
    assert any("Coffee, Timber: this commodity layer" in line for line in panel.reasons.lines)
    values = dict(zip(panel.annual.chart.keys, panel.annual.chart.series[0].values))
    assert values[int(year)] == pytest.approx(plot["annual_defor"][f"defor_ha_{year}"], rel=1e-6)
    assert panel.annual.chart.series[0].errors[int(year) - 2021] is not None


def test_every_metric_is_listed_with_its_unit(content, truth, qtbot):
    plotid = one_with(truth, deforestation_alert="critical", deforestation_confidence="high")
    rows = dict(text[:2] for text in texts_of(inspect(content, qtbot, plotid).numbers))
    assert rows["Forest on 31 December 2020"].endswith(" ha") and rows["Share of the plot assessed"].endswith("(0–1)")
    assert rows["Assessed until"] == truth[plotid]["assessed_end"][:10]
    assert rows["Alert"] == "critical"


def test_layers_used_are_named_with_coverage_and_release(content, truth, qtbot):
    plotid = one_with(truth, deforestation_alert="critical", deforestation_confidence="high")
    table = inspect(content, qtbot, plotid).layers
    layers = {table.item(row, 0).text(): [table.item(row, column).text() for column in range(4)] for row in range(table.rowCount())}
    assert layers["Forest 2020"][1:3] == ["100 %".replace(" ", "\u00a0"), "2020"] and "(V4)" in layers["Forest 2020"][3]
    assert layers["RADD"][2] == "2020–2025, to 2025-12-31" and layers["National monitor"][1].startswith("0")


def test_no_text_of_the_layers_used_is_cut(content, truth, qtbot):
    table = inspect(content, qtbot, one_with(truth, deforestation_alert="critical", deforestation_confidence="high")).layers
    content.inspector.resize(420, 700)  # narrower than the texts
    qtbot.waitUntil(lambda: all(table.rowHeight(row) >= table.sizeHintForRow(row) for row in range(table.rowCount())), timeout=WAIT)
    assert table.horizontalHeader().length() <= table.viewport().width() and table.horizontalScrollBar().maximum() == 0
    assert max(map(table.rowHeight, range(table.rowCount()))) > 1.5 * min(map(table.rowHeight, range(table.rowCount())))
    cells = [table.item(row, column) for row in range(table.rowCount()) for column in range(4)]
    assert table.wordWrap() and all(cell.toolTip() == cell.text() for cell in cells)


def test_the_chart_says_which_area_the_headline_means(content, truth, qtbot):
    critical = {name: plot for name, plot in truth.items() if plot["deforestation_alert"] == "critical"}
    parted = [name for name, plot in critical.items() if plot["noncompliance_area"] < 0.9 * plot["detected_area"]]
    panel, plot = inspect(content, qtbot, parted[0]), truth[parted[0]]
    decided, seen = number(plot["noncompliance_area"], "ha"), number(plot["detected_area"], "ha")
    note = panel.sections["annual"].content.note
    assert f"of {decided} seen" in panel.sentence.text() and not note.isHidden()
    assert note.text().startswith(f"Bars: loss seen by at least one source, {seen}; {decided} of it counts as detected.")
    same = [name for name, plot in critical.items() if plot["noncompliance_area"] == plot["detected_area"]]
    assert "counts as detected" not in inspect(content, qtbot, same[0]).sections["annual"].content.note.text()


def test_what_was_not_assessed_is_said_with_the_reason(content, truth, qtbot):
    plotid = next(plotid for plotid, plot in truth.items() if plot["deforestation_alert"] is None and 0 < plot["valid_fraction"] < 0.9)
    panel = inspect(content, qtbot, plotid)
    share = 100 * truth[plotid]["valid_fraction"]
    assert panel.sentence.text() == f"Not assessed: enough data on only {share:.1f} % of the plot." and panel.badge.text() == "Not assessed: no data"
    lines = panel.not_assessed.lines
    assert any(line.startswith("Deforestation: too little of the plot was seen") and "needed 95" in line for line in lines)
    assert any(line.startswith("Diversity: no result is stored") for line in lines)
    assert not panel.stocks.chart.drawable and "No result is stored" in panel.stocks.chart.empty


def test_nothing_found_is_worded_with_its_limits(content, truth, qtbot):
    panel = inspect(content, qtbot, one_with(truth, deforestation_alert="no deforestation"))
    assert panel.sentence.text() == "No forest loss detected with the layers listed, up to 2025-12-31."
    assert not any("compliant" in label.text().lower() for label in (panel.sentence, panel.badge, panel.title))


def wait_pictures(panel, qtbot):
    qtbot.waitUntil(lambda: all(caption.text() for caption in panel.pictures.captions), timeout=WAIT)
    return [label.pixmap().toImage() for label in panel.pictures.pictures]


def forest_share(image):
    pixels = [image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)]
    return pixels.count(FOREST) / len(pixels)


def test_before_and_after_show_the_clearing(content, truth, qtbot):
    plotid = one_with(truth, deforestation_alert="critical", deforestation_confidence="high")
    panel = inspect(content, qtbot, plotid)
    before, after = wait_pictures(panel, qtbot)
    assert [caption.text()[:4] for caption in panel.pictures.captions] == ["2020", "2025"]
    assert forest_share(before) > forest_share(after) + 0.02 > 0.02


def test_dated_rasters_of_the_project_come_first(content, truth, qtbot, tmp_path):
    for year in (2021, 2024):
        # a copy: QGIS writes statistics beside a raster that somebody adds to a project
        path = shutil.copy(resource("sample", "dynamic_world", f"dynamic_world_{year}.tif"), tmp_path)
        layer = QgsRasterLayer(str(path), f"Mosaic {year}")
        QgsProject.instance().addMapLayer(layer)
    plotid = one_with(truth, deforestation_alert="critical", deforestation_confidence="high")
    panel = inspect(content, qtbot, plotid)
    wait_pictures(panel, qtbot)
    assert [caption.text() for caption in panel.pictures.captions] == ["2021 · Mosaic 2021", "2024 · Mosaic 2024"]


def test_selecting_another_plot_on_the_map_changes_the_story(content, truth, qtbot):
    qtbot.mouseClick(content.pickers.layers, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: content.map.layer is not None, timeout=WAIT)
    content.tabs.setCurrentWidget(content.inspector)
    for feature in list(content.map.layer.getFeatures())[10:12]:
        content.map.layer.selectByIds([feature.id()])
        plotid = feature["plotid"]
        qtbot.waitUntil(lambda plotid=plotid: content.inspector.details and content.inspector.details.plotid == plotid, timeout=WAIT)


def draw(content, qtbot, corners):
    """Click the corners on the map, end with a right click."""
    canvas = content.tool.canvas()
    x, y = zip(*corners)
    box = QgsRectangle(min(x), min(y), max(x), max(y))
    box.grow(box.width() * 0.3)
    canvas.setExtent(box)
    points = [content.tool.toCanvasCoordinates(QgsPointXY(*corner)) for corner in corners]
    for point in points:
        qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=point)
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.RightButton, pos=points[-1])


def corners_of(content, plotid):
    from epoch_plugin.bridge.monitoring import read_plot
    from epoch_plugin.bridge.settings import store_path

    uuid = content.page.table.model.uuid(row_of(content, plotid))
    geometry = QgsGeometry()
    geometry.fromWkb(read_plot(store_path(), content.pickers.scope, uuid)(None).polygon)
    return [(point.x(), point.y()) for point in geometry.asMultiPolygon()[0][0][:-1]]


def test_a_drawn_plot_gets_the_same_answer_without_staging(content, truth, qtbot):
    plotid = one_with(truth, deforestation_alert="critical", deforestation_confidence="high")
    corners = corners_of(content, plotid)
    qtbot.mouseClick(content.pickers.check, Qt.MouseButton.LeftButton)
    assert content.tool.canvas().mapTool() is content.tool and "click its corners" in content.inspector.sentence.text()
    draw(content, qtbot, corners)
    qtbot.waitUntil(lambda: content.inspector.details is not None, timeout=WAIT)
    details, plot = content.inspector.details, truth[plotid]
    assert details.fid is None and content.inspector.title.text().startswith("Drawn plot · ")
    assert details.area == pytest.approx(plot["area"], rel=0.02)  # corners are whole pixels
    assert details.deforestation["deforestation_alert"] == "critical"
    assert details.deforestation["detected_area"] == pytest.approx(plot["detected_area"], rel=0.1)
    assert content.inspector.sentence.text().startswith("Forest loss of ")
    qtbot.mouseClick(content.pickers.check, Qt.MouseButton.LeftButton)
    assert content.tool.canvas().mapTool() is not content.tool


def test_keys_of_the_map_tool(content, qtbot):
    canvas, tool = content.tool.canvas(), content.tool
    content.pickers.check.setChecked(True)
    canvas.setExtent(QgsRectangle(-6.5, 7.3, -6.4, 7.4))
    drawn = []
    tool.drawn.connect(drawn.append)
    tool.drawn.disconnect(content._on_drawn)
    for key, clicks in ((Qt.Key.Key_Escape, 3), (Qt.Key.Key_Return, 2)):
        for offset in range(clicks):
            qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=canvas.viewport().rect().center() + _offset(offset))
        qtbot.keyClick(canvas, key)
    assert not drawn, "Esc starts over, and two corners are no polygon"
    for offset in (2, 3, 4):
        qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=canvas.viewport().rect().center() + _offset(offset))
    qtbot.keyClick(canvas, Qt.Key.Key_Backspace)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert len(drawn) == 1 and len(drawn[0].asPolygon()[0]) == 5
    tool.drawn.connect(content._on_drawn)


def _offset(number):
    from qgis.PyQt.QtCore import QPoint

    return [QPoint(0, 0), QPoint(60, 0), QPoint(60, 60), QPoint(0, 60), QPoint(-40, 40)][number]


def test_without_a_datasets_file_the_way_to_one_is_told(content, monkeypatch, qtbot):
    from epoch_plugin.ui.monitoring import content as module

    monkeypatch.setattr(module, "last_datasets", lambda *_: lambda _progress: "")
    content.pickers.check.setChecked(True)
    draw(content, qtbot, [(-6.5, 7.3), (-6.49, 7.3), (-6.49, 7.31)])
    qtbot.waitUntil(lambda: "Settings ▸ Options ▸ Epoch" in content.inspector.sentence.text(), timeout=WAIT)


def test_an_area_too_large_is_refused_in_words(content, qtbot):
    content.pickers.check.setChecked(True)
    draw(content, qtbot, [(-8.0, 6.0), (-5.0, 6.0), (-5.0, 9.0)])

    def refused():
        assert content.bar.currentItem() is not None, content.inspector.sentence.text()

    qtbot.waitUntil(refused, timeout=WAIT)
    assert "single plots" in content.inspector.sentence.text()


def test_an_empty_panel_says_what_to_do(qtbot):
    panel = PlotInspector()
    qtbot.addWidget(panel)
    assert "Select a plot" in panel.sentence.text() and panel.zoom.isHidden()
