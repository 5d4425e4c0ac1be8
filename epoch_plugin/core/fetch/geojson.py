"""WKB as GeoJSON text."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from epoch_plugin.core.fetch.shortest_decimals import WIDTH, Floats, Words, as_words, write_numbers

_NAMES = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon", 7: "GeometryCollection"}


_VERTICES = 8_000  # written together: what is in between stays in the processor's cache
_RING_END = "|"
_COMMA, _NEXT, _NEXT_RING = as_words([",", "],[", _RING_END])


def geometry_texts(wkbs: Sequence[bytes]) -> list[str]:
    """Return the `geometry_text` of each WKB geometry; the coordinates of plain polygons are written all at once."""
    plain = [_plain_polygons(wkb) for wkb in wkbs]
    rings = iter(_ring_texts([ring for polygons in plain for polygon in polygons for ring in polygon]))
    texts = []
    for wkb, polygons in zip(wkbs, plain):
        parts = [f"[{','.join([next(rings) for _ in polygon])}]" for polygon in polygons]
        if len(parts) == 1:
            texts.append(f'{{"type":"Polygon","coordinates":{parts[0]}}}')
        elif parts:
            texts.append(f'{{"type":"MultiPolygon","coordinates":[{",".join(parts)}]}}')
        else:
            texts.append(geometry_text(wkb))
    return texts


def _plain_polygons(wkb: bytes) -> list[list[bytes]]:
    """Return the coordinates of the rings of every part of a little-endian 2D POLYGON or MULTIPOLYGON; nothing of any other geometry."""
    order, kind, parts = struct.unpack_from("<BII", wkb) if len(wkb) > 9 else (0, 0, 0)
    if order != 1 or kind not in (3, 6):
        return []
    offset, parts = (0, 1) if kind == 3 else (9, parts)
    polygons = []
    for _ in range(parts):
        _, _, rings = struct.unpack_from("<BII", wkb, offset)
        if wkb[offset : offset + 5] != b"\1\3\0\0\0" or not rings:
            return []
        offset += 9
        polygon = []
        for _ in range(rings):
            (vertices,) = struct.unpack_from("<I", wkb, offset)
            end = offset + 4 + 16 * vertices
            if not vertices or end > len(wkb):
                return []
            polygon.append(wkb[offset + 4 : end])
            offset = end
        polygons.append(polygon)
    return polygons


def _ring_texts(rings: Sequence[bytes]) -> list[str]:
    """Return `[[x,y],...]` of rings given as pairs of little-endian doubles."""
    if not rings:
        return []
    vertices: Floats = np.frombuffer(b"".join(rings), "<f8").reshape(-1, 2)
    if not np.isfinite(vertices).all():
        raise ValueError("a coordinate is not a finite number")
    behind = np.full(len(vertices), _NEXT)
    behind[np.cumsum([len(ring) // 16 for ring in rings]) - 1] = _NEXT_RING
    pieces = [slice(first, first + _VERTICES) for first in range(0, len(vertices), _VERTICES)]
    text = b"".join([_vertex_text(vertices[piece], behind[piece]) for piece in pieces]).decode("ascii")
    return [f"[[{ring}]]" for ring in text.removesuffix(_RING_END).split(_RING_END)]


def _vertex_text(vertices: Floats, behind: Words) -> bytes:
    """Return `x,y` of all vertices joined, each with its word behind it."""
    cells: Words = np.empty((len(vertices), 2 * WIDTH + 2), np.uint32)
    cells[:, WIDTH], cells[:, -1] = _COMMA, behind
    write_numbers(np.ascontiguousarray(vertices[:, 0]), cells[:, :WIDTH])
    write_numbers(np.ascontiguousarray(vertices[:, 1]), cells[:, WIDTH + 1 : -1])
    return cells.tobytes().translate(None, b"\0")


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
