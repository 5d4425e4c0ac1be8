"""Where plots come from, before anything is judged: features as their file or layer holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class SourceFeature:
    """One feature or table row: `geometry` is WKB in the source's CRS, `problem` says why there is none although there should be."""

    row: int  # 1-based
    attributes: dict[str, Any] = field(default_factory=dict)
    geometry: bytes | None = None
    problem: str | None = None
    feature_id: str | None = None  # an id outside the attributes (GeoJSON's `id` member)


@dataclass
class PlotSource:
    """A stream of features; `crs` is what the source itself declares, `default_crs` what its format defines without a declaration."""

    name: str
    crs: str | None  # WKT or "EPSG:n"
    features: Iterable[SourceFeature]
    sha256: str | None = None
    default_crs: str | None = None


class Reopened(Iterable[SourceFeature]):
    """Features of a file that is opened anew for every pass."""

    def __init__(self, start: Callable[[], Iterator[SourceFeature]]) -> None:
        self._start = start

    def __iter__(self) -> Iterator[SourceFeature]:
        """Start a pass."""
        return self._start()
