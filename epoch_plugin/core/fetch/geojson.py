"""WKB as GeoJSON text."""

from __future__ import annotations

import struct

_NAMES = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon", 7: "GeometryCollection"}


def geometry_text(wkb: bytes) -> str:
    """Return the GeoJSON text of a WKB geometry, every digit kept; a MULTIPOLYGON of one part becomes a Polygon, M values are dropped.

    Raises ValueError on a type that GeoJSON does not know or a coordinate that is no number.
    """
    kind, text, _ = _geometry(wkb, 0)
    if kind == 6 and struct.unpack_from("<I" if wkb[0] else ">I", wkb, 5)[0] == 1:
        kind, text = 3, text[1:-1]
    if kind == 7:
        return text
    if "n" in text:  # nan, inf
        raise ValueError("a coordinate is not a finite number")
    return f'{{"type":"{_NAMES[kind]}","coordinates":{text}}}'


def _geometry(wkb: bytes, offset: int) -> tuple[int, str, int]:
    """Return type, coordinates (for a collection: the whole object) and the offset behind the geometry."""
    order = "<" if wkb[offset] else ">"
    (code,) = struct.unpack_from(order + "I", wkb, offset + 1)
    has_z, has_m = bool(code & 0x80000000), bool(code & 0x40000000)
    code &= 0x0FFFFFFF
    has_z, has_m = has_z or code // 1000 in (1, 3), has_m or code // 1000 in (2, 3)
    kind, size = code % 1000, 2 + has_z + has_m
    if kind not in _NAMES:
        raise ValueError(f"GeoJSON knows no geometry of WKB type {code}")
    offset += 5
    if kind == 1:
        return kind, _points(wkb, offset, 1, order, size, has_z), offset + 8 * size
    (count,) = struct.unpack_from(order + "I", wkb, offset)
    offset += 4
    if kind == 2:
        return kind, f"[{_points(wkb, offset, count, order, size, has_z)}]", offset + 8 * size * count
    parts = []
    for _ in range(count):
        if kind == 3:
            (points,) = struct.unpack_from(order + "I", wkb, offset)
            parts.append(f"[{_points(wkb, offset + 4, points, order, size, has_z)}]")
            offset += 4 + 8 * size * points
        else:
            part_kind, text, offset = _geometry(wkb, offset)
            parts.append(f'{{"type":"{_NAMES[part_kind]}","coordinates":{text}}}' if kind == 7 and part_kind != 7 else text)
    joined = f"[{','.join(parts)}]"
    return kind, f'{{"type":"GeometryCollection","geometries":{joined}}}' if kind == 7 else joined, offset


def _points(wkb: bytes, offset: int, count: int, order: str, size: int, has_z: bool) -> str:
    numbers = struct.unpack_from(f"{order}{count * size}d", wkb, offset)
    if has_z:
        return ",".join([f"[{x!r},{y!r},{z!r}]" for x, y, z in zip(numbers[0::size], numbers[1::size], numbers[2::size])])
    return ",".join([f"[{x!r},{y!r}]" for x, y in zip(numbers[0::size], numbers[1::size])])
