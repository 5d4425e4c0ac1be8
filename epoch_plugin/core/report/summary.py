"""A collection's deforestation check added up for a reader: what was seen, what was not, and what it rests on."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from epoch_plugin.core.fetch.request import FetchRequest
from epoch_plugin.core.fetch.run import fetch
from epoch_plugin.core.report.background import SourceLayer, source_layers
from epoch_plugin.core.report.comparison import Comparison, compare
from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.store import Store

CRITICAL, NON_CRITICAL, NONE_DETECTED, NOT_ASSESSED = "critical", "non-critical", "no deforestation", ""
CONFIDENCES = ("high", "medium", "low")
LISTED = 10  # plots named in a report


@dataclass(frozen=True)
class PlotResult:
    """One plot as a map and a list show it; `alert` is '' where it was not assessed, areas are ha, `polygon` WKB in EPSG:4326."""

    plotid: str
    polygon: bytes
    area: float
    alert: str
    confidence: str
    noncompliance_ha: float | None
    since: str
    reasons: tuple[str, ...]


@dataclass
class Summary:
    """Sums over the plots of one collection and window; personal data (metadata) is left out on purpose."""

    collection: CollectionRow
    start: str = ""
    end: str = ""
    plots: list[PlotResult] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)
    alert_area: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # ha of plots
    confidences: Counter[tuple[str, str]] = field(default_factory=Counter)  # (confidence, alert) of detections
    assessed_ends: Counter[str] = field(default_factory=Counter)  # of assessed plots
    unknown_reasons: Counter[str] = field(default_factory=Counter)  # of plots that were not assessed
    reasons: Counter[str] = field(default_factory=Counter)  # of assessed plots
    critical_ha: float = 0.0
    detected_ha: float = 0.0
    annual: dict[int, float | None] = field(default_factory=dict)
    sources: list[SourceLayer] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    comparison: Comparison = field(default_factory=Comparison)

    @property
    def area(self) -> float:
        """Area of all plots, ha."""
        return sum(plot.area for plot in self.plots)

    @property
    def assessed(self) -> int:
        """Plots with an alert."""
        return len(self.plots) - self.alerts[NOT_ASSESSED]

    @property
    def assessed_end(self) -> str:
        """The earliest day up to which an assessed plot was looked at; '' if none was."""
        return min(self.assessed_ends, default="")

    def worst(self) -> list[PlotResult]:
        """Return the critical plots with the largest areas, at most `LISTED`."""
        found = [plot for plot in self.plots if plot.alert == CRITICAL]
        return sorted(found, key=lambda plot: (-(plot.noncompliance_ha or 0.0), plot.plotid))[:LISTED]


def summarise(store: Store, collection: str, start: str | None = None, end: str | None = None) -> Summary:
    """Add up a collection's stored deforestation check; without a window the newest one, as in a fetch.

    Raises `NotFoundError` for an unknown collection; plots without any result count as not assessed (`not_processed`).
    """
    with store.reading() as connection:
        summary = Summary(collections.find(connection, collection))
    used: Counter[str] = Counter()
    with fetch(store, FetchRequest(collection=summary.collection.collection_id, start=start, end=end, limit=0)) as result:
        summary.warnings = result.warnings
        for feature in result.features:
            _add(summary, feature.polygon, feature.properties)
            used[feature.properties["job_id"] or ""] += 1
    summary.comparison = compare(store, summary.collection.collection_id, start, end)
    used.pop("", None)
    if used:
        with store.reading() as connection:
            summary.provenance = jobs.get(connection, used.most_common(1)[0][0]).provenance or {}
        summary.sources = source_layers(summary.provenance.get("sources", []))
    return summary


def _add(summary: Summary, polygon: bytes, values: Mapping[str, Any]) -> None:
    alert, confidence = values["deforestation_alert"] or NOT_ASSESSED, values["deforestation_confidence"] or ""
    reasons = tuple(item["code"] for item in json.loads(values["reasons"] or "[]"))
    plot = PlotResult(
        values["plotid"], polygon, values["area"], alert, confidence, values["noncompliance_area"], (values["deforestation_start"] or "")[:4], reasons
    )  # fmt: skip
    summary.plots.append(plot)
    summary.alerts[alert] += 1
    summary.alert_area[alert] += plot.area
    (summary.reasons if alert else summary.unknown_reasons).update(reasons)
    summary.start = max(summary.start, (values["monitoring_start"] or "")[:10])
    summary.end = max(summary.end, (values["monitoring_end"] or "")[:10])
    if alert:
        summary.assessed_ends[(values["assessed_end"] or "")[:10]] += 1
    if confidence in CONFIDENCES:
        summary.confidences[confidence, alert] += 1
    if alert == CRITICAL:
        summary.critical_ha += plot.noncompliance_ha or 0.0
    summary.detected_ha += values["detected_area"] or 0.0
    for key, area in json.loads(values["annual_defor"] or "{}").items():
        year = key.rpartition("_")[2]
        if key == f"defor_ha_{year}":
            known = summary.annual.get(int(year))
            summary.annual[int(year)] = known if area is None else (known or 0.0) + area
