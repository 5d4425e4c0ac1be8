"""Plots on the map before they are staged: drawn over the canvas, nothing is added to the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsWkbTypes,
)
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtGui import QColor

from epoch_plugin.bridge.layers import polygon
from epoch_plugin.ui.common.looks import BAD, BUSY

if TYPE_CHECKING:
    from epoch_plugin.core.preview import PlotsPreview

NEAR = 0.004  # degrees around a point that is zoomed to, some 450 m


class PreviewMap:
    """Rubber bands for the good plots and the places of the bad ones; `canvas` may be None (no map window)."""

    def __init__(self, canvas: Any):
        self._canvas = canvas
        self._bands: list[QgsRubberBand] = []

    def show(self, preview: PlotsPreview | None) -> None:
        """Draw a preview in place of the one before, and zoom to it."""
        self.clear()
        if preview is None or self._canvas is None:
            return
        plots = [polygon(wkb) for wkb in preview.shapes]
        self._draw(QgsWkbTypes.GeometryType.PolygonGeometry, BUSY, [QgsGeometry.collectGeometry(plots)] if plots else [])
        places = [QgsGeometry.fromPointXY(QgsPointXY(bad.lon, bad.lat)) for bad in preview.bad if bad.lon is not None and bad.lat is not None]
        self._draw(QgsWkbTypes.GeometryType.PointGeometry, BAD, places)
        if preview.extent is not None:
            self._zoom(QgsRectangle(*preview.extent), 1.1)

    def clear(self) -> None:
        """Take everything off the map."""
        for band in self._bands:
            self._canvas.scene().removeItem(band)
        self._bands = []

    def zoom_to(self, lon: float, lat: float) -> None:
        """Show a place."""
        if self._canvas is not None:
            self._zoom(QgsRectangle(lon - NEAR, lat - NEAR, lon + NEAR, lat + NEAR), 1.0)
            transform = self._to_canvas()
            self._canvas.flashGeometries([QgsGeometry.fromPointXY(QgsPointXY(lon, lat))], transform.sourceCrs())

    def _draw(self, kind: Any, colour: str, geometries: list[QgsGeometry]) -> None:
        if not geometries:
            return
        band = QgsRubberBand(self._canvas, kind)
        fill = QColor(colour)
        fill.setAlpha(60)
        band.setStrokeColor(QColor(colour))
        band.setFillColor(fill)
        band.setWidth(2)
        band.setIconSize(10)
        for geometry in geometries:
            band.addGeometry(geometry, _wgs84())
        self._bands.append(band)

    def _zoom(self, extent: QgsRectangle, scale: float) -> None:
        try:
            shown = self._to_canvas().transformBoundingBox(extent)
        except QgsCsException:
            return  # the plots lie outside the map's coordinate system
        shown.scale(scale)
        self._canvas.setExtent(shown)
        self._canvas.refresh()

    def _to_canvas(self) -> QgsCoordinateTransform:
        crs = self._canvas.mapSettings().destinationCrs()
        return QgsCoordinateTransform(_wgs84(), crs if crs.isValid() else _wgs84(), QgsProject.instance())


def _wgs84() -> QgsCoordinateReferenceSystem:
    return QgsCoordinateReferenceSystem("EPSG:4326")
