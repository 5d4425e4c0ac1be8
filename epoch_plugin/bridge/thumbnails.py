"""A picture per plot: its shape in the alert's colour, what was found, and the loss per year as bars."""

from __future__ import annotations

import json
import os
from math import cos, radians
from typing import TYPE_CHECKING, Any

from qgis.core import QgsGeometry, QgsPointXY, QgsProcessingException
from qgis.PyQt.QtCore import QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QBrush, QColor, QFont, QImage, QPainter, QPainterPath, QPen, QPolygonF

from epoch_plugin.bridge.alerts import ALERTS, CONFIDENCE_WIDTHS, FILL_ALPHA
from epoch_plugin.bridge.layers import polygon

if TYPE_CHECKING:
    from epoch_plugin.core.fetch.result import Feature

WIDTH, HEIGHT, MARGIN = 256, 320, 12
_MAP = QRectF(MARGIN, 44, WIDTH - 2 * MARGIN, 190)
_BARS = QRectF(MARGIN, 248, WIDTH - 2 * MARGIN, 44)
_PIXELS_PER_MM = 3.0
_TEXT = QColor("#222222")


class Thumbnails:
    """Draws `<uuid>.png` of fetched plots into a folder; `fields` are the result's field names that take the picture's name."""

    def __init__(self, folder: str, names: list[str]):
        self.folder = folder
        drawn = "deforestation_alert" in names
        # `thumbnail_url`, or `eudr_deforestation_thumbnail_url` where several statistics stand side by side.
        self.fields = [name for name in ("thumbnail_url", "eudr_deforestation_thumbnail_url") if drawn and name in names]
        if self.fields:
            os.makedirs(folder, exist_ok=True)

    def add(self, feature: Feature) -> None:
        """Draw one plot and put the picture's file name into its properties; raises where the file cannot be written."""
        if not self.fields:
            return
        name = f"{feature.uuid}.png"
        if not draw(polygon(feature.polygon), feature.properties).save(os.path.join(self.folder, name), "PNG"):
            raise QgsProcessingException(f"THUMBNAILS: {os.path.join(self.folder, name)} cannot be written.")
        for field in self.fields:
            feature.properties[field] = name


def draw(shape: QgsGeometry, properties: dict[str, Any]) -> QImage:
    """Return the picture of one plot."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    alert = ALERTS[properties.get("deforestation_alert") or ""]
    _line(painter, 6, str(properties.get("plotid") or properties.get("uuid")), bold=True)
    _line(painter, 22, alert.label, colour=QColor(alert.colour).darker(120))
    _shape(painter, shape, alert, CONFIDENCE_WIDTHS.get(properties.get("deforestation_confidence"), CONFIDENCE_WIDTHS["low"]))
    _bars(painter, json.loads(properties.get("annual_defor") or "{}"), QColor(alert.colour))
    _line(painter, HEIGHT - 18, _areas(properties))
    painter.end()
    return image


def _areas(properties: dict[str, Any]) -> str:
    seen, assessed = properties.get("detected_area"), (properties.get("assessed_end") or "")[:10]
    area = f"{properties['area']:.2f} ha"
    return (f"{seen:.2f} of {area} seen lost" if seen else area) + (f", to {assessed}" if assessed else "")


def _line(painter: QPainter, top: float, text: str, bold: bool = False, colour: QColor = _TEXT) -> None:
    font = QFont("sans-serif")
    font.setPixelSize(12)
    font.setBold(bold)
    painter.setFont(font)
    painter.setPen(colour)
    room = QRectF(MARGIN, top, WIDTH - 2 * MARGIN, 16)
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _shape(painter: QPainter, shape: QgsGeometry, alert: Any, width_mm: float) -> None:
    """Draw the plot, north up, as large as it fits; a degree of longitude is drawn as long as it is at the plot's latitude."""
    box = shape.boundingBox()
    squeeze = max(0.05, cos(radians(box.center().y())))
    scale = min(_MAP.width() / max(box.width() * squeeze, 1e-12), _MAP.height() / max(box.height(), 1e-12)) * 0.95
    fill = QColor(alert.colour)
    fill.setAlpha(FILL_ALPHA)
    brushes = {"solid": QBrush(fill), "hatch": QBrush(QColor(alert.colour), Qt.BrushStyle.BDiagPattern), "empty": QBrush(Qt.BrushStyle.NoBrush)}
    style = Qt.PenStyle.DotLine if alert.fill == "empty" else Qt.PenStyle.SolidLine
    painter.setPen(QPen(QColor(alert.colour), width_mm * _PIXELS_PER_MM, style))
    painter.setBrush(brushes[alert.fill])

    def place(point: QgsPointXY) -> QPointF:
        across, up = (point.x() - box.center().x()) * squeeze, point.y() - box.center().y()
        return QPointF(_MAP.center().x() + across * scale, _MAP.center().y() - up * scale)

    for part in shape.asGeometryCollection():
        painter.drawPath(_path([[place(point) for point in ring] for ring in part.asPolygon()]))


def _path(rings: list[list[QPointF]]) -> QPainterPath:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    for ring in rings:
        path.addPolygon(QPolygonF(ring))
    return path


def _bars(painter: QPainter, annual: dict[str, Any], colour: QColor) -> None:
    years = sorted(int(key[9:]) for key in annual if key.startswith("defor_ha_") and key[9:].isdigit())
    if not years:
        return
    most = max((annual[f"defor_ha_{year}"] or 0.0 for year in years), default=0.0)
    step = _BARS.width() / len(years)
    for place, year in enumerate(years):
        value = annual[f"defor_ha_{year}"]
        left, height = _BARS.left() + place * step, 30 * (value or 0.0) / most if most else 0.0
        painter.fillRect(QRectF(left + 2, _BARS.top() + 30 - height, step - 4, max(height, 1.0)), colour if value is not None else QColor("#dddddd"))
        font = QFont("sans-serif")
        font.setPixelSize(9)
        painter.setFont(font)
        painter.setPen(_TEXT)
        text = f"’{year % 100:02d}" if value is not None else "?"
        painter.drawText(QRectF(left, _BARS.top() + 31, step, 12), Qt.AlignmentFlag.AlignCenter, text)
