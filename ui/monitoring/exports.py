"""Writing what the dock shows to files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QFileDialog, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.plot_export import csv_of_plots, geopackage_of_plots
from epoch_plugin.bridge.sentences import plots_in_words
from epoch_plugin.bridge.tasks import BackgroundTask, in_background

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_columns import PlotColumns
    from epoch_plugin.core.monitoring.scope import Scope
    from epoch_plugin.ui.charts.chart_view import ChartView

FILTERS = {"csv": "CSV (*.csv)", "gpkg": "GeoPackage (*.gpkg)", "png": "PNG (*.png)", "svg": "SVG (*.svg)"}


class Exports(QObject):
    """Asks where, writes in the background; `done(text)`, `failed(text)`."""

    done = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self._parent = parent
        self._task: BackgroundTask | None = None

    def stop(self) -> None:
        """Give up what is being written; no half-written CSV stays."""
        if self._task is not None:
            self._task.forget()

    def chart(self, view: ChartView, kind: str) -> None:
        """Save the chart that is seen."""
        if view.chart is None or not view.chart.drawable:
            self.failed.emit(tr("There is no chart to save: {why}").format(why=view.chart.empty if view.chart else tr("nothing is shown yet.")))
            return
        path = self.ask(view.chart.title, kind)
        if not path:
            return
        try:
            view.save(path)
        except (OSError, ValueError) as error:
            self.failed.emit(str(error))
        else:
            self.done.emit(path)

    def plots(self, kind: str, name: str, columns: PlotColumns, rows: list[int], store: str, scope: Scope) -> None:
        """Write the given rows of the table as CSV, or their plots as GeoPackage."""
        path = self.ask(name, kind)
        if not path:
            return
        if kind == "csv":
            work = csv_of_plots(path, columns, rows)
        else:
            work = geopackage_of_plots(path, store, scope, [columns.uuid[int(row)] for row in rows])
        self._task = in_background(tr("Exporting {name}").format(name=os.path.basename(path)), work, lambda *answer: self._written(path, *answer))

    def _written(self, path: str, number: int | None, error: str | None) -> None:
        self._task = None
        if number is None:
            self.failed.emit(error or "")
        else:
            self.done.emit(f"{plots_in_words(number)}: {path}")

    def ask(self, name: str, kind: str) -> str:
        """Ask for the file; '' if the user gives up."""
        path, _ = QFileDialog.getSaveFileName(self._parent, tr("Export"), f"{name}.{kind}", FILTERS[kind])
        return path if not path or path.lower().endswith(f".{kind}") else f"{path}.{kind}"

    @property
    def busy(self) -> Any:
        """The task that writes, None without one."""
        return self._task
