"""Fetched features as a layer and as NDJSON, in one pass."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingContext, QgsWkbTypes

from epoch_plugin.bridge.layers import FeatureWriter, polygon, qgs_fields
from epoch_plugin.bridge.styles import style_on_load
from epoch_plugin.bridge.thumbnails import Thumbnails
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.processing_algorithms.base import EpochAlgorithm

if TYPE_CHECKING:
    from epoch_plugin.core.fetch.result import Feature, FetchResult, Field

OUTPUT, NDJSON, THUMBNAILS = "OUTPUT", "NDJSON", "THUMBNAILS"


def label(field: Field) -> str:
    """Return a field's readable name with its unit."""
    return f"{field.alias} ({field.unit})" if field.alias and field.unit else field.alias


class LayerOutput:
    """The layer of a fetch: opened with the result's fields, written feature by feature; `destination` is its id or path."""

    def __init__(self, algorithm: EpochAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, result: FetchResult, title: str):
        self._names = [field.name for field in result.layer_fields]
        self._properties = result.layer_properties
        columns = [(field.name, field.type, label(field)) for field in result.layer_fields]
        fields = qgs_fields(columns)
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        sink, self.destination = algorithm.parameterAsSink(parameters, OUTPUT, context, fields, QgsWkbTypes.Type.MultiPolygon, wgs84)
        self._writer = FeatureWriter(sink, fields, OUTPUT)
        style_on_load(context, self.destination, algorithm.displayName(), f"Epoch / {title}", {name: alias for name, _, alias in columns})

    def add(self, feature: Feature) -> None:
        """Write one feature."""
        properties = self._properties(feature)
        self._writer.add([properties.get(name) for name in self._names], polygon(feature.polygon))

    def close(self) -> str:
        """Write what is buffered and return the destination."""
        self._writer.close()
        return self.destination


def write_outputs(
    algorithm: EpochAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, result: FetchResult, title: str, progress: Progress
) -> dict[str, Any]:
    """Write a fetch's OUTPUT and NDJSON, where they are wanted, and return them with the counts."""
    from epoch_plugin.core.fetch.ndjson import NdjsonWriter

    path = algorithm.parameterAsFileOutput(parameters, NDJSON, context) if algorithm.parameterDefinition(NDJSON) else ""
    outputs: dict[str, Any] = {"COUNT": result.count, "MATCHED_COUNT": result.matched}
    with ExitStack() as stack:
        stack.enter_context(result)
        pictures = thumbnails(algorithm, parameters, context, result)  # first: they put their names into the feature
        layer = LayerOutput(algorithm, parameters, context, result, title) if parameters.get(OUTPUT) else None
        lines = stack.enter_context(NdjsonWriter(path, result.fields)) if path else None
        receivers = [output.add for output in (pictures, layer, lines) if output]
        for done, feature in enumerate(result.features):
            stop_if_cancelled(progress)
            progress.step(done / max(1, result.count), algorithm.tr("writing"))
            for receive in receivers:
                receive(feature)
        if layer:
            outputs[OUTPUT] = layer.close()
    if path:
        outputs[NDJSON] = path
    if pictures:
        outputs[THUMBNAILS] = pictures.folder
    for warning in (*result.warnings, *warnings(algorithm, pictures, outputs)):
        progress.warn(warning)
    return outputs


def warnings(algorithm: EpochAlgorithm, pictures: Thumbnails | None, outputs: dict[str, Any]) -> list[str]:
    """Return what the outputs cannot hold."""
    texts = []
    if pictures and not pictures.fields:
        texts.append(algorithm.tr("THUMBNAILS: pictures are drawn of single plots with results of the deforestation check; there are none here."))
    if str(outputs.get(OUTPUT, "")).lower().endswith(".shp"):
        texts.append(algorithm.tr("A Shapefile cuts field names after 10 characters and texts after 254: prefer a GeoPackage (.gpkg)."))
    return texts


def thumbnails(algorithm: EpochAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, result: FetchResult) -> Thumbnails | None:
    """Return what draws a picture per plot, or None where no folder is given."""
    if not algorithm.parameterDefinition(THUMBNAILS) or not parameters.get(THUMBNAILS):
        return None
    return Thumbnails(algorithm.parameterAsString(parameters, THUMBNAILS, context), [field.name for field in result.fields])
