"""A look at plots before they are staged, from a file or from a layer of the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qgis.core import QgsVectorLayer, QgsVectorLayerFeatureSource

from epoch_plugin.bridge.borders import world_map
from epoch_plugin.bridge.layers import crs_text, source_features
from epoch_plugin.core.collections.source import PlotSource

if TYPE_CHECKING:
    from epoch_plugin.core.preview import PlotsPreview


def preview_of_file(path: str, id_field: str, crs: str, mend: bool) -> Callable[[Any], PlotsPreview]:
    """Return the work that looks at a plot file."""

    def look(progress: Any) -> PlotsPreview:
        from epoch_plugin.core.collections.readers import open_source

        return _preview(open_source(path, crs or None), id_field, crs, mend, progress)

    return look


def preview_of_layer(layer: QgsVectorLayer, id_field: str, crs: str, mend: bool) -> Callable[[Any], PlotsPreview]:
    """Return the work that looks at a layer; what it needs of the layer is taken here, in the main thread."""
    source, own_crs, name = QgsVectorLayerFeatureSource(layer), crs_text(layer.crs()), layer.name()

    def look(progress: Any) -> PlotsPreview:
        return _preview(PlotSource(name, own_crs or None, source_features(source)), id_field, crs, mend, progress)

    return look


def _preview(source: PlotSource, id_field: str, crs: str, mend: bool, progress: Any) -> PlotsPreview:
    from epoch_plugin.core.collections.plots import StageOptions
    from epoch_plugin.core.preview import preview_plots

    return preview_plots(source, StageOptions(plot_id_field=id_field, fix_geometries=mend, crs=crs), world_map(), progress)
