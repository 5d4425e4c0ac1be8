"""What GDAL's vector drivers read: Shapefile (also zipped), GeoPackage, XLSX; always read-only."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any

from epoch_plugin.core.collections.source import SourceFeature
from epoch_plugin.core.collections.tabular import SAMPLE_ROWS, find_geometry, table_features, unique_headers
from epoch_plugin.core.datasets.gdal_state import gdal_exceptions
from epoch_plugin.core.errors import InputError, MissingLibraryError

_BATCH = 500


def open_dataset(path: str, name: str, drivers: list[str]) -> Any:
    """Open a vector dataset read-only; raise `InputError` if no driver reads it, `MissingLibraryError` if GDAL lacks the drivers."""
    from osgeo import gdal

    if not any(gdal.GetDriverByName(driver) for driver in drivers):
        raise MissingLibraryError(f"This GDAL has no {drivers[0]} driver, so '{name}' cannot be read: convert it to GeoJSON or GeoPackage.")
    with gdal_exceptions():
        try:
            return gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY, allowed_drivers=drivers)
        except RuntimeError as error:
            raise InputError(f"'{name}' cannot be read as {drivers[0]} ({error}). The file may be damaged or incomplete: export it again.") from None


def layer_crs(layer: Any) -> str | None:
    """Return the layer's CRS as WKT, or None if the source declares none."""
    reference = layer.GetSpatialRef()
    if reference is None:
        return None
    authority, code = reference.GetAuthorityName(None), reference.GetAuthorityCode(None)
    if authority == "EPSG" and code:
        return f"EPSG:{code}"
    text = reference.ExportToWkt(["FORMAT=WKT2_2019"])
    return None if "Undefined geographic SRS" in text or "Undefined Cartesian SRS" in text else str(text)


def choose_layer(dataset: Any, wanted: str, path: str) -> str:
    """Return the name of the one layer with points or polygons, or of `wanted`; raise `InputError` that lists the choices."""
    from osgeo import ogr

    names, spatial = [], []
    for index in range(dataset.GetLayerCount()):
        layer = dataset.GetLayer(index)
        names.append(layer.GetName())
        flat = ogr.GT_Flatten(layer.GetGeomType())
        if flat != ogr.wkbNone and flat not in (ogr.wkbLineString, ogr.wkbMultiLineString, ogr.wkbMultiCurve, ogr.wkbCompoundCurve):
            spatial.append(layer.GetName())
    if wanted:
        if wanted not in names:
            raise InputError(f"'{os.path.basename(path)}' has no layer '{wanted}'. Its layers are: {', '.join(names)}.")
        return wanted
    if not spatial:
        raise InputError(f"'{os.path.basename(path)}' has no layer of points or polygons. Its layers are: {', '.join(names) or 'none'}.")
    if len(spatial) > 1:
        choices = "; ".join(f"{path}|layername={name}" for name in spatial)
        raise InputError(f"'{os.path.basename(path)}' has {len(spatial)} layers of points or polygons. Give one of: {choices}")
    return str(spatial[0])


def read_layer(path: str, name: str, drivers: list[str], chosen: str) -> Iterator[SourceFeature]:
    """Yield the features of the layer of that name."""
    dataset = open_dataset(path, name, drivers)
    layer = dataset.GetLayerByName(chosen)
    layer.ResetReading()
    row = 0
    while True:
        batch = _read_batch(layer, name, row)
        yield from batch
        row += len(batch)
        if len(batch) < _BATCH:
            break


def _read_batch(layer: Any, name: str, row: int) -> list[SourceFeature]:
    """Read a batch inside GDAL's exception mode; nothing of that mode outlives the call."""
    features: list[SourceFeature] = []
    with gdal_exceptions():
        while len(features) < _BATCH:
            try:
                feature = layer.GetNextFeature()
            except RuntimeError as error:
                raise InputError(f"'{name}' breaks off after {row + len(features)} features ({error}). Export the file again.") from None
            if feature is None:
                break
            features.append(_source_feature(feature, row + len(features) + 1))
    return features


def _source_feature(feature: Any, row: int) -> SourceFeature:
    attributes = {feature.GetFieldDefnRef(i).GetName(): _field(feature, i) for i in range(feature.GetFieldCount())}
    geometry = feature.GetGeometryRef()
    return SourceFeature(row, attributes, None if geometry is None else bytes(geometry.ExportToIsoWkb()))


