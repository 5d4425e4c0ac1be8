"""A widget that shows a chart: mouse and keyboard choose a category, the drawing is matplotlib's or Qt's."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from qgis.PyQt.QtCore import QEvent, QPoint, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QImage, QPalette, QRegion
from qgis.PyQt.QtWidgets import QLabel, QSizePolicy, QStackedLayout, QWidget

from epoch_plugin.ui.charts.chart import Chart

LEAST_CONTRAST = 0.35  # of lightness between paper and ink


def make_drawing(parent: QWidget) -> Any:
    """Return what matplotlib draws in the background, or Qt's drawing where matplotlib is missing."""
    if find_spec("matplotlib") is not None:
        from epoch_plugin.ui.charts.picture_drawing import PictureDrawing

        return PictureDrawing(parent)
    from epoch_plugin.ui.charts.painter_drawing import PainterDrawing

    return PainterDrawing(parent)


class ChartView(QWidget):
    """Shows one chart at a time; `chosen(key)` when a category is clicked, or chosen with the arrow keys and Enter."""

    chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._chart: Chart | None = None
        self._drawing: Any = None  # made when the first chart with numbers comes: matplotlib is heavy
        self._focus = -1
        self._stack = QStackedLayout(self)
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words.setContentsMargins(12, 12, 12, 12)
        self._stack.addWidget(self._words)

    @property
    def chart(self) -> Chart | None:
        """The chart that is shown."""
        return self._chart

    def sizeHint(self) -> QSize:
        """Return a size in lines of text, so that it grows with the font."""
        line = self.fontMetrics().height()
        return QSize(24 * line, 9 * line)

    def minimumSizeHint(self) -> QSize:
        """Return the least size in which axis labels still fit."""
        line = self.fontMetrics().height()
        return QSize(14 * line, 7 * line)

    def show_chart(self, chart: Chart) -> None:
        """Draw a chart, or say why there is nothing to draw."""
        self._chart, self._focus = chart, -1
        self.setAccessibleName(chart.title)
        self.setAccessibleDescription(chart.text())
        self.setToolTip(chart.note)
        if not chart.drawable:
            self._words.setText(chart.empty or chart.note)
            self._stack.setCurrentWidget(self._words)
            return
        if self._drawing is None:
            self._use(make_drawing(self))
        self._stack.setCurrentWidget(self._drawing.widget)
        self._redraw()

    def _use(self, drawing: Any) -> None:
        self._drawing = drawing
        drawing.clicked.connect(self._on_clicked)
        if hasattr(drawing, "broken"):
            drawing.broken.connect(self._on_broken)
        self._stack.addWidget(drawing.widget)

    def _on_broken(self, _why: str) -> None:
        """A broken matplotlib (another numpy, no fonts): Qt draws the chart."""
        from epoch_plugin.ui.charts.painter_drawing import PainterDrawing

        self._stack.removeWidget(self._drawing.widget)
        self._drawing.widget.deleteLater()
        self._use(PainterDrawing(self))
        self._stack.setCurrentWidget(self._drawing.widget)
        self._redraw()

    def save(self, path: str) -> None:
        """Write the chart as PNG or SVG, by the file's ending; raises OSError where it cannot be written."""
        if self._drawing is not None and self._chart is not None and self._chart.drawable:
            self._drawing.save(path, self._chart)

    def keyPressEvent(self, event: Any) -> None:
        """Move between categories with the arrow keys, choose with Enter or Space."""
        keys = self._chart.keys if self._chart is not None else ()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if keys and event.key() in steps:
            self._focus = (self._focus + steps[event.key()]) % len(keys) if self._focus >= 0 else 0
            self._redraw()
        elif keys and self._focus >= 0 and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(keys[self._focus])
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: Any) -> None:
        """Take the keyboard's mark off."""
        if self._focus >= 0:
            self._focus = -1
            self._redraw()
        super().focusOutEvent(event)

    def changeEvent(self, event: Any) -> None:
        """Follow another theme or font."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._redraw()
        super().changeEvent(event)

    def _redraw(self) -> None:
        if self._drawing is not None and self._chart is not None and self._chart.drawable:
            self._drawing.draw(self._chart, *self._colours(), self.font(), self._focus)

    def _colours(self) -> tuple[QColor, QColor]:
        """Return paper and ink as the theme shows windows and texts; QGIS's themes are style sheets, of which the palette knows little."""
        self._words.ensurePolished()
        ink = self._words.palette().color(QPalette.ColorRole.WindowText)
        pixel = QImage(1, 1, QImage.Format.Format_RGB32)
        pixel.fill(self.palette().color(QPalette.ColorRole.Window))
        self.window().render(pixel, QPoint(), QRegion(0, 0, 1, 1), QWidget.RenderFlag.DrawWindowBackground)
        paper = pixel.pixelColor(0, 0)
        if abs(paper.lightnessF() - ink.lightnessF()) < LEAST_CONTRAST:
            ink = QColor("#000000" if paper.lightnessF() > 0.5 else "#e6e6e6")
        return paper, ink

    def _on_clicked(self, category: int) -> None:
        if self._chart is not None and category < len(self._chart.keys):
            self.chosen.emit(self._chart.keys[category])
