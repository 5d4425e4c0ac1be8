"""One plot: a sentence first, then the reasons, the years, the numbers, the pictures, and what was not assessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.sentences import code_in_words, first_sentence
from epoch_plugin.ui.charts.charts_of_overview import annual_chart, stocks_chart
from epoch_plugin.ui.charts.noted_chart import NotedChart
from epoch_plugin.ui.common.buttons import tool_button
from epoch_plugin.ui.inspector import texts
from epoch_plugin.ui.inspector.pictures import PicturePair
from epoch_plugin.ui.inspector.sections import Bullets, OverlapBars, Rows, Section, WrappedTable
from epoch_plugin.ui.monitoring.table_model import alert_icon

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_details import PlotDetails


class PlotInspector(QWidget):
    """The panel; `zoom_wanted` when the user wants to see the plot on the map."""

    zoom_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.details: PlotDetails | None = None
        self._make_head()
        self._make_sections()
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        for section in self.sections.values():
            column.addWidget(section)
        column.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(body)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.zoom)
        mark = QHBoxLayout()
        mark.addWidget(self._icon)
        mark.addWidget(self.badge, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        for part in (head, mark):
            layout.addLayout(part)
        layout.addWidget(self.sentence)
        layout.addWidget(self._scroll, 1)
        self.show_words(tr("Select a plot in the table or on the map, or press “Check a plot” and draw one."))

    def _make_head(self) -> None:
        self.title, self.badge, self.sentence, self._icon = (QLabel(self) for _ in range(4))
        font = self.title.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.2)
        self.title.setFont(font)
        for label in (self.title, self.badge, self.sentence):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.zoom = tool_button(self, "", "mActionZoomToSelected", tr("Show the plot on the map"))
        self.zoom.clicked.connect(self.zoom_wanted)

    def _make_sections(self) -> None:
        self.reasons, self.not_assessed, self.overlap = Bullets(), Bullets(), OverlapBars()
        self._annual, self._stocks, self.pictures = NotedChart(), NotedChart(), PicturePair()
        self.annual, self.stocks = self._annual.view, self._stocks.view
        self.numbers = Rows([tr("What"), tr("Value")], wide=0)
        self.metadata = Rows([tr("Attribute"), tr("Value")], wide=1)
        self.layers = WrappedTable([tr("Layer"), tr("Plot covered"), tr("Years"), tr("Title and version")], weights=(5, 4, 5, 8))
        contents = (
            ("reasons", tr("Reasons"), self.reasons), ("annual", tr("Forest loss by year"), self._annual),
            ("pictures", tr("Before and after"), self.pictures), ("overlap", tr("Overlap with other layers"), self.overlap),
            ("stocks", tr("Carbon stocks"), self._stocks), ("not_assessed", tr("Not assessed, and why"), self.not_assessed),
            ("layers", tr("Layers used"), self.layers), ("numbers", tr("All numbers"), self.numbers),
            ("metadata", tr("Plot attributes"), self.metadata),
        )  # fmt: skip
        self.sections = {name: Section(title, content, self) for name, title, content in contents}

    def stop(self) -> None:
        """Give up what is being rendered."""
        self.pictures.stop()

    def show_words(self, text: str) -> None:
        """Show a sentence instead of a plot."""
        self.details = None
        self.pictures.stop()
        self.title.clear()
        self.badge.clear()
        self._icon.clear()
        self.sentence.setText(text)
        self.zoom.hide()
        self._scroll.hide()

    def show_details(self, details: PlotDetails) -> None:
        """Show a plot."""
        self.details = details
        alert, words, _colour = texts.badge(details)
        self.title.setText(texts.heading(details))
        self.badge.setText(words)
        side = self.fontMetrics().height()
        self._icon.setPixmap(alert_icon(alert or None, 4 * side).pixmap(side, side))
        self.sentence.setText(first_sentence(details.deforestation, details.area))
        self.zoom.show()
        self._scroll.show()
        self._fill(details)

    def _fill(self, details: PlotDetails) -> None:
        row = details.deforestation
        self._lines("reasons", self.reasons, texts.reasons(details))
        self._lines("not_assessed", self.not_assessed, texts.not_assessed(details))
        why = code_in_words("not_processed") if not row else tr("No year of the window was assessed.")
        self._annual.show_chart(annual_chart(_annual(row.get("annual_defor") or {}), row.get("noncompliance_area"), why))
        emissions = details.statistics.get("luc_emissions", {})
        stocks = {name: _years(emissions.get(f"annual_{name}") or {}) for name in ("agb", "bgb", "soc")}
        self._stocks.show_chart(stocks_chart({name: series for name, series in stocks.items() if series}, _why_no_stocks(emissions)))
        overlaps = texts.overlaps(details)
        self.sections["overlap"].setVisible(bool(overlaps))
        self.overlap.show_bars(overlaps, details.area)
        self.pictures.show_plot(details)
        self.layers.show_rows(texts.layer_rows(details))
        self.numbers.show_rows(texts.number_rows(details))
        rows = texts.metadata_rows(details)
        self.sections["metadata"].setVisible(bool(rows))
        self.metadata.show_rows(rows)
        self._scroll.verticalScrollBar().setValue(0)

    def _lines(self, name: str, bullets: Bullets, lines: list[str]) -> None:
        self.sections[name].setVisible(bool(lines))
        bullets.show_lines(lines)


def _annual(values: dict[str, Any]) -> dict[int, tuple[float | None, float | None]]:
    years = sorted(int(key[9:]) for key in values if key[9:].isdigit())
    return {year: (values[f"defor_ha_{year}"], values.get(f"defor_ha_rmse_{year}")) for year in years}


def _years(values: dict[str, Any]) -> dict[int, float]:
    return {int(key): value for key, value in sorted(values.items()) if key.isdigit() and value is not None}


def _why_no_stocks(emissions: Any) -> str:
    if not emissions:
        return code_in_words("not_processed")
    codes = [reason["code"] for reason in emissions.get("reasons") or ()]
    return " ".join(code_in_words(code) for code in codes[:2]) if codes else tr("No stock has data in this plot.")
