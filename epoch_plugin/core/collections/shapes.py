"""Well-known binary to plain coordinate arrays and back, tolerant where GEOS is not: broken rings must be reported, not lost."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Ring = npt.NDArray[np.float64]  # (n, 2): x, y
Polygons = list[list[Ring]]  # polygons of rings, the outer ring first

_CURVES = {8, 9, 10, 11, 12, 13, 14}
_NAMES = {15: "PolyhedralSurface", 16: "TIN", 17: "Triangle"}


_NO_POINTS: Ring = np.empty((0, 2))  # shared: most shapes have none


def _no_points() -> Ring:
    return _NO_POINTS


@dataclass
class Shape:
    """A geometry taken apart: nested collections are flattened, Z and M are dropped."""

    polygons: Polygons = field(default_factory=list)
    points: Ring = field(default_factory=_no_points)
    lines: list[Ring] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # names of surface types that are neither
    collection: bool = False

    def arrays(self) -> Iterator[Ring]:
        """Yield every coordinate array, in a fixed order."""
        for polygon in self.polygons:
            yield from polygon
        yield self.points
        yield from self.lines

    def replaced(self, arrays: Iterable[Ring]) -> Shape:
        """Return the same structure with the coordinates of `arrays`, in the order of `arrays()`."""
        new = iter(arrays)
        polygons = [[next(new) for _ in polygon] for polygon in self.polygons]
        points = next(new)
        return Shape(polygons, points, [next(new) for _ in self.lines], self.others, self.collection)

    @property
    def empty(self) -> bool:
        """Tell whether there is no coordinate at all."""
        return not self.others and sum(len(a) for a in self.arrays()) == 0


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def header(self) -> tuple[str, int, int]:
        """Return byte order, base type 1..17, and ordinates per vertex of the geometry that starts here."""
        order = ">" if self.data[self.at] == 0 else "<"
        (code,) = struct.unpack_from(order + "I", self.data, self.at + 1)
        self.at += 5
        if code & 0x20000000:  # EWKB with SRID
            self.at += 4
        flags = (code >> 31 & 1) + (code >> 30 & 1)
        plain = code & 0x0FFFFFFF
        return order, plain % 1000, 2 + flags + (0, 1, 1, 2)[plain // 1000 % 4]

    def count(self, order: str) -> int:
        (number,) = struct.unpack_from(order + "I", self.data, self.at)
        self.at += 4
        return int(number)

    def coordinates(self, order: str, number: int, width: int) -> Ring:
        values: Any = np.frombuffer(self.data, order + "f8", number * width, self.at).reshape(number, width)
        self.at += 8 * number * width
        return np.array(values[:, :2], np.float64)


def parse_wkb(wkb: bytes) -> Shape:
    """Take WKB (ISO or EWKB, any nesting) apart; curves are linearised by GDAL; raise ValueError where it cannot be read."""
    shape = Shape()
    points: list[Ring] = []
    try:
        reader = _Reader(wkb)
        _read(reader, shape, points)
    except (struct.error, IndexError, ValueError, RecursionError) as error:
        raise ValueError(f"the geometry's bytes cannot be read ({error})") from None
    except _CurveError:
        return parse_wkb(_linearised(wkb))
    if points:
        shape.points = np.concatenate(points)
    return shape


class _CurveError(Exception):
    pass


def _read(reader: _Reader, shape: Shape, points: list[Ring]) -> None:
    order, kind, width = reader.header()
    if kind == 1:
        point = reader.coordinates(order, 1, width)
        if not np.isnan(point).all():  # WKB writes POINT EMPTY as NaN NaN
            points.append(point)
    elif kind == 2:
        shape.lines.append(reader.coordinates(order, reader.count(order), width))
    elif kind == 3:
        rings = [reader.coordinates(order, reader.count(order), width) for _ in range(reader.count(order))]
        if rings and sum(map(len, rings)):
            shape.polygons.append(rings)
    elif kind in (4, 5, 6, 7):
        shape.collection = shape.collection or kind == 7
        for _ in range(reader.count(order)):
            _read(reader, shape, points)
    elif kind in _CURVES:
        raise _CurveError
    elif kind in _NAMES:
        shape.others.append(_NAMES[kind])
        _skip_rest(reader)
    else:
        raise ValueError(f"unknown geometry type {kind}")


def _skip_rest(reader: _Reader) -> None:
    """Skip the rest: a surface of an unsupported kind makes the whole feature unusable."""
    reader.at = len(reader.data)


def _linearised(wkb: bytes) -> bytes:
    from osgeo import ogr

    geometry = ogr.CreateGeometryFromWkb(wkb)
    if geometry is None:
        raise ValueError("the curved geometry cannot be read")
    return bytes(geometry.GetLinearGeometry().ExportToWkb(ogr.wkbNDR))


def closed(ring: Ring) -> Ring:
    """Return the ring with its first vertex repeated at the end, if it is not there yet."""
    return ring if len(ring) == 0 or (ring[0] == ring[-1]).all() else np.concatenate([ring, ring[:1]])


def polygon_wkb(rings: Sequence[Ring]) -> bytes:
    """Return little-endian WKB of one polygon."""
    parts = [struct.pack("<BII", 1, 3, len(rings))]
    for ring in rings:
        parts += [struct.pack("<I", len(ring)), np.ascontiguousarray(ring, "<f8").tobytes()]
    return b"".join(parts)


def multipolygon_wkb(polygons: Polygons) -> bytes:
    """Return little-endian WKB of a multipolygon."""
    return struct.pack("<BII", 1, 6, len(polygons)) + b"".join(polygon_wkb(rings) for rings in polygons)


def point_wkb(lon: float, lat: float) -> bytes:
    """Return little-endian WKB of a point."""
    return struct.pack("<BIdd", 1, 1, lon, lat)


def shape_wkb(shape: Shape) -> bytes:
    """Return little-endian WKB of whatever the shape holds: one geometry if it is of one kind, else a collection."""
    members = [polygon_wkb(rings) for rings in shape.polygons]
    members += [point_wkb(float(x), float(y)) for x, y in shape.points]
    members += [struct.pack("<BII", 1, 2, len(line)) + np.ascontiguousarray(line, "<f8").tobytes() for line in shape.lines]
    if len(members) == 1:
        return members[0]
    kinds = [code for code, present in ((6, shape.polygons), (4, len(shape.points)), (5, shape.lines)) if present]
    return struct.pack("<BII", 1, kinds[0] if len(kinds) == 1 else 7, len(members)) + b"".join(members)


def shape_wkt(shape: Shape) -> str:
    """Return WKT of whatever the shape holds, broken rings and NaN included, for people to look at."""
    parts = []
    if shape.polygons:
        polygons = ["(" + ",".join(_wkt_ring(r) for r in rings) + ")" for rings in shape.polygons]
        parts.append(f"POLYGON{polygons[0]}" if len(polygons) == 1 else f"MULTIPOLYGON({','.join(polygons)})")
    if len(shape.points):
        parts.append(f"POINT{_wkt_ring(shape.points)}" if len(shape.points) == 1 else f"MULTIPOINT{_wkt_ring(shape.points)}")
    lines = [_wkt_ring(line) for line in shape.lines if len(line)]
    if lines:
        parts.append(f"LINESTRING{lines[0]}" if len(lines) == 1 else f"MULTILINESTRING({','.join(lines)})")
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 else f"GEOMETRYCOLLECTION({','.join(parts)})"


def _wkt_ring(ring: Ring) -> str:
    return "(" + ",".join(f"{x!r} {y!r}" for x, y in ring.tolist()) + ")"
