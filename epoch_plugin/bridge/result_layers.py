"""A summary's plots, and the sources of its job, as map layers: for a picture and for a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.core import (
    QgsFeature,
    QgsFillSymbol,
    QgsMapLayer,
    QgsPalettedRasterRenderer,
    QgsProcessingException,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from epoch_plugin.bridge.layers import polygon
from epoch_plugin.bridge.styles import apply_style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from epoch_plugin.core.report.background import SourceLayer
    from epoch_plugin.core.report.summary import PlotResult

FOREST, PROTECTED = "forest_2020", ("wdpa", "wdpa_mandate")
FOREST_COLOUR, PROTECTED_COLOUR = "#d3e6c8", "#7b5ea7"
_FIELDS = "field=plotid:string&field=deforestation_alert:string&field=deforestation_confidence:string"


def plots_layer(plots: Iterable[PlotResult]) -> QgsVectorLayer:
    """Return a temporary layer of plots in the alert style, without labels."""
    layer = QgsVectorLayer(f"MultiPolygon?crs=EPSG:4326&{_FIELDS}", "plots", "memory")
    features = []
    for plot in plots:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([plot.plotid, plot.alert or None, plot.confidence or None])
        feature.setGeometry(polygon(plot.polygon))
        features.append(feature)
    added, _ = layer.dataProvider().addFeatures(features)
    if not added:
        raise QgsProcessingException("The plots of the collection could not be drawn.")
    layer.updateExtents()
    apply_style(layer, {})
    layer.setLabelsEnabled(False)
    return layer


def background_layers(sources: Iterable[SourceLayer]) -> list[tuple[str, QgsMapLayer]]:
    """Return (title, layer) of the baseline and the protected areas, uppermost first; files that are gone are left out."""
    forest, protected = [], []
    for source in sources:
        if source.role in PROTECTED and source.vector:
            protected += [(source.title, layer) for layer in _outlines(source)]
        elif source.role == FOREST and source.values and not source.vector:
            forest += [(source.title, layer) for layer in _masks(source)]
    return protected + forest


def _outlines(source: SourceLayer) -> list[QgsVectorLayer]:
    layers = []
    for path in source.files:
        layer = QgsVectorLayer(_address(path, source.vector_layer), source.title, "ogr")
        if not layer.isValid():
            continue
        layer.setSubsetString(source.where)
        line = {"style": "no", "outline_color": PROTECTED_COLOUR, "outline_width": "0.5", "outline_style": "dash"}
        layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(line)))
        layers.append(layer)
    return layers


def _address(path: str, layer_name: str) -> str:
    """Return a vector source that QGIS only reads: it rewrites a GeoPackage that it opens in the usual way, and inputs are evidence."""
    name = f"|layername={layer_name}" if layer_name else ""
    return f"{path}{name}|option:IMMUTABLE=YES|option:NOLOCK=YES" if path.lower().endswith(".gpkg") else f"{path}{name}"


def _masks(source: SourceLayer) -> list[QgsRasterLayer]:
    from epoch_plugin.core.datasets.gdal_state import no_side_files

    layers = []
    for path in source.files:
        with no_side_files():  # QGIS has statistics computed, which GDAL would write beside the file
            layer = QgsRasterLayer(path, source.title, "gdal")
        if layer.isValid():
            classes = [QgsPalettedRasterRenderer.Class(value, QColor(FOREST_COLOUR), source.title) for value in source.values]
            layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))
            layers.append(layer)
    return layers
