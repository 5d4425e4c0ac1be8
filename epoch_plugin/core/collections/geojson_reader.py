"""GeoJSON (RFC 7946, also newline-delimited) read as a stream: one feature in memory at a time, numbers and names as written."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np

from epoch_plugin.core.collections.shapes import Ring, Shape, shape_wkb
from epoch_plugin.core.collections.source import SourceFeature
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.nesting import DEEPEST

_CHUNK = 1 << 20
_LARGEST_FEATURE = 400_000_000  # characters
_TAIL = 1 << 16
_SPACE = re.compile(r"[\s\x1e]*")  # 0x1e separates the records of RFC 8142
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


class _JsonStream:
    """Reads one JSON value after the other from a file that need not fit in memory."""

    def __init__(self, file: TextIO, name: str) -> None:
        self._file, self._name = file, name
        self._text, self._at, self._ended = "", 0, False
        self._decode = json.JSONDecoder().raw_decode
        self.done = 0  # complete features, for messages

    def _more(self) -> bool:
        if self._ended:
            return False
        rest = self._text[self._at :]
        try:
            new = self._file.read(max(_CHUNK, len(rest)))
        except UnicodeDecodeError as error:
            raise self.broken(f"the text is not UTF-8 (byte {error.start} of a block); save the file as UTF-8") from None
        self._ended = not new
        self._text, self._at = rest + new, 0
        return not self._ended

    def peek(self) -> str:
        """Return the next character that is not white space, or '' at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Skip the one character `wanted`; raise `InputError` if another follows."""
        found = self.peek()
        if found != wanted:
            raise self.broken(f"'{wanted}' expected, '{found}' found" if found else "the file ends early: it is truncated")
        self._at += 1

    def value(self) -> Any:
        """Return the JSON value that starts here."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                in_text = error.msg.startswith("Unterminated string")
                if (error.pos < len(self._text) - 64 and not in_text) or len(self._text) - self._at > _LARGEST_FEATURE:
                    raise self.broken(error.msg) from None
                if not self._more():
                    raise self.broken(f"{error.msg}; the file may be truncated") from None
                continue
            except RecursionError:
                raise self.broken("the values are nested too deeply") from None
            if end < len(self._text):
                self._at = end
                return value
            if not self._more():  # a number could go on in the next block; here nothing follows
                self._at = len(self._text)
                return value

    def broken(self, what: str) -> InputError:
        """Return the error for text that is not GeoJSON at this place."""
        return InputError(f"'{self._name}' is not valid GeoJSON after {self.done} complete features: {what}. Export the file again.")


def _open_text(path: str) -> TextIO:
    with open(path, "rb") as file:
        start = file.read(4)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return open(path, encoding=encoding)


def read_geojson(path: str) -> Iterator[SourceFeature]:
    """Yield the features of a FeatureCollection, a single Feature or geometry, or one Feature per line."""
    with _open_text(path) as file:
        stream = _JsonStream(file, os.path.basename(path))
        row = 0
        while stream.peek():
            for value in _objects(stream):
                row += 1
                stream.done = row
                yield _feature(row, value)
        if row == 0 and stream.done == 0 and os.path.getsize(path) == 0:
            raise InputError(f"'{os.path.basename(path)}' is empty.")


def _members(stream: _JsonStream) -> Iterator[str]:
    """Yield the member names of the object that starts here; the caller reads each value."""
    stream.take("{")
    if stream.peek() == "}":
        stream.take("}")
        return
    while True:
        if stream.peek() != '"':
            stream.take('"')
        name = stream.value()
        stream.take(":")
        yield name
        if stream.peek() != ",":
            break
        stream.take(",")
    stream.take("}")


def _objects(stream: _JsonStream) -> Iterator[Any]:
    """Yield the features of the top-level object that starts here."""
    members: dict[str, Any] = {}
    found = False
    for name in _members(stream):
        if name == "features" and stream.peek() == "[":
            found = True
            yield from _array(stream)
        else:
            members[name] = stream.value()
    kind = members.get("type")
    if found:
        return
    if kind == "Feature":
        yield members
    elif kind in _DEPTH or kind == "GeometryCollection":
        yield {"type": "Feature", "properties": {}, "geometry": members}
    elif kind == "Topology":
        raise stream.broken("this is TopoJSON; export it as GeoJSON")
    else:
        raise stream.broken(f"a FeatureCollection, a Feature or a geometry is expected, not an object of type {kind!r}")


def _array(stream: _JsonStream) -> Iterator[Any]:
    stream.take("[")
    if stream.peek() == "]":
        stream.take("]")
        return
    while True:
        yield stream.value()
        if stream.peek() != ",":
            break
        stream.take(",")
    stream.take("]")


