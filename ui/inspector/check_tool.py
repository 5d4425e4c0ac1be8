"""The map tool that draws a polygon to be checked."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsGeometry, QgsPointXY, QgsProject, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

COLOUR = "#0072B2"


class CheckPlotTool(QgsMapTool):
    """Left click adds a corner, right click or Enter ends, Backspace takes the last corner back, Esc starts over.

    `drawn(polygon)`: a QgsGeometry in EPSG:4326. The outline stays on the map until `clear`.
    """

    drawn = pyqtSignal(QgsGeometry)

    def __init__(self, canvas: QgsMapCanvas):
        super().__init__(canvas)
        self._canvas = canvas
        self._corners: list[QgsPointXY] = []
        self._band: QgsRubberBand | None = None
        self.setCursor(Qt.CursorShape.CrossCursor)

    def clear(self) -> None:
        """Take the outline off the map."""
        self._corners = []
        if self._band is not None:
            self._canvas.scene().removeItem(self._band)
            self._band = None

    def canvasReleaseEvent(self, event: Any) -> None:
        """Add a corner, or end."""
        if event.button() == Qt.MouseButton.RightButton:
            self.finish()
        elif event.button() == Qt.MouseButton.LeftButton:
            if not self._corners:
                self.clear()
            self._corners.append(event.mapPoint())
            self._show(event.mapPoint())

    def canvasMoveEvent(self, event: Any) -> None:
        """Let the next edge follow the mouse."""
        if self._corners:
            self._show(event.mapPoint())

    def canvasDoubleClickEvent(self, event: Any) -> None:
        """End; the double click's first click has set the last corner."""
        self.finish()

    def keyPressEvent(self, event: Any) -> None:
        """Offer the same by keyboard."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
        elif event.key() == Qt.Key.Key_Escape:
            self.clear()
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete) and self._corners:
            self._corners.pop()
            self._show(None)
        else:
            return
        event.accept()  # else the main window deletes features or stops the rendering

    def finish(self) -> None:
        """Hand the polygon over; with fewer than three corners nothing happens."""
        if len(self._corners) < 3:
            return
        ring = [*self._corners, self._corners[0]]
        self._show(None)
        self._corners = []
        polygon = QgsGeometry.fromPolygonXY([ring])
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        polygon.transform(QgsCoordinateTransform(self._canvas.mapSettings().destinationCrs(), wgs84, QgsProject.instance()))
        self.drawn.emit(polygon)

    def _show(self, cursor: QgsPointXY | None) -> None:
        if self._band is None:
            self._band = QgsRubberBand(self._canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
            colour = QColor(COLOUR)
            self._band.setStrokeColor(colour)
            self._band.setWidth(2)
            colour.setAlpha(40)
            self._band.setFillColor(colour)
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        for point in [*self._corners, *([cursor] if cursor is not None else [])]:
            self._band.addPoint(point, True)
