"""Fetched features as a layer and as NDJSON, in one pass."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingContext, QgsWkbTypes

from epoch_plugin.bridge.layers import FeatureWriter, polygon, qgs_fields
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.processing_algorithms.base import EpochAlgorithm

if TYPE_CHECKING:
    from epoch_plugin.core.fetch.result import FetchResult, Field

OUTPUT, NDJSON = "OUTPUT", "NDJSON"


def label(field: Field) -> str:
    """Return a field's readable name with its unit."""
    return f"{field.alias} ({field.unit})" if field.alias and field.unit else field.alias


class LayerOutput:
    """The layer of a fetch: opened with the result's fields, written feature by feature; `destination` is its id or path."""

    def __init__(self, algorithm: EpochAlgorithm, parameters: dict[str, Any], name: str, context: QgsProcessingContext, result: FetchResult):
        self._names = [field.name for field in result.fields]
        fields = qgs_fields((field.name, field.type, label(field)) for field in result.fields)
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        sink, self.destination = algorithm.parameterAsSink(parameters, name, context, fields, QgsWkbTypes.Type.MultiPolygon, wgs84)
        self._writer = FeatureWriter(sink, fields, name)

    def add(self, properties: dict[str, Any], wkb: bytes | None) -> None:
        """Write one feature; nested values become JSON text."""
        values = (properties.get(name) for name in self._names)
        self._writer.add([json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value for value in values], polygon(wkb))

    def close(self) -> None:
        """Write what is buffered."""
        self._writer.close()


def write_outputs(
    algorithm: EpochAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, result: FetchResult, progress: Progress
) -> dict[str, Any]:
    """Write a fetch's OUTPUT and NDJSON, where they are wanted, and return them with the counts."""
    from epoch_plugin.core.fetch.ndjson import feature_line

    layer = LayerOutput(algorithm, parameters, OUTPUT, context, result) if parameters.get(OUTPUT) else None
    path = algorithm.parameterAsFileOutput(parameters, NDJSON, context) if algorithm.parameterDefinition(NDJSON) else ""
    with open(path, "w", encoding="utf-8") if path else nullcontext() as file:
        for feature in result.features:
            stop_if_cancelled(progress)
            if layer:
                layer.add(feature.properties, feature.polygon)
            if file:
                file.write(feature_line(feature))
    for warning in result.warnings:
        progress.warn(warning)
    outputs: dict[str, Any] = {"COUNT": result.count, "MATCHED_COUNT": result.matched}
    if layer:
        layer.close()
        outputs[OUTPUT] = layer.destination
    if path:
        outputs[NDJSON] = path
    return outputs
