"""QGIS features to the core's plots, and the core's features to QGIS's sinks."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsFeatureSource,
    QgsFields,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QByteArray, QDate, QDateTime, Qt, QTime, QVariant

from epoch_plugin.bridge.compat import field
from epoch_plugin.core.collections.source import PlotSource, SourceFeature

_TEXT_FORMATS = ((QDateTime, "yyyy-MM-ddTHH:mm:ss"), (QDate, "yyyy-MM-dd"), (QTime, "HH:mm:ss"))


def plot_source(source: QgsFeatureSource) -> PlotSource:
    """Return a layer or an algorithm's source as the core's plot source; attributes become plain Python values."""
    crs = crs_text(source.sourceCrs())
    return PlotSource(name=source.sourceName(), crs=crs or None, features=source_features(source), sha256=None)


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """Return a CRS as the core reads it (authority code, else WKT); empty for an invalid one."""
    return (crs.authid() or crs.toWkt()) if crs.isValid() else ""


def source_features(source: QgsFeatureSource) -> Iterator[SourceFeature]:
    """Yield every feature as it is, also those whose geometry is bad: the core reports them one by one."""
    names = source.fields().names()
    features = (
        source.getFeatures(QgsFeatureRequest(), QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks)
        if isinstance(source, QgsProcessingFeatureSource)
        else source.getFeatures()
    )
    for row, feature in enumerate(features, start=1):
        attributes = {name: python_value(value) for name, value in zip(names, feature.attributes())}
        yield SourceFeature(row=row, attributes=attributes, geometry=straight_wkb(feature.geometry()), problem=None)


def python_value(value: Any) -> Any:
    """Return an attribute as a value that JSON can hold: NULL becomes None, dates and times ISO text, bytes base64 text."""
    if value is None or (isinstance(value, QVariant) and value.isNull()):
        return None
    if isinstance(value, QVariant):
        value = value.value()
    for kind, text_format in _TEXT_FORMATS:
        if isinstance(value, kind):
            return value.toString(text_format) if value.isValid() else None
    if isinstance(value, (QByteArray, bytes)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, dict):
        return {str(key): python_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [python_value(item) for item in value]
    return value


def qgs_fields(columns: Iterable[tuple[str, str, str]]) -> QgsFields:
    """Return QGIS fields for (name, type, alias) triples; the types are those of `compat.field`."""
    fields = QgsFields()
    for name, kind, alias in columns:
        column = field(name, kind)
        column.setAlias(alias)
        if not fields.append(column):
            raise QgsProcessingException(f"Field '{name}' would appear twice in the output.")
    return fields


class FeatureWriter:
    """Writes features to a sink and raises as soon as the sink refuses one: GeoPackage and CSV sinks fail silently otherwise."""

    def __init__(self, sink: QgsFeatureSink | None, fields: QgsFields, what: str):
        if sink is None:
            raise QgsProcessingException(f"{what} cannot be written: check that its folder exists and that the file is not open elsewhere.")
        self._sink, self._fields, self._what = sink, fields, what
        self.count = 0

    def add(self, values: Sequence[Any], geometry: QgsGeometry | None = None) -> None:
        """Write one feature; `values` in the order of the fields, dates and times as ISO text."""
        feature = QgsFeature(self._fields)
        feature.setAttributes([_qt_value(value, self._fields.at(i).type()) for i, value in enumerate(values)])
        if geometry is not None:
            feature.setGeometry(geometry)
        if not self._sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
            raise QgsProcessingException(f"{self._what}: feature {self.count + 1} was refused. {self._sink.lastError()}".strip())
        self.count += 1

    def close(self) -> None:
        """Write what is buffered; raises where that fails."""
        if not self._sink.flushBuffer():
            raise QgsProcessingException(f"{self._what}: the last features were refused. {self._sink.lastError()}".strip())


def polygon(wkb: bytes | None) -> QgsGeometry | None:
    """Return a WKB geometry as QGIS's, None for None."""
    if wkb is None:
        return None
    geometry = QgsGeometry()
    geometry.fromWkb(wkb)
    return geometry


def straight_wkb(geometry: QgsGeometry) -> bytes | None:
    """Return a geometry as WKB, curves as straight segments; None where there is none."""
    if geometry.isNull():
        return None
    if QgsWkbTypes.isCurvedType(geometry.wkbType()):
        geometry = QgsGeometry(geometry.constGet().segmentize())
    return bytes(geometry.asWkb())


def _qt_value(value: Any, field_type: int) -> Any:
    if isinstance(value, str) and field_type == QVariant.Date:
        return QDate.fromString(value[:10], "yyyy-MM-dd")
    if isinstance(value, str) and field_type == QVariant.DateTime:
        return QDateTime.fromString(value, Qt.DateFormat.ISODate)
    return value
