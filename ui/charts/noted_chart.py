"""A chart with its note below it, whole and readable: what the bars are, what the error bars are, what is not known."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtWidgets import QLabel, QVBoxLayout, QWidget

from epoch_plugin.ui.charts.chart import Chart
from epoch_plugin.ui.charts.chart_view import ChartView


class NotedChart(QWidget):
    """A `view` and a `note`."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.view, self.note = ChartView(self), QLabel(self)
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.view, 1)
        column.addWidget(self.note)

    def show_chart(self, chart: Chart) -> None:
        """Show a chart; one without numbers says itself why."""
        self.view.show_chart(chart)
        self.note.setText(chart.note)
        self.note.setVisible(bool(chart.note) and chart.drawable)
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Give the note the lines that it needs at this width; by itself it asks for those of a much narrower one, at the chart's cost."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.note.setFixedHeight(max(0, self.note.heightForWidth(self.width())))
