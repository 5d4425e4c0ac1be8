"""GeoPackage geometry blobs: WKB in, blob with envelope out, and the SQL functions that the R-tree triggers call."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence

from epoch_plugin.core.errors import StoreError

SRS_ID = 4326
_MULTIPOLYGON = 6
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_HEADER = struct.Struct("<2sBBi4d")
_FLAGS_XY_ENVELOPE_LITTLE_ENDIAN = 0b0000_0011

Envelope = tuple[float, float, float, float]


def multipolygon_blob(wkb: bytes) -> bytes:
    """Return the GeoPackage blob of a WKB MULTIPOLYGON (2D, EPSG:4326); raise `StoreError` for anything else."""
    kind, envelope = _type_and_envelope(wkb)
    if kind != _MULTIPOLYGON or envelope is None:
        raise StoreError(f"The store keeps plots as non-empty 2D MULTIPOLYGON; got WKB type {kind}{' (empty)' if envelope is None else ''}.")
    min_x, min_y, max_x, max_y = envelope
    return _HEADER.pack(b"GP", 0, _FLAGS_XY_ENVELOPE_LITTLE_ENDIAN, SRS_ID, min_x, max_x, min_y, max_y) + wkb


def multipolygon_blobs(wkbs: Sequence[bytes | None]) -> list[bytes | None]:
    """Return `multipolygon_blob` of each, None for None."""
    return [None if wkb is None else multipolygon_blob(wkb) for wkb in wkbs]


def blob_wkb(blob: bytes) -> bytes:
    """Return the WKB inside a GeoPackage blob."""
    return blob[8 + _ENVELOPE_BYTES[(blob[3] >> 1) & 7] :]


def blob_envelope(blob: bytes) -> Envelope | None:
    """Return (min x, min y, max x, max y) of a GeoPackage blob; None if it is empty."""
    flags = blob[3]
    if flags & 0b0001_0000:
        return None
    if (flags >> 1) & 7:
        min_x, max_x, min_y, max_y = struct.unpack_from("<4d" if flags & 1 else ">4d", blob, 8)
        return min_x, min_y, max_x, max_y
    return _type_and_envelope(blob_wkb(blob))[1]


def outer_rings(wkb: bytes) -> Iterator[tuple[float, ...]]:
    """Yield the outer ring of every part of a WKB MULTIPOLYGON (2D) as x, y, x, y, ..."""
    (parts,) = struct.unpack_from("<I" if wkb[0] else ">I", wkb, 5)
    offset = 9
    for _part in range(parts):
        order = "<" if wkb[offset] else ">"
        (rings,) = struct.unpack_from(order + "I", wkb, offset + 5)
        offset += 9
        for ring in range(rings):
            (points,) = struct.unpack_from(order + "I", wkb, offset)
            if ring == 0:
                yield struct.unpack_from(f"{order}{2 * points}d", wkb, offset + 4)
            offset += 4 + 16 * points


def _type_and_envelope(wkb: bytes) -> tuple[int, Envelope | None]:
    (kind,) = struct.unpack_from("<I" if wkb[0] else ">I", wkb, 1)
    if kind != _MULTIPOLYGON:
        return kind, None
    # holes lie inside the outer ring
    boxes = [(min(ring[0::2]), min(ring[1::2]), max(ring[0::2]), max(ring[1::2])) for ring in outer_rings(wkb) if ring]
    if not boxes:
        return kind, None
    west, south, east, north = zip(*boxes)
    return kind, (min(west), min(south), max(east), max(north))


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the `ST_` functions that the standard R-tree triggers call."""

    def corner(position: int) -> Callable[[bytes | None], float | None]:
        def value(blob: bytes | None) -> float | None:
            envelope = None if blob is None else blob_envelope(blob)
            return None if envelope is None else envelope[position]

        return value

    def is_empty(blob: bytes | None) -> int | None:
        return None if blob is None else int(blob_envelope(blob) is None)

    connection.create_function("ST_IsEmpty", 1, is_empty, deterministic=True)
    for name, position in (("ST_MinX", 0), ("ST_MinY", 1), ("ST_MaxX", 2), ("ST_MaxY", 3)):
        connection.create_function(name, 1, corner(position), deterministic=True)
