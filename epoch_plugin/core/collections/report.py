"""What staging did with every feature: for the analyst as JSON, for the supplier as a table."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_LISTED = 1000  # entries per list in the report; counts are always complete


@dataclass(frozen=True)
class BadFeature:
    """A feature that is no plot: where it is in the source, why, and where on Earth to look (degrees, if known)."""

    row: int
    plotid: str
    reason: str
    reason_code: str
    lon: float | None
    lat: float | None
    wkt: str


@dataclass
class StageReport:
    """Fills while `canonical_plots` runs; complete when its iterator ends."""

    source_name: str = ""
    source_sha256: str | None = None
    source_crs: str = ""
    transformation: str = ""
    transformation_accuracy_m: float | None = None
    plot_id_field: str | None = None
    point_area_ha: float | None = None
    fix_geometries: bool = False
    read: int = 0
    stored: int = 0
    rejected: int = 0
    rejected_reasons: Counter[str] = field(default_factory=Counter)
    points: int = 0
    mended_count: int = 0
    mended: list[dict[str, Any]] = field(default_factory=list)
    split_count: int = 0
    split: list[str] = field(default_factory=list)
    assumed_areas_count: int = 0
    assumed_areas: list[str] = field(default_factory=list)
    duplicate_plotids_count: int = 0
    duplicate_plotids: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, name: str, entry: Any) -> None:
        """Count an entry of `mended`, `split`, `assumed_areas` or `duplicate_plotids`, and list it while the list is short."""
        setattr(self, f"{name}_count", getattr(self, f"{name}_count") + 1)
        entries = getattr(self, name)
        if len(entries) < _LISTED:
            entries.append(entry)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return dataclasses.asdict(self) | {"rejected_reasons": dict(sorted(self.rejected_reasons.items()))}


def bad_features_csv(features: Iterable[BadFeature]) -> str:
    """Return the rejected features as CSV text that can go back to the supplier."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["row", "plotid", "reason_code", "reason", "longitude", "latitude", "wkt"])
    for bad in features:
        # a plot id that a spreadsheet would take for a formula is written as text
        plotid = "'" + bad.plotid if bad.plotid.startswith(("=", "+", "@")) else bad.plotid
        writer.writerow([bad.row, plotid, bad.reason_code, bad.reason, bad.lon, bad.lat, bad.wkt])
    return text.getvalue()
