"""What the datasets file says, as typed values: entries, their sources, masks and nodata rules. Nothing here opens a raster."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

from epoch_plugin.core.datasets.encodings import Encoding, MaskEncoding
from epoch_plugin.core.datasets.extra_stats import ExtraStat
from epoch_plugin.core.datasets.profiles import Profile
from epoch_plugin.core.datasets.roles import ROLES, is_detection


@dataclass(frozen=True)
class SourceRef:
    """One layer of an entry: its year (None = undated) and files. Without `combine` the files are tiles of one layer, with it each is a layer."""

    year: int | None
    files: tuple[str, ...]  # absolute paths, /vsi... paths, GDAL subdatasets; globs allowed
    combine: Literal["", "sum", "mean"] = ""
    band: int = 1
    vector: bool = False
    layer: str = ""
    where: str = ""
    value_field: str = ""


@dataclass(frozen=True)
class NodataRule:
    """Where the layer's nodata value comes from; `value` None = no value is no data (for "file" it is read from the file's tag)."""

    origin: Literal["entry", "profile", "file"]
    value: float | None = None
    answers: tuple[float, ...] = ()  # values that profile or entry name as `none`: a tag of the same value is decided


@dataclass(frozen=True)
class MaskRule:
    """A layer that limits an entry: where `encoding` says no, the entry has nothing; where it has no data, the entry has none."""

    source: SourceRef
    encoding: MaskEncoding
    nodata: NodataRule


@dataclass(frozen=True)
class Entry:
    """One element of `datasets`: a role bound to sources, with everything that decides what its values mean."""

    index: int  # 1-based position in the file
    line: int | None  # line of the file on which it starts
    role: str
    profile: Profile | None
    title: str
    encoding: Encoding  # a continuous one with scale None takes the file's: use open.encoding_of(entry, layer)
    nodata: NodataRule
    sources: tuple[SourceRef, ...]  # by year, ascending
    years: tuple[int, int] | None = None  # first and last year of the record
    year: int | None = None  # the year of a mask; None = undated
    until: dt.date | None = None  # last day of the record of dated alerts
    unit: str = ""
    mask: MaskRule | None = None
    themes: tuple[str, ...] = ()
    theme: str = ""
    stats: tuple[ExtraStat, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict, compare=False, hash=False, repr=False)

    @property
    def detection(self) -> bool:
        """Tell whether the entry is a detection system."""
        return is_detection(self.role, self.theme)

    @property
    def extra(self) -> bool:
        """Tell whether the entry is an extra zonal statistic: a role that METHODS does not know, with `stats`."""
        return self.role not in ROLES and not self.detection and bool(self.stats)

    @property
    def series(self) -> bool:
        """Tell whether the entry is a yearly series: its sources state the cover of a year, not the date of an event."""
        return self.encoding.kind in ("mask", "classes") and self.detection

    @property
    def bound_years(self) -> tuple[int, ...]:
        """Years that have a source of their own, ascending."""
        return tuple(ref.year for ref in self.sources if ref.year is not None)

    def source_of(self, year: int) -> SourceRef | None:
        """Return the source of one year, None where the year is not bound."""
        return next((ref for ref in self.sources if ref.year == year), None)

    @property
    def label(self) -> str:
        """How messages name the entry."""
        line = f", line {self.line}" if self.line else ""
        return f"entry {self.index} ('{self.role}'{line})"
