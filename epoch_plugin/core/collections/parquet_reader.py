"""GeoParquet 0.1 to 1.1 through pyarrow: WKB and the native (GeoArrow) encodings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from epoch_plugin.core.collections.shapes import Ring, Shape, shape_wkb
from epoch_plugin.core.collections.source import SourceFeature
from epoch_plugin.core.errors import InputError, MissingLibraryError
from epoch_plugin.core.nesting import json_value

_BATCH = 1000
_NATIVE_DEPTH = {"point": 0, "linestring": 1, "multipoint": 1, "polygon": 2, "multilinestring": 2, "multipolygon": 3}
_USUAL_NAMES = ("geometry", "geom", "wkb_geometry", "wkb", "the_geom")


@dataclass(frozen=True)
class ParquetGeometry:
    """The geometry column, its encoding, its CRS (None: unknown), and columns that only repeat it (bounding boxes)."""

    column: str
    encoding: str
    crs: str | None
    covering: tuple[str, ...]


def _open(path: str) -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingLibraryError(
            "GeoParquet needs the Python library pyarrow, which this Python does not have. Install it into QGIS's Python "
            "(python -m pip install pyarrow), or save the plots as GeoPackage or GeoJSON."
        ) from None
    try:
        return parquet.ParquetFile(path)
    except (ValueError, OSError) as error:  # pyarrow's own errors derive from these
        raise InputError(f"'{os.path.basename(path)}' is not a readable Parquet file ({error}). It may be truncated: export it again.") from None


def describe_parquet(path: str) -> ParquetGeometry:
    """Return what the file's metadata says of its geometry; raise `InputError` if it holds none."""
    file = _open(path)
    raw = (file.metadata.metadata or {}).get(b"geo")
    try:
        geo = json_value(raw) if raw else {}
    except ValueError as error:
        raise InputError(f"'{os.path.basename(path)}': its 'geo' metadata is not JSON ({error}). Export it again.") from None
    schema = file.schema_arrow
    column = geo.get("primary_column") or next((n for n in _USUAL_NAMES if n in schema.names), "")
    if column not in schema.names:
        raise InputError(f"'{os.path.basename(path)}' has no geometry column. Its columns are: {', '.join(schema.names)}.")
    told = geo.get("columns", {}).get(column, {})
    encoding = str(told.get("encoding", "WKB"))
    if encoding.upper() != "WKB" and encoding.lower() not in _NATIVE_DEPTH:
        raise InputError(f"'{os.path.basename(path)}': geometry encoding '{encoding}' is unknown. Export it with WKB.")
    boxes = {path_[0] for box in told.get("covering", {}).values() for path_ in box.values() if isinstance(path_, list) and path_}
    # the specification: no `crs` key means OGC:CRS84, an explicit null means unknown; a file without `geo` says nothing
    crs = _crs_text(told["crs"]) if "crs" in told else ("OGC:CRS84" if geo else None)
    return ParquetGeometry(column, encoding, crs, tuple(sorted(boxes)))


def _crs_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value
    identity = value.get("id") or {}
    if identity.get("authority") in ("EPSG", "OGC") and identity.get("code"):
        return f"{identity['authority']}:{identity['code']}"
    return json.dumps(value)


def read_parquet(path: str, geometry: ParquetGeometry) -> Iterator[SourceFeature]:
    """Yield the rows of the file, a batch in memory at a time."""
    name = os.path.basename(path)
    file = _open(path)
    row = 0
    batches = file.iter_batches(batch_size=_BATCH)
    while True:
        try:
            batch = next(batches, None)
        except (ValueError, OSError) as error:
            raise InputError(f"'{name}' breaks off after {row} features ({error}). Export the file again.") from None
        if batch is None:
            return
        for attributes in batch.to_pylist():
            row += 1
            value = attributes.pop(geometry.column)
            for box in geometry.covering:
                attributes.pop(box, None)
            yield _feature(row, attributes, value, geometry.encoding)


def _feature(row: int, attributes: dict[str, Any], value: Any, encoding: str) -> SourceFeature:
    if value is None:
        return SourceFeature(row, attributes)
    if encoding.upper() == "WKB":
        return SourceFeature(row, attributes, bytes(value))
    try:
        return SourceFeature(row, attributes, _native_wkb(value, encoding.lower()))
    except (ValueError, TypeError, KeyError) as error:
        return SourceFeature(row, attributes, None, f"the geometry cannot be read: {error}")


def _native_wkb(value: Any, encoding: str) -> bytes:
    shape = Shape()
    if encoding == "point":
        shape.points = _coordinates([value])
    elif encoding == "multipoint":
        shape.points = _coordinates(value)
    elif "linestring" in encoding:
        shape.lines = [_coordinates(line) for line in (value if encoding.startswith("multi") else [value])]
    else:
        polygons = value if encoding.startswith("multi") else [value]
        shape.polygons = [[_coordinates(ring) for ring in rings] for rings in polygons if rings]
    return shape_wkb(shape) if not shape.empty else b"\x01\x07\x00\x00\x00\x00\x00\x00\x00"


def _coordinates(values: Any) -> Ring:
    """Return (n, 2) of separated {x, y} or interleaved [x, y] coordinates."""
    pairs = [(v["x"], v["y"]) if isinstance(v, dict) else (v[0], v[1]) for v in values]
    return np.array(pairs, np.float64).reshape(-1, 2)
