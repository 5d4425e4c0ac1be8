"""A chart that a background task draws: the window is never held up by it, not even by the first import of matplotlib."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QRect, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QColor, QFont, QFontInfo, QImage, QPainter
from qgis.PyQt.QtWidgets import QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.tasks import in_background
from epoch_plugin.ui.charts.chart import Chart

if TYPE_CHECKING:
    from epoch_plugin.ui.charts.matplotlib_drawing import Picture

MODULE = "epoch_plugin.ui.charts.matplotlib_drawing"
RESIZED_MS = 60  # until a widget that is being resized is drawn anew
LEAST_PIXELS = 40


class PictureDrawing(QObject):
    """`clicked(category)` on a bar, a point or the room above it; `broken(why)` where matplotlib cannot draw."""

    clicked = pyqtSignal(int)
    broken = pyqtSignal(str)

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.picture: Picture | None = None
        self.image = QImage()
        self.widget = _Canvas(self, parent)
        self._wanted: tuple[Chart, str, str, float, int] | None = None
        self._drawing = self._again = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._start)

    def draw(self, chart: Chart, paper: QColor, ink: QColor, font: QFont, focus: int) -> None:
        """Draw a chart; `focus` marks a category, -1 none."""
        if self._wanted is None or self._wanted[0] is not chart:
            self.picture, self.image = None, QImage()  # rather nothing for a moment than another plot's numbers
            self.widget.update()
        self._wanted = (chart, paper.name(), ink.name(), float(QFontInfo(font).pixelSize()), focus)
        self._later.start(0)

    def resized(self) -> None:
        """Draw again once the size has settled."""
        if self._wanted is not None:
            self._later.start(RESIZED_MS)

    def save(self, path: str, chart: Chart) -> None:
        """Write the chart in black on white."""
        import_module(MODULE).save_picture(path, chart)

    def _start(self) -> None:
        size, ratio = self.widget.size(), float(self.widget.devicePixelRatioF())
        if self._wanted is None or min(size.width(), size.height()) < LEAST_PIXELS:
            return
        self._again = self._drawing
        if self._drawing:
            return
        self._drawing = True
        chart, *look = self._wanted

        def work(_progress: Any) -> Picture:
            module = import_module(MODULE)
            return module.draw_picture(chart, module.Look(*look), size.width(), size.height(), ratio)

        in_background(tr("Drawing a chart"), work, lambda picture, error: self._drawn(chart, picture, ratio, error), quiet=True)

    def _drawn(self, chart: Chart, picture: Picture | None, ratio: float, error: str | None) -> None:
        if sip.isdeleted(self) or sip.isdeleted(self.widget):
            return
        self._drawing = False
        if picture is None:
            self.broken.emit(error or "")
            return
        if self._wanted is not None and self._wanted[0] is chart:
            self.picture = picture
            image = QImage(picture.pixels, picture.width, picture.height, 4 * picture.width, QImage.Format.Format_RGBA8888)
            self.image = image.copy()  # the bytes belong to the picture
            self.image.setDevicePixelRatio(ratio)
            self.widget.update()
        if self._again:
            self._start()

    def category_at(self, x: float) -> int | None:
        """Return the category drawn at a widget's x."""
        if self.picture is None or self._wanted is None or self.picture.step <= 0:
            return None
        place = round((x - self.picture.first) / self.picture.step)
        return place if 0 <= place < len(self._wanted[0].categories) else None


class _Canvas(QWidget):
    def __init__(self, drawing: PictureDrawing, parent: QWidget):
        super().__init__(parent)
        self._drawing = drawing
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the view around it has the keyboard

    def paintEvent(self, event: Any) -> None:
        """Show the picture; stretched until one of the new size is there."""
        if not self._drawing.image.isNull():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRect(0, 0, self.width(), self.height()), self._drawing.image)
            painter.end()

    def resizeEvent(self, event: Any) -> None:
        """Ask for a picture of the new size."""
        self._drawing.resized()
        super().resizeEvent(event)

    def mousePressEvent(self, event: Any) -> None:
        """Tell which category was clicked."""
        category = self._drawing.category_at(event.pos().x())
        if category is not None:
            self._drawing.clicked.emit(category)
