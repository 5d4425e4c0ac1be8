"""Two pictures of a plot, before and after: rendered by QGIS from the project's dated rasters, else from the layers that the result rests on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QObject, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from epoch_plugin.bridge.layers import polygon

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_details import PlotDetails

MARGIN = 0.35  # of the plot's size, on every side
SERIES_ROLES = ("dynamic_world", "tmf")
FOREST, OTHER = "#1b7837", "#d9d0b8"
MOST_TILES = 8
SEEN = 0.5  # share of the plot with data, below which a picture would show nothing
_YEAR = re.compile(r"(?<!\d)(19|20)\d{2}(?!\d)")


@dataclass(frozen=True)
class Rasters:
    """What one picture is rendered from; `year` and `title` are its caption."""

    year: int
    title: str
    layers: tuple[QgsRasterLayer, ...]


def dated_rasters(project: QgsProject) -> list[tuple[int, QgsRasterLayer]]:
    """Return the project's rasters that have a year in their name or a fixed time range, oldest first (main thread)."""
    found = []
    for layer in project.mapLayers().values():
        if not isinstance(layer, QgsRasterLayer) or not layer.isValid():
            continue
        temporal = layer.temporalProperties()
        begins = temporal.fixedTemporalRange().begin() if temporal.isActive() else None
        match = _YEAR.search(layer.name())
        if begins is not None and begins.isValid():
            found.append((begins.date().year(), layer))
        elif match:
            found.append((int(match.group(0)), layer))
    return sorted(found, key=lambda item: (item[0], item[1].name()))


def of_project(project: QgsProject, details: PlotDetails) -> list[Rasters]:
    """Return before and after from the project's dated rasters that cover the plot; [] unless there are two years."""
    inside = []
    for year, layer in dated_rasters(project):
        transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), layer.crs(), project)
        if layer.extent().intersects(transform.transformBoundingBox(plot_box(details))):
            inside.append((year, layer))
    if not inside or inside[0][0] == inside[-1][0]:
        return []
    start = int((details.deforestation.get("monitoring_start") or "2020")[:4])
    before = [item for item in inside if item[0] <= start] or inside[:1]
    return [Rasters(year, layer.name(), (layer,)) for year, layer in (before[-1], inside[-1])]


def of_result(details: PlotDetails) -> Callable[[Any], list[Rasters]]:
    """Return the work (for a background task) that opens the first and last year of a yearly series behind the result."""

    def work(_progress: Any) -> list[Rasters]:
        for role in SERIES_ROLES:
            source = next((use.source for use in details.layers if use.role == role and (use.coverage or 0.0) >= SEEN), None)
            pictures = _of_series(source, plot_box(details)) if source else []
            if len(pictures) == 2:
                return pictures
        return []

    return work


def _of_series(source: Mapping[str, Any], box: QgsRectangle) -> list[Rasters]:
    forest = (source.get("encoding") or {}).get("forest") or ()
    years: dict[int, Sequence[Mapping[str, Any]]] = {}
    for layer in source.get("layers", ()):
        match = re.fullmatch(rf"{re.escape(source['role'])} (\d{{4}})", layer["name"])
        if match:
            years[int(match.group(1))] = layer["files"]
    if len(years) < 2 or not forest:
        return []
    found = []
    for year in (min(years), max(years)):
        opened = _open_tiles(years[year], forest, box)
        if opened:
            found.append(Rasters(year, source.get("title") or source["role"], opened))
    return found


def _open_tiles(files: Sequence[Mapping[str, Any]], forest: Sequence[float], box: QgsRectangle) -> tuple[QgsRasterLayer, ...]:
    from epoch_plugin.core.datasets.gdal_state import no_side_files

    opened = []
    for file in files:
        with no_side_files():  # QGIS has statistics computed, which GDAL would write beside the file
            layer = QgsRasterLayer(file["path"], os.path.basename(file["path"]), "gdal")
        if not layer.isValid() or len(opened) == MOST_TILES:
            continue
        transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), layer.crs(), QgsProject.instance().transformContext())
        if not layer.extent().intersects(transform.transformBoundingBox(box)):
            continue
        classes = [
            QgsPalettedRasterRenderer.Class(value, QColor(FOREST if value in forest else OTHER), "") for value in range(1, 256) if value != 255
        ]
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), int(file.get("band") or 1), classes))
        layer.moveToThread(QgsApplication.instance().thread())
        opened.append(layer)
    return tuple(opened)


def plot_box(details: PlotDetails) -> QgsRectangle:
    """Return the plot's box with a margin, in degrees."""
    box = polygon(details.polygon).boundingBox()
    side = max(box.width(), box.height(), 1e-5)
    box.grow(side * MARGIN)
    return box


class PictureJob(QObject):
    """Renders one picture without holding up anything; `done(image)` in the main thread. Layers and job stay here until then."""

    done = pyqtSignal(QImage)

    def __init__(self, rasters: Rasters, details: PlotDetails, size: QSize, ratio: float, parent: QObject | None = None):
        super().__init__(parent)
        self._rasters, self._geometry = rasters, polygon(details.polygon)
        self._settings = QgsMapSettings()
        self._settings.setLayers(list(rasters.layers))
        self._settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
        self._settings.setTransformContext(QgsProject.instance().transformContext())
        self._settings.setExtent(plot_box(details))
        self._settings.setOutputSize(QSize(round(size.width() * ratio), round(size.height() * ratio)))
        self._settings.setOutputDpi(96.0 * ratio)
        self._settings.setBackgroundColor(QColor("white"))
        self._ratio = ratio
        self._job = QgsMapRendererParallelJob(self._settings)
        self._job.finished.connect(self._on_finished)

    def start(self) -> None:
        """Begin."""
        self._job.start()

    def stop(self) -> None:
        """Give up and wait for the renderer's threads."""
        self._job.finished.disconnect(self._on_finished)
        self._job.cancel()

    def _on_finished(self) -> None:
        image = self._job.renderedImage()
        _draw_outline(image, self._geometry, self._settings, self._ratio)
        image.setDevicePixelRatio(self._ratio)
        self.done.emit(image)


def _draw_outline(image: QImage, geometry: QgsGeometry, settings: QgsMapSettings, ratio: float) -> None:
    """Draw the plot's outline, dark on a light halo, so that it is seen on any ground."""
    path, to_pixel = QPainterPath(), settings.mapToPixel()
    for part in geometry.asGeometryCollection():
        for ring in part.asPolygon():
            for number, vertex in enumerate(ring):
                point = to_pixel.transform(vertex).toQPointF()
                (path.lineTo if number else path.moveTo)(point)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in (("#ffffff", 4.0), ("#000000", 1.6)):
        painter.setPen(QPen(QColor(colour), width * ratio, Qt.PenStyle.SolidLine))
        painter.drawPath(path)
    painter.end()