def _field(feature: Any, index: int) -> Any:
    from osgeo import ogr

    if not feature.IsFieldSetAndNotNull(index):
        return None
    definition = feature.GetFieldDefnRef(index)
    kind = definition.GetType()
    if kind == ogr.OFTBinary:
        return bytes(feature.GetFieldAsBinary(index))
    if kind in (ogr.OFTDate, ogr.OFTTime, ogr.OFTDateTime):
        return _iso(kind, feature.GetFieldAsDateTime(index))
    value = feature.GetField(index)
    return bool(value) if definition.GetSubType() == ogr.OFSTBoolean and isinstance(value, int) else value


def _iso(kind: int, parts: Sequence[Any]) -> str:
    """Write GDAL's (year, month, day, hour, minute, second, zone) as ISO 8601; zone 100 is UTC, 15 minutes a step."""
    from osgeo import ogr

    year, month, day, hour, minute, second, zone = parts
    seconds = f"{int(second):02d}" if float(second).is_integer() else f"{second:06.3f}"
    date, time = f"{year:04d}-{month:02d}-{day:02d}", f"{hour:02d}:{minute:02d}:{seconds}"
    if kind == ogr.OFTDate:
        return date
    minutes = (zone - 100) * 15
    offset = "" if zone <= 1 else "Z" if zone == 100 else f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    return time + offset if kind == ogr.OFTTime else f"{date}T{time}{offset}"


def read_xlsx(path: str, name: str, sheet: str, crs: str | None) -> Iterator[SourceFeature]:
    """Yield one feature per row of the sheet (the only one with coordinates unless named), first row = headers."""
    dataset = open_dataset(path, name, ["XLSX"])
    sheets = [dataset.GetLayer(i).GetName() for i in range(dataset.GetLayerCount())]
    if sheet and sheet not in sheets:
        raise InputError(f"'{name}' has no sheet '{sheet}'. Its sheets are: {', '.join(sheets)}.")
    usable, first_error = [], None
    for candidate in [sheet] if sheet else sheets:
        with _first_row_is_header():  # the driver reads a sheet when it is first asked for
            headers, sample = _sheet_start(dataset.GetLayerByName(candidate))
        try:
            usable.append((candidate, headers, find_geometry(headers, sample, f"{name}, sheet {candidate}")))
        except InputError as error:
            first_error = first_error or error
    if not usable:
        raise first_error or InputError(f"'{name}' has no sheet with rows.")
    if len(usable) > 1:
        raise InputError(f"'{name}' has several sheets with coordinates. Give one of: {'; '.join(f'{path}|layername={u[0]}' for u in usable)}")
    chosen, headers, columns = usable[0]
    epsg = crs[5:] if crs and crs.upper().startswith("EPSG:") else None
    yield from table_features(headers, _sheet_rows(dataset.GetLayerByName(chosen)), columns, True, epsg)


@contextlib.contextmanager
def _first_row_is_header() -> Iterator[None]:
    """Switch off the XLSX driver's guess, which takes the headers of an all-text table for data."""
    from osgeo import gdal

    before = gdal.GetThreadLocalConfigOption("OGR_XLSX_HEADERS", None)
    gdal.SetThreadLocalConfigOption("OGR_XLSX_HEADERS", "FORCE")
    try:
        yield
    finally:
        gdal.SetThreadLocalConfigOption("OGR_XLSX_HEADERS", before)


def _sheet_start(layer: Any) -> tuple[list[str], list[list[Any]]]:
    definition = layer.GetLayerDefn()
    headers = unique_headers([definition.GetFieldDefn(i).GetName() for i in range(definition.GetFieldCount())])
    return headers, list(itertools.islice(_sheet_rows(layer), SAMPLE_ROWS))


def _sheet_rows(layer: Any) -> Iterator[list[Any]]:
    layer.ResetReading()
    while True:
        batch = _read_batch(layer, layer.GetName(), 0)
        yield from (list(feature.attributes.values()) for feature in batch if any(v is not None for v in feature.attributes.values()))
        if len(batch) < _BATCH:
            return