def declared_crs(path: str) -> str | None:
    """Return the CRS of the old `crs` member (GeoJSON 2008), before or behind the features, or None."""
    with _open_text(path) as file:
        stream = _JsonStream(file, os.path.basename(path))
        for name in _members(stream):
            if name == "features":
                break
            value = stream.value()
            if name == "crs":
                return _crs_name(value, stream)
        else:
            return None
    return _crs_name(_tail_crs(path), stream)


def _tail_crs(path: str) -> Any:
    """Return the value of a `crs` member behind the features: found from the file's end, without reading the features."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - _TAIL))
        tail = file.read().decode("utf-8", "replace")
    for match in re.finditer(r"\]\s*,(\s*\"(?:\w+)\"\s*:)", tail):
        try:
            members = json.loads("{" + tail[match.start(1) :])
        except ValueError:
            continue
        except RecursionError:
            return {}  # names no CRS
        if isinstance(members, dict) and "crs" in members:
            return members["crs"]
    return None


def _crs_name(value: Any, stream: _JsonStream) -> str | None:
    if value is None:
        return None
    name = value.get("properties", {}).get("name") if isinstance(value, dict) and isinstance(value.get("properties"), dict) else None
    if not isinstance(name, str):
        raise stream.broken("its 'crs' member names no coordinate reference system; remove it if the coordinates are longitude and latitude")
    return name


def _feature(row: int, value: Any) -> SourceFeature:
    if not isinstance(value, dict):
        return SourceFeature(row, {}, None, "the entry is not a GeoJSON Feature")
    properties = value.get("properties")
    if properties is None:
        properties = {}
    elif not isinstance(properties, dict):
        properties = {"properties": properties}
    identifier = value.get("id")
    name = str(identifier) if isinstance(identifier, (str, int, float)) else None
    geometry = value.get("geometry")
    if geometry is None:
        return SourceFeature(row, properties, None, None, name)
    try:
        return SourceFeature(row, properties, geojson_wkb(geometry), None, name)
    except (ValueError, TypeError, OverflowError) as error:
        return SourceFeature(row, properties, None, f"the geometry cannot be read: {error}", name)


def geojson_wkb(geometry: Any) -> bytes:
    """Return WKB of a GeoJSON geometry object, broken rings kept as they are; raise ValueError or TypeError where it is no geometry."""
    shape = Shape()
    points: list[Ring] = []
    _collect(geometry, shape, points, DEEPEST)
    if points:
        shape.points = np.concatenate(points)
    return shape_wkb(shape) if not shape.empty else b"\x01\x07\x00\x00\x00\x00\x00\x00\x00"


def _collect(geometry: Any, shape: Shape, points: list[Ring], deepest: int) -> None:
    if not isinstance(geometry, dict):
        raise TypeError("it is not an object with 'type' and 'coordinates'")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        if not deepest:
            raise ValueError("collections are nested too deeply")
        for member in geometry.get("geometries") or []:
            _collect(member, shape, points, deepest - 1)
        return
    if kind not in _DEPTH:
        raise ValueError(f"unknown type {kind!r}")
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        raise TypeError("'coordinates' is not a list")
    if kind == "Point":
        points.extend([_positions([coordinates])] if coordinates else [])
    elif kind == "MultiPoint":
        points.append(_positions(coordinates))
    elif kind in ("LineString", "MultiLineString"):
        shape.lines += [_positions(line) for line in ([coordinates] if kind == "LineString" else coordinates)]
    else:
        polygons = [coordinates] if kind == "Polygon" else coordinates
        shape.polygons += [[_positions(ring) for ring in rings] for rings in polygons if rings]


def _positions(values: Any) -> Ring:
    """Return (n, 2) coordinates of a list of positions; further ordinates are dropped."""
    if not isinstance(values, list):
        raise TypeError("the coordinates are not nested as the type asks")
    if not values:
        return np.empty((0, 2))
    if isinstance(values[0], list) and len(values[0]) >= 2:
        with contextlib.suppress(ValueError):  # positions of different lengths
            array = np.array(values)
            if array.dtype.kind == "f" and array.ndim == 2:
                return np.array(array[:, :2], np.float64)
    pairs = [(p[0], p[1]) if isinstance(p, list) and len(p) >= 2 else _bad_position(p) for p in values]
    if any(isinstance(v, (list, dict, str, bool)) for pair in pairs for v in pair):
        raise ValueError("a coordinate is not a number, or the lists are nested deeper than the type asks")
    return np.array(pairs, np.float64)


def _bad_position(value: Any) -> Any:
    raise ValueError(f"the position {str(value)[:40]} has fewer than two numbers")
