"""Charts by Qt alone: plainer than matplotlib's, for installations without it."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import QObject, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QBrush, QColor, QFont, QFontMetricsF, QImage, QPainter, QPen
from qgis.PyQt.QtWidgets import QWidget

from epoch_plugin.bridge.numbers import number, tick
from epoch_plugin.ui.charts.chart import LINES, PAIRS, STACKED, Chart, Series

PAPER = QSize(960, 540)


class PainterDrawing(QObject):
    """A canvas drawn with QPainter; `clicked(category)` on a bar or the room above it."""

    clicked = pyqtSignal(int)

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.widget = _Canvas(self, parent)

    def draw(self, chart: Chart, paper: QColor, ink: QColor, font: QFont, focus: int) -> None:
        """Draw a chart; `focus` marks a category, -1 none."""
        self.widget.look = (chart, paper, ink, font, focus)
        self.widget.update()

    def save(self, path: str, chart: Chart) -> None:
        """Write the chart in black on white."""
        look = (chart, QColor("white"), QColor("black"), QFont(self.widget.font()), -1)
        room = QRectF(0, 0, PAPER.width(), PAPER.height())
        if path.lower().endswith(".svg"):
            from qgis.PyQt.QtSvg import QSvgGenerator

            target: Any = QSvgGenerator()
            target.setFileName(path)
            target.setSize(PAPER)
            target.setViewBox(QRect(0, 0, PAPER.width(), PAPER.height()))
            painter = QPainter(target)
            ok = painter.isActive()
            paint(painter, room, *look)
            painter.end()
        else:
            image = QImage(PAPER, QImage.Format.Format_ARGB32_Premultiplied)
            painter = QPainter(image)
            paint(painter, room, *look)
            painter.end()
            ok = image.save(path)
        if not ok:
            raise OSError(f"{path} cannot be written")


class _Canvas(QWidget):
    def __init__(self, drawing: PainterDrawing, parent: QWidget):
        super().__init__(parent)
        self._drawing = drawing
        self.look: Any = None

    def paintEvent(self, event: Any) -> None:
        """Paint what was asked for last."""
        if self.look is not None:
            painter = QPainter(self)
            paint(painter, QRectF(self.rect()), *self.look)
            painter.end()

    def mousePressEvent(self, event: Any) -> None:
        """Tell which category was clicked."""
        if self.look is None:
            return
        chart, plot = self.look[0], _plot_area(QRectF(self.rect()), self.look[3])
        category = int((event.pos().x() - plot.left()) / plot.width() * len(chart.categories))
        if plot.left() <= event.pos().x() < plot.right() and 0 <= category < len(chart.categories):
            self._drawing.clicked.emit(category)


def _plot_area(room: QRectF, font: QFont) -> QRectF:
    line = QFontMetricsF(font).height()
    return room.adjusted(4.5 * line, 2.2 * line, -0.5 * line, -1.8 * line)


def paint(painter: QPainter, room: QRectF, chart: Chart, paper: QColor, ink: QColor, font: QFont, focus: int) -> None:
    """Paint a chart into `room`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(room, paper)
    painter.setFont(font)
    plot = _plot_area(room, font)
    step = plot.width() / max(1, len(chart.categories))
    if focus >= 0:
        mark = QColor(ink)
        mark.setAlphaF(0.12)
        painter.fillRect(QRectF(plot.left() + focus * step, plot.top(), step, plot.height()), mark)
    painter.setPen(ink)
    line = QFontMetricsF(font).height()
    if chart.kind == PAIRS:
        _paint_pairs(painter, room.adjusted(line / 2, line / 4, -line / 2, -line / 4), chart, ink, line)
        return
    _paint_legend(painter, room, chart, ink, line)
    for position, category in enumerate(chart.categories):
        box = QRectF(plot.left() + position * step, plot.bottom() + 2, step, line)
        painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, category)
        column = QRectF(plot.left() + position * step, plot.top(), step, plot.height())
        low, high = _limits(chart)
        _paint_column(painter, column, chart, position, low, high, ink)
    low, high = _limits(chart)
    for value in (low, high):
        y = _y(plot, value, low, high)
        text = QRectF(room.left(), y - line / 2, plot.left() - room.left() - 6, line)
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, tick(float(f"{value:.3g}")))
    if chart.kind == LINES:
        _paint_lines(painter, plot, chart, low, high)
    painter.setPen(QPen(ink, 1))
    painter.drawLine(QPointF(plot.left(), plot.top()), plot.bottomLeft())
    painter.drawLine(plot.bottomLeft(), plot.bottomRight())


