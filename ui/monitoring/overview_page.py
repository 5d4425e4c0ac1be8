"""The dock's first page: cards, charts, table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QEvent, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QFrame, QScrollArea, QSplitter, QTabWidget, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.ui.charts.chart import Chart
from epoch_plugin.ui.charts.chart_view import ChartView
from epoch_plugin.ui.charts.charts_of_overview import annual_chart, confidence_chart, reference_chart, stocks_chart, why_empty
from epoch_plugin.ui.charts.noted_chart import NotedChart
from epoch_plugin.ui.monitoring.cards import CardsPanel
from epoch_plugin.ui.monitoring.plot_table import PlotTable

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.overview import Overview

TABLE_LINES = 8  # lines of text that the table keeps at least, with its filter and headings


class ChartTabs(QTabWidget):
    """The four charts; `year_chosen`, `confidence_chosen` on a click. A chart is drawn when its tab is first seen."""

    year_chosen = pyqtSignal(int)
    confidence_chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setDocumentMode(True)
        self.setUsesScrollButtons(True)
        self._charts: list[Chart] = []
        self._pages = [NotedChart(self) for _ in range(4)]
        self.views = [page.view for page in self._pages]
        for page, title in zip(self._pages, (tr("By year"), tr("Stocks"), tr("Confidence"), tr("Against the region"))):
            self.addTab(page, title)
        self.views[0].chosen.connect(lambda year: self.year_chosen.emit(int(year)))
        self.views[2].chosen.connect(lambda word: self.confidence_chosen.emit(str(word)))
        self.currentChanged.connect(lambda _: self._draw())

    def show_overview(self, overview: Overview) -> None:
        """Take the charts of an overview and draw the one that is seen."""
        self._charts = [
            annual_chart(overview.annual, overview.noncompliance_area, why_empty(overview, "eudr_deforestation")),
            stocks_chart(overview.stocks, why_empty(overview, "luc_emissions")),
            confidence_chart(overview),
            reference_chart(overview),
        ]
        for position, chart in enumerate(self._charts):
            self.setTabToolTip(position, chart.title)
        self._draw()

    @property
    def current(self) -> ChartView:
        """The chart that is seen."""
        return self.views[self.currentIndex()]

    def _draw(self) -> None:
        position = self.currentIndex()
        if self._charts and self.views[position].chart is not self._charts[position]:
            self._pages[position].show_chart(self._charts[position])


class OverviewPage(QSplitter):
    """Cards and charts above, the table below."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(Qt.Orientation.Vertical, parent)
        self.cards, self.charts, self.table = CardsPanel(self), ChartTabs(self), PlotTable(self)
        upper = QWidget(self)
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.cards)
        column.addWidget(self.charts, 1)
        # At 200 % a small screen has no room for all of it: the upper part scrolls.
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(upper)
        self.addWidget(scroll)
        self.addWidget(self.table)
        self.setChildrenCollapsible(False)
        self.setStretchFactor(0, 3)
        self.setStretchFactor(1, 2)
        self._upper, self._moved = upper, False
        self._later = QTimer(self)  # the cards know their height only once they are laid out
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._share)
        self._upper.installEventFilter(self)
        self.splitterMoved.connect(self._on_moved)
        self.cards.chosen.connect(self.table.show_conditions)
        self.table.filtered.connect(lambda _: self.cards.uncheck())

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Share again whenever cards or charts need another height."""
        if watched is self._upper and event.type() == QEvent.Type.LayoutRequest:
            self._later.start()
        return super().eventFilter(watched, event)

    def _on_moved(self, *_: int) -> None:
        self._moved = True

    def resizeEvent(self, event: Any) -> None:
        """Give cards and chart the height they need, the table the rest, until the user moves the handle."""
        super().resizeEvent(event)
        self._share()

    def _share(self) -> None:
        if not self._moved:
            least = TABLE_LINES * self.fontMetrics().height()
            upper = min(self._upper.sizeHint().height() + 2, max(self.height() - least, self.height() // 2))
            self.setSizes([upper, self.height() - upper])

    def show_overview(self, overview: Any) -> None:
        """Fill cards and charts."""
        self.cards.show_overview(overview)
        self.charts.show_overview(overview)
        self._later.start()
