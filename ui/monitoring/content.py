"""What is in the Monitoring dock: pickers, the overview, the plot inspector; it reads in the background and follows the map."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from qgis.core import QgsGeometry
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QLabel, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.monitoring import Choices, PlotReader, check_polygon, last_datasets, read_choices, read_plot
from epoch_plugin.bridge.settings import store_path
from epoch_plugin.bridge.tasks import BackgroundTask, in_background
from epoch_plugin.ui.common.messages import show_error, show_note
from epoch_plugin.ui.inspector.check_tool import CheckPlotTool
from epoch_plugin.ui.inspector.panel import PlotInspector
from epoch_plugin.ui.monitoring.exports import Exports
from epoch_plugin.ui.monitoring.map_link import MapLink
from epoch_plugin.ui.monitoring.overview_page import OverviewPage
from epoch_plugin.ui.monitoring.pickers import Pickers

if TYPE_CHECKING:
    from epoch_plugin.bridge.runs import Run, Runs
    from epoch_plugin.core.monitoring.plot_columns import PlotColumns
    from epoch_plugin.core.monitoring.plot_details import PlotDetails

CUTOFF = "2020-12-31"


class MonitoringContent(QWidget):
    """The dock's widget."""

    def __init__(self, iface: Any, runs: Runs, parent: QWidget | None = None):
        super().__init__(parent)
        self._iface, self._runs = iface, runs
        self.bar, self.pickers, self.page, self.inspector = QgsMessageBar(self), Pickers(self), OverviewPage(self), PlotInspector(self)
        self.empty = QLabel(tr("No collection yet. Add plots in the Collections dock, or try it with the sample there."), self)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.empty.hide()
        self.bar.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.tabs = QTabWidget(self)
        self.tabs.addTab(self.page, tr("Supply base"))
        self.tabs.addTab(self.inspector, tr("Plot"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.bar)
        layout.addWidget(self.pickers)
        for widget in (self.empty, self.tabs):
            layout.addWidget(widget, 1)
        self.reader, self.map = PlotReader(self), MapLink(iface, self)
        self.tool = CheckPlotTool(iface.mapCanvas())
        self.exports = Exports(self)
        self.columns: PlotColumns | None = None
        self._followed: str | None = None
        self._tasks: dict[str, BackgroundTask] = {}
        self._wanted = ""
        self.tabs.hide()
        self._connect()

    def _connect(self) -> None:
        self.pickers.collection_chosen.connect(self.look)
        self.pickers.scope_chosen.connect(self.read)
        self.pickers.refresh.clicked.connect(lambda _: self.look())
        self.pickers.layers.clicked.connect(lambda _: self.load_layers())
        self.pickers.check.toggled.connect(self._on_check)
        self.reader.grew.connect(self.page.table.model.grow)
        self.reader.ready.connect(self._on_ready)
        self.reader.seen.connect(self.page.show_overview)
        self.reader.failed.connect(lambda text: self._fail(tr("The plots cannot be read"), text))
        self.page.table.selected.connect(self._on_selected)
        self.page.table.opened.connect(self._on_opened)
        self.page.table.export.connect(self._on_export)
        self.page.charts.year_chosen.connect(self._on_year)
        self.page.charts.confidence_chosen.connect(self._on_confidence)
        self.map.selected.connect(self._on_map_selected)
        self.map.failed.connect(lambda text: self._fail(tr("The layers cannot be opened"), text))
        self.inspector.zoom_wanted.connect(self._on_zoom)
        self.tabs.currentChanged.connect(lambda _: self._inspect())
        self.tool.drawn.connect(self._on_drawn)
        self.tool.deactivated.connect(lambda: self.pickers.check.setChecked(False))
        self.exports.done.connect(lambda text: show_note(self.bar, tr("Exported"), text))
        self.exports.failed.connect(lambda text: self._fail(tr("The export failed"), text))
        self._runs.finished.connect(self._on_run)

    def stop(self) -> None:
        """Stop reading, let go of map and project."""
        self._runs.finished.disconnect(self._on_run)
        self.reader.stop()
        self.inspector.stop()
        for task in self._tasks.values():
            task.forget()
        self._tasks.clear()
        self.exports.stop()
        self.tool.clear()
        self._iface.mapCanvas().unsetMapTool(self.tool)
        self.map.stop()

    # reading

    def look(self, collection_id: str = "") -> None:
        """Read what there is to choose from, then the chosen collection's plots."""
        wanted = collection_id or self.pickers.collection_id
        self._start("choices", tr("Looking at the results"), read_choices(store_path(), wanted), self._on_choices)

    def _on_choices(self, choices: Choices | None, error: str | None) -> None:
        if choices is None:
            self._fail(tr("The store cannot be read"), error or "")
            return
        self.pickers.show_choices(choices)
        self._show_empty(choices)
        if choices.chosen:
            self.read()

    def _show_empty(self, choices: Choices) -> None:
        self.empty.setVisible(not choices.collections)
        self.tabs.setVisible(bool(choices.collections) or self.inspector.details is not None)

    def read(self) -> None:
        """Read the plots of what is chosen."""
        if self.pickers.collection_id != self._followed:
            self._followed = self.pickers.collection_id
            self.map.follow(self._followed)
            self.inspector.show_words(tr("Select a plot in the table or on the map, or press “Check a plot” and draw one."))
        self.columns = None
        self.page.table.model.begin()
        self.reader.read(store_path(), self.pickers.scope)

    def _on_ready(self, columns: PlotColumns) -> None:
        self.columns = columns
        self.page.table.complete(columns)
        layer = self.map.layer
        if layer is not None:
            self.page.table.select(layer.selectedFeatureIds())

    def _on_run(self, run: Run, ok: bool) -> None:
        """Show what a finished job has stored."""
        if run.about.get("kind") == "job" and ok:
            self.map.refresh()
            self.look(run.about.get("collection_id", ""))
        elif run.about.get("kind") in ("edit", "delete", "upload", "stage") and ok:
            self.look()

    # map

    def load_layers(self, then: Any = None) -> None:
        """Add the collection's layers to the map, and show them."""
        if self.pickers.collection_id:
            self.map.load(store_path(), self.pickers.collection_name, then or self._zoom_to_layer)

    def _zoom_to_layer(self) -> None:
        self._iface.setActiveLayer(self.map.layer)
        self._iface.zoomToActiveLayer()

    def _on_selected(self, fids: list[int]) -> None:
        self.map.select(fids)
        self._inspect()

    def _on_map_selected(self, fids: list[int]) -> None:
        self.page.table.select(fids)
        if len(fids) == 1 and self.columns is not None:
            rows = self.columns.rows_of(fids)
            self._inspect(self.columns.uuid[rows[0]] if rows else "")

    def _on_opened(self, fid: Any) -> None:
        """Zoom to a plot, once the collection has layers to zoom in, and tell its story."""
        self._show_on_map([fid])
        self.tabs.setCurrentWidget(self.inspector)

    def _show_on_map(self, fids: list[int]) -> None:
        def show() -> None:
            self.map.select(fids)
            self.map.zoom(fids)

        if self.map.layer is None:
            self.load_layers(show)
        else:
            show()

    def _on_year(self, year: int) -> None:
        """Show the plots with loss in a year, in the table and on the map."""
        if self.columns is None:
            return
        self.page.cards.uncheck()
        self.page.table.show_conditions({"year": year})
        fids = [self.columns.fid[row] for row in self.columns.loss_by_year.get(year, ())]
        self.page.table.select(fids)
        self._select_on_map(fids)

    def _on_confidence(self, word: str) -> None:
        self.page.cards.uncheck()
        self.page.table.show_conditions({"alerts": ["critical", "non-critical"], "confidences": [word]})

    def _select_on_map(self, fids: list[int]) -> None:
        if self.map.layer is None:
            self.load_layers(lambda: self.map.select(fids))
        else:
            self.map.select(fids)

    def _on_zoom(self) -> None:
        details = self.inspector.details
        if details is not None and details.fid is not None:
            self._show_on_map([details.fid])

    # inspector

    def _inspect(self, uuid: str = "") -> None:
        """Tell the story of a plot, of the current row's without one; only while the inspector is seen."""
        self._wanted = uuid or self.page.table.current_uuid() or self._wanted
        seen = self.inspector.details.uuid if self.inspector.details is not None else None
        if not self._wanted or self._wanted == seen or self.tabs.currentWidget() is not self.inspector:
            return
        work = read_plot(store_path(), self.pickers.scope, self._wanted)
        self._start("plot", tr("Reading a plot"), work, self._on_plot)

    def _on_plot(self, details: PlotDetails | None, error: str | None) -> None:
        if details is None:
            self._fail(tr("The plot cannot be read"), error or "")
        else:
            self.inspector.show_details(details)

    def _on_check(self, on: bool) -> None:
        canvas = self._iface.mapCanvas()
        if on:
            canvas.setMapTool(self.tool)
            canvas.setFocus()
            text = tr("Draw the plot on the map: click its corners, right click or Enter to end, Backspace takes a corner back, Esc starts over.")
            self.inspector.show_words(text)
            self.tabs.show()
            self.tabs.setCurrentWidget(self.inspector)
        elif canvas.mapTool() is self.tool:
            canvas.unsetMapTool(self.tool)

    def _on_drawn(self, polygon: QgsGeometry) -> None:
        datasets = preferences.get(preferences.DATASETS)
        wkb = bytes(polygon.asWkb())
        self.inspector.show_words(tr("Checking the drawn plot…"))
        if datasets:
            self._check(wkb, datasets)
            return
        work = last_datasets(store_path(), self.pickers.collection_id)
        self._start("datasets", tr("Looking for the datasets file"), work, lambda found, error: self._check(wkb, found or ""))

    def _check(self, wkb: bytes, datasets: str) -> None:
        if not datasets:
            self.inspector.show_words(
                tr("A drawn plot is checked against a datasets file: set one in Settings ▸ Options ▸ Epoch, or process a collection first.")
            )
            return
        window = self.pickers.window_chosen
        start, end = (window.start, window.end) if window else (CUTOFF, dt.date.today().isoformat())
        self._start("check", tr("Checking a plot"), check_polygon(wkb, datasets, start, end, tr("Drawn plot")), self._on_checked)

    def _on_checked(self, details: PlotDetails | None, error: str | None) -> None:
        if details is None:
            self.inspector.show_words(error or "")
            self._fail(tr("The plot could not be checked"), error or "")
            return
        self._wanted = ""
        self.inspector.show_details(details)
        self.tabs.setCurrentWidget(self.inspector)

    # export

    def _on_export(self, kind: str) -> None:
        if kind in ("png", "svg"):
            self.exports.chart(self.page.charts.current, kind)
        elif self.columns is not None:
            table = self.page.table.model
            self.exports.plots(kind, self.pickers.collection_name, self.columns, list(table.shown), store_path(), self.pickers.scope)

    # helpers

    def _start(self, name: str, title: str, work: Any, done: Any) -> None:
        """Start reading something; an earlier read of the same kind is forgotten."""
        before = self._tasks.pop(name, None)
        if before is not None:
            before.forget()

        def finished(result: Any, error: str | None) -> None:
            self._tasks.pop(name, None)
            done(result, error)

        self._tasks[name] = in_background(title, work, finished, quiet=name != "check")

    def _fail(self, title: str, text: str) -> None:
        show_error(self.bar, title, text)