def _paint_legend(painter: QPainter, room: QRectF, chart: Chart, ink: QColor, line: float) -> None:
    """Paint the unit and, with more than one series, their names and colours."""
    x, y = room.left() + 4, room.top() + 2
    for series in (None, *(chart.series if len(chart.series) > 1 else ())):
        if series is not None:
            painter.setPen(QPen(QColor(series.colour), 1))
            painter.setBrush(_brush(series))
            painter.drawRect(QRectF(x, y + line * 0.2, line * 0.6, line * 0.6))
            x += line * 0.8
        text = chart.unit if series is None else series.name
        painter.setPen(ink)
        painter.drawText(QPointF(x, y + painter.fontMetrics().ascent()), text)
        x += painter.fontMetrics().horizontalAdvance(text) + line * 0.7


def _limits(chart: Chart) -> tuple[float, float]:
    where = range(len(chart.categories))
    if chart.kind == STACKED:
        tops = [sum(series.values[place] or 0.0 for series in chart.series) for place in where]
    else:
        tops = [series.values[place] + (series.error(place) or 0.0) for series in chart.series for place in where if series.values[place] is not None]
    return min([0.0, *tops]), max([0.0, *tops]) or 1.0


def _paint_pairs(painter: QPainter, room: QRectF, chart: Chart, ink: QColor, line: float) -> None:
    """Paint each category as lying bars on a scale of its own."""
    block = room.height() / len(chart.categories)
    names = max(painter.fontMetrics().horizontalAdvance(series.name) for series in chart.series) + line / 2
    left, vertically = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter
    for position, category in enumerate(chart.categories):
        top = room.top() + position * block
        painter.setPen(ink)
        painter.drawText(QRectF(room.left(), top, room.width(), line), left | vertically, f"{category} ({chart.units[position]})")
        high = max(abs(series.values[position] or 0.0) for series in chart.series) or 1.0
        row = (block - line) / len(chart.series)
        for place, series in enumerate(chart.series):
            value, y = series.values[position], top + line + place * row
            long = (room.width() - names - 5 * line) * abs(value or 0.0) / high
            painter.setPen(QPen(QColor(series.colour), 1))
            painter.setBrush(_brush(series))
            painter.drawRect(QRectF(room.left() + names, y + 1, long, row - 3))
            painter.setPen(ink)
            painter.drawText(QRectF(room.left(), y, names, row), left | vertically, series.name)
            text = "?" if value is None else number(value)
            painter.drawText(QRectF(room.left() + names + long + line / 3, y, 5 * line, row), left | vertically, text)


def _y(room: QRectF, value: float, low: float, high: float) -> float:
    return room.bottom() - (value - low) / ((high - low) or 1.0) * room.height()


def _paint_column(painter: QPainter, column: QRectF, chart: Chart, position: int, low: float, high: float, ink: QColor) -> None:
    if chart.kind == LINES:
        return
    stacked = chart.kind == STACKED
    width = column.width() * 0.7 / (1 if stacked else max(1, len(chart.series)))
    base, top = 0.0, column.bottom()
    for place, series in enumerate(chart.series):
        left = column.left() + column.width() * 0.15 + (0 if stacked else place * width)
        value = series.values[position]
        if value is None:
            painter.drawText(QRectF(left, column.bottom() - 24, width, 24), Qt.AlignmentFlag.AlignCenter, "?")
            continue
        y0, y1 = _y(column, base, low, high), _y(column, base + value, low, high)
        painter.setPen(QPen(QColor(series.colour), 1))
        painter.setBrush(_brush(series))
        painter.drawRect(QRectF(left, min(y0, y1), width - 2, abs(y1 - y0)))
        painter.setPen(QPen(ink, 1))
        error = series.error(position)
        if error:
            x = left + width / 2
            painter.drawLine(QPointF(x, _y(column, value + error, low, high)), QPointF(x, _y(column, max(value - error, 0.0), low, high)))
        base, top = (base + value if stacked else base), min(top, y1, _y(column, value + (error or 0.0), low, high) if not stacked else y1)
        text = chart.texts.get((place, position), "")
        if text:
            painter.drawText(QRectF(column.left(), top - 24, column.width(), 20), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, text)


def _brush(series: Series) -> QBrush:
    return QBrush(QColor(series.colour), Qt.BrushStyle.BDiagPattern if series.hatched else Qt.BrushStyle.SolidPattern)


def _paint_lines(painter: QPainter, plot: QRectF, chart: Chart, low: float, high: float) -> None:
    step = plot.width() / max(1, len(chart.categories))
    for series in chart.series:
        points = [QPointF(plot.left() + (i + 0.5) * step, _y(plot, value, low, high)) for i, value in enumerate(series.values) if value is not None]
        painter.setPen(QPen(QColor(series.colour), 2))
        painter.setBrush(QColor(series.colour))
        for before, after in zip(points, points[1:]):
            painter.drawLine(before, after)
        for point in points:
            painter.drawEllipse(point, 3, 3)
