"""What identifies a plot and a collection: hash, collection id, uuid (contract, section Store)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

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
    return next(plot_uuids(collection_id, [text], position))


def plot_uuids(collection_id: str, texts: Iterable[str], first: int) -> Iterator[str]:
    """Yield the UUIDv5 of plots that follow each other, the first at the 1-based position `first`; RFC 9562, sections 5.5 and 4."""
    namespace = hashlib.sha1(bytes.fromhex(collection_id.removeprefix("0x"))[:16], usedforsecurity=False)
    for position, text in enumerate(texts, start=first):
        sha = namespace.copy()
        sha.update(f"{position}\t{text}".encode())
        digits = sha.hexdigest()
        variant = "89ab"[int(digits[16], 16) & 3]
        yield f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
