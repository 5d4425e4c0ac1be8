"""Charts by matplotlib, in the colours and the font of QGIS's theme."""

from __future__ import annotations

import warnings
from typing import Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QFont, QFontInfo
from qgis.PyQt.QtWidgets import QWidget

from epoch_plugin.bridge.numbers import number, tick
from epoch_plugin.ui.charts.chart import LINES, PAIRS, STACKED, Chart, Series

MARKERS = ("o", "s", "^", "D")
BAR_WIDTH = 0.7
PAPER_DPI = 200


class _Canvas(FigureCanvasQTAgg):
    def draw(self, *arguments: Any) -> None:
        """Draw; that a squeezed dock leaves no room for axes is no news for the log."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="constrained_layout not applied", category=UserWarning)
            super().draw(*arguments)


class MatplotlibDrawing(QObject):
    """A canvas; `clicked(category)` on a bar, a point or the room above it."""

    clicked = pyqtSignal(int)

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self._figure = Figure(layout="constrained") if "layout" in Figure.__init__.__code__.co_varnames else Figure(constrained_layout=True)
        self.widget = _Canvas(self._figure)
        self.widget.setParent(parent)
        self.widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the view around it has the keyboard
        self._count = 0
        self.widget.mpl_connect("button_press_event", self._on_press)

    def draw(self, chart: Chart, paper: QColor, ink: QColor, font: QFont, focus: int) -> None:
        """Draw a chart; `focus` marks a category, -1 none."""
        self._paint(chart, paper.name(), ink.name(), QFontInfo(font).pixelSize() * 72.0 / self._figure.dpi * self._ratio(), focus)
        self.widget.draw_idle()

    def save(self, path: str, chart: Chart) -> None:
        """Write the chart in black on white."""
        figure, self._figure = self._figure, Figure(figsize=(6.4, 3.6), constrained_layout=True)
        try:
            self._paint(chart, "#ffffff", "#000000", 9.0, -1)
            self._figure.suptitle(chart.title, fontsize=11)
            self._figure.savefig(path, dpi=PAPER_DPI)
        finally:
            self._figure = figure

    def _ratio(self) -> float:
        """Device pixels per pixel: the canvas multiplies its dpi by it."""
        return float(self.widget.devicePixelRatioF())

    def _paint(self, chart: Chart, paper: str, ink: str, points: float, focus: int) -> None:
        self._figure.clear()
        self._figure.set_facecolor(paper)
        self._count = len(chart.categories)
        pairs = chart.kind == PAIRS
        axes = list(self._figure.subplots(self._count, 1, squeeze=False)[:, 0]) if pairs else [self._figure.add_subplot()]
        for position, axis in enumerate(axes):
            _style(axis, paper, ink, points)
            if pairs:
                _draw_pair(axis, chart, position, ink, points)
            elif chart.kind == LINES:
                _draw_lines(axis, chart)
            else:
                _draw_bars(axis, chart, ink, points)
            if not pairs:
                axis.set_xticks(range(self._count))
                axis.set_xticklabels(chart.categories)
                axis.set_xlim(-0.6, self._count - 0.4)
                axis.set_ylabel(chart.unit, color=ink, fontsize=points)
        if not pairs and focus >= 0:
            axes[0].axvspan(focus - 0.45, focus + 0.45, color=ink, alpha=0.12, linewidth=0)
        if len(chart.series) > 1 and not pairs:
            axes[0].legend(fontsize=points * 0.9, labelcolor=ink, facecolor=paper, edgecolor="none", framealpha=0.7)

    def _on_press(self, event: Any) -> None:
        if event.inaxes is not None and event.xdata is not None and len(self._figure.axes) == 1:
            category = round(event.xdata)
            if 0 <= category < self._count:
                self.clicked.emit(category)


def _style(axis: Any, paper: str, ink: str, points: float) -> None:
    axis.set_facecolor(paper)
    axis.tick_params(colors=ink, labelsize=points)
    for side, spine in axis.spines.items():
        spine.set_color(ink)
        spine.set_visible(side in ("left", "bottom"))
    axis.yaxis.set_major_formatter(lambda value, _: tick(value))
    axis.locator_params(axis="y", nbins=5)


def _draw_bars(axis: Any, chart: Chart, ink: str, points: float) -> None:
    stacked, many = chart.kind == STACKED, len(chart.series)
    width = BAR_WIDTH if stacked else BAR_WIDTH / max(1, many)
    floor = [0.0] * len(chart.categories)
    for place, series in enumerate(chart.series):
        shift = 0.0 if stacked else (place - (many - 1) / 2) * width
        for position, value in enumerate(series.values):
            if value is None:
                axis.text(position + shift, 0, "?", ha="center", va="bottom", color=ink, fontsize=points)
                continue
            _bar(axis, position + shift, value, width, floor[position] if stacked else 0.0, series, position, ink)
            if stacked:
                floor[position] += value
        axis.bar([0], [0], color=_face(series), edgecolor=series.colour, hatch=_hatch(series), label=series.name)
    axis.margins(y=0.15)
    for (place, position), text in chart.texts.items():
        value = chart.series[place].values[position] or 0.0
        height = floor[position] if stacked else value + (chart.series[place].error(position) or 0.0)
        axis.annotate(text, (position, height), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", color=ink, fontsize=points * 0.9)


def _bar(axis: Any, x: float, value: float, width: float, bottom: float, series: Series, position: int, ink: str) -> None:
    axis.bar(x, value, width, bottom=bottom, color=_face(series), edgecolor=series.colour, hatch=_hatch(series))
    error = series.error(position)
    if error:
        axis.errorbar(x, value, yerr=[[min(error, value) if value >= 0 else error], [error]], color=ink, capsize=3, linewidth=1)


def _face(series: Series) -> str:
    return "none" if series.hatched else series.colour


def _hatch(series: Series) -> str | None:
    return "////" if series.hatched else None


def _draw_lines(axis: Any, chart: Chart) -> None:
    for place, series in enumerate(chart.series):
        known = [(position, value) for position, value in enumerate(series.values) if value is not None]
        axis.plot([x for x, _ in known], [y for _, y in known], color=series.colour, marker=MARKERS[place % len(MARKERS)], label=series.name)
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    axis.margins(y=0.1)


def _draw_pair(axis: Any, chart: Chart, position: int, ink: str, points: float) -> None:
    """Draw one figure as lying bars, one per series, with its numbers beside them instead of an axis."""
    rows = len(chart.series)
    known = [abs(series.values[position] or 0.0) + (series.error(position) or 0.0) for series in chart.series]
    lowest = min(0.0, *(series.values[position] or 0.0 for series in chart.series))
    for place, series in enumerate(chart.series):
        value, row = series.values[position], rows - 1 - place
        if value is not None:
            axis.barh(row, value, BAR_WIDTH, color=_face(series), edgecolor=series.colour, hatch=_hatch(series))
            if series.error(position):
                axis.errorbar(value, row, xerr=series.error(position), color=ink, capsize=3, linewidth=1)
        end = max(value or 0.0, 0.0) + (series.error(position) or 0.0 if (value or 0.0) >= 0 else 0.0)
        text = "?" if value is None else number(value)
        axis.annotate(text, (end, row), xytext=(4, 0), textcoords="offset points", va="center", color=ink, fontsize=points * 0.9)
    axis.axvline(0, color=ink, linewidth=0.8)
    axis.set_yticks(range(rows))
    axis.set_yticklabels([series.name for series in reversed(chart.series)], fontsize=points * 0.9)
    axis.tick_params(axis="y", length=0)
    axis.set_xticks([])
    reach = max(known) or 1.0
    axis.set_xlim(-reach * 1.05 if lowest < 0 else 0.0, reach * 1.3)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.set_title(f"{chart.categories[position]} ({chart.units[position]})", color=ink, fontsize=points * 0.9, loc="left", pad=2)
