"""What a fetch gives: fields, a stream of features, two counts and the warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Field:
    """One field of the result; `type` is a column type of the store (TEXT, JSON, INTEGER, REAL, DATE, DATETIME)."""

    name: str
    type: str
    alias: str = ""
    unit: str = ""


class Feature(NamedTuple):
    """One feature: `polygon` is WKB MULTIPOLYGON and `source` the uploaded shape's WKB (None if equal), both EPSG:4326.

    `properties` has a value per field: JSON fields hold JSON text, dates timestamps with offset, what is not known None.
    """

    uuid: str | None
    polygon: bytes
    source: bytes | None
    properties: dict[str, Any]


@dataclass
class FetchResult:
    """The answer to a request; `features` can be read once and holds one snapshot of the store until read to its end or closed.

    `count` features are returned out of `matched` plots. `layer_fields` and `layer_properties` are what a layer shows:
    the same as `fields` and a feature's properties, or flattened where that was asked for.
    """

    fields: tuple[Field, ...]
    features: Iterator[Feature]
    count: int
    matched: int
    warnings: tuple[str, ...]
    layer_fields: tuple[Field, ...]
    layer_properties: Callable[[Feature], dict[str, Any]]
    close: Callable[[], None]

    def __enter__(self) -> FetchResult:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
