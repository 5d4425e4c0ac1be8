"""Colours and small pictures that tell a state; always beside a word, never alone."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QPointF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QIcon, QPainter, QPixmap
from qgis.PyQt.QtWidgets import QWidget

from epoch_plugin.bridge.settings import resource

# Okabe-Ito, told apart by colour-blind readers: the docks' only status colours.
GOOD, CARE, BAD, BUSY, IDLE = "#009E73", "#E69F00", "#D55E00", "#0072B2", "#999999"
_TONES = {
    "processed": GOOD, "completed": GOOD, "uploaded": BUSY, "processing": BUSY, "in_progress": BUSY, "queued": BUSY, "staged": CARE,
    "interrupted": CARE, "cancelled": IDLE, "failed": BAD, "green": GOOD, "amber": CARE, "red": BAD, "found": GOOD, "missing": BAD, "unreadable": BAD,
}  # fmt: skip


def tone_colour(tone: str) -> QColor:
    """Return the colour of a state, grey for one without."""
    return QColor(_TONES.get(tone, IDLE))


def readable_on(colour: QColor, paper: QColor) -> QColor:
    """Return the colour, darker or lighter as the background asks for."""
    return colour.lighter(150) if paper.lightnessF() < 0.5 else colour.darker(125)


def dot(tone: str, widget: QWidget) -> QPixmap:
    """Return a filled circle as high as the widget's text."""
    side, ratio = widget.fontMetrics().height(), widget.devicePixelRatioF()
    pixmap = QPixmap(QSize(round(side * ratio), round(side * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tone_colour(tone))
    painter.drawEllipse(QPointF(side / 2, side / 2), side * 0.3, side * 0.3)
    painter.end()
    return pixmap


def theme_icon(name: str) -> QIcon:
    """Return one of QGIS's own icons, in the theme that is on."""
    return QgsApplication.getThemeIcon(f"/{name}.svg")


def plugin_icon() -> QIcon:
    """Return the plugin's icon."""
    return QIcon(resource("icons", "epoch.svg"))
