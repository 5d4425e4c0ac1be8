"""What identifies a plot and a collection: hash, collection id, uuid (contract, section Store)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

from epoch_plugin.core.collections.canonical_text import point_text, polygon_texts
from epoch_plugin.core.collections.keccak import keccak256
from epoch_plugin.core.collections.shapes import parse_wkb


def canonical_text(wkb: bytes) -> str:
    """Return the canonical text of a point or (multi)polygon given as WKB in EPSG:4326; raise ValueError for anything else."""
    shape = parse_wkb(wkb)
    if shape.others or shape.lines or bool(shape.polygons) == bool(len(shape.points)) or len(shape.points) > 1:
        raise ValueError("a canonical text exists for one point or for polygons")
    if shape.polygons:
        return polygon_texts([shape.polygons])[0]
    return point_text(float(shape.points[0, 0]), float(shape.points[0, 1]))


def geometry_hash(texts: Sequence[str]) -> list[str]:
    """Return `0x` + Keccak-256 of the UTF-8 bytes of each canonical text."""
    return ["0x" + digest for digest in keccak256([text.encode() for text in texts])]


class CollectionIdBuilder:
    """Takes plots in file order and gives the collection's id: SHA-256 over name, plot ids, shapes and attributes."""

    def __init__(self, collection_name: str) -> None:
        self._sha = hashlib.sha256(f"{collection_name}\n".encode("utf-8", "surrogatepass"))

    def add(self, plotid: str, text: str, metadata: str) -> None:
        """Take the next plot; `metadata` is JSON with sorted keys."""
        self._sha.update(f"{plotid}\t{text}\t{metadata}\n".encode("utf-8", "surrogatepass"))

    @property
    def collection_id(self) -> str:
        """Return `0x` and 64 hexadecimal digits for the plots taken so far."""
        return "0x" + self._sha.hexdigest()


def plot_uuid(collection_id: str, position: int, text: str) -> str:
    """Return the UUIDv5 of the plot at the 1-based `position` among the stored plots of a collection."""
    namespace = uuid.UUID(bytes=bytes.fromhex(collection_id.removeprefix("0x"))[:16])
    return str(uuid.uuid5(namespace, f"{position}\t{text}"))
