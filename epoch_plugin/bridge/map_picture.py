"""A picture of layers, north up in a local equal-area projection, with a scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsMapLayer,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QImage, QPainter, QPen

WIDTH, TALLEST, FLATTEST, DPI = 1380, 0.66, 0.45, 130
_MARGIN = 0.04


def map_picture(layers: Sequence[QgsMapLayer], extent: QgsRectangle) -> QImage:
    """Return a picture of the layers (uppermost first) around an extent in EPSG:4326."""
    centre = extent.center()
    local = QgsCoordinateReferenceSystem.fromProj(f"+proj=laea +lat_0={centre.y():.4f} +lon_0={centre.x():.4f} +datum=WGS84 +units=m")
    wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
    shown = QgsCoordinateTransform(wgs84, local, QgsCoordinateTransformContext()).transformBoundingBox(extent)
    shown.grow(max(shown.width(), shown.height(), 200) * _MARGIN)
    ratio = min(max(shown.height() / shown.width(), FLATTEST), TALLEST)
    settings = QgsMapSettings()
    settings.setLayers(list(layers))
    settings.setDestinationCrs(local)
    settings.setOutputSize(QSize(WIDTH, round(WIDTH * ratio)))
    settings.setOutputDpi(DPI)
    settings.setExtent(shown)
    settings.setBackgroundColor(QColor("white"))
    image = QImage(settings.outputSize(), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QgsMapRendererCustomPainterJob(settings, painter).renderSynchronously()
    _scale_bar(painter, settings.mapUnitsPerPixel(), image.height())
    painter.end()
    return image


def png(image: QImage) -> bytes:
    """Return a picture as PNG."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data)


def round_length(metres: float) -> float:
    """Return the largest of 1, 2, 5 × 10^n that is not longer than `metres`."""
    power = 10.0 ** floor(log10(metres))
    return float(max(step * power for step in (1, 2, 5) if step * power <= metres))


def _scale_bar(painter: QPainter, metres_per_pixel: float, height: int) -> None:
    length = round_length(metres_per_pixel * WIDTH / 5)
    pixels = length / metres_per_pixel
    left, bottom = 28.0, height - 28.0
    font = QFont("sans-serif")
    font.setPixelSize(22)
    painter.setFont(font)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    frame = QRectF(left - 14, bottom - 44, pixels + 28, 58)
    painter.fillRect(frame, QColor(255, 255, 255, 215))
    painter.setPen(QPen(QColor("#222222"), 3))
    for start, end in (((0, 0), (pixels, 0)), ((0, -8), (0, 0)), ((pixels, -8), (pixels, 0))):
        painter.drawLine(QPointF(left + start[0], bottom + start[1]), QPointF(left + end[0], bottom + end[1]))
    painter.drawText(QRectF(left, bottom - 40, pixels, 28), Qt.AlignmentFlag.AlignCenter, text)
