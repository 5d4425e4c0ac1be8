"""Supply bases and regions: the stored rows of the plots that belong, added up, beside each region's reference."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.errors import InputError, NotFoundError
from epoch_plugin.core.fetch.aggregate import AGGREGATES, Summed, aggregate_fields, shown_values, sum_plots
from epoch_plugin.core.fetch.filters import parse_filters
from epoch_plugin.core.fetch.limits import effective_limit
from epoch_plugin.core.fetch.references import KINDS, TOLERANCE, check_kind, reference_columns
from epoch_plugin.core.fetch.region_filters import matches, require_known
from epoch_plugin.core.fetch.request import NON_BIOMASS, iso_date
from epoch_plugin.core.fetch.result import Feature, FetchResult, Field
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.geometry import blob_wkb
from epoch_plugin.core.store.queries import PlotQuery, WindowCondition
from epoch_plugin.core.store.region_rows import RegionRow, current_regions, outside, with_statistic
from epoch_plugin.core.store.schema import TABLES
from epoch_plugin.core.store.store import Store

SUPPLY_SHED, ALL = "supply_shed", "all"
DEFAULT_STATS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")
_OF_THE_REGION = ("uuid", "stat_type", "region_name", "country", "admin1", "centroid", "area_ha_supply_shed", "facility_geo")
_REASONS = Field("reasons", "JSON", "Reasons of the region and its reference")
_NAME = TABLES["stat_supply_shed"].by_name["region_name"]


@dataclass(frozen=True)
class SupplyShedRequest:
    """One fetch of regions: a collection (None: all), kind of region, statistics, window, limit (None: default, 0: all), filters."""

    collection: str | None = None
    stat_type: str = SUPPLY_SHED
    stats: tuple[str, ...] = DEFAULT_STATS
    overlap_threshold: float = 1.0
    start: dt.date | str | None = None
    end: dt.date | str | None = None
    limit: int | None = None
    filters: str = ""

    def __post_init__(self) -> None:
        check_kind(self.stat_type, (ALL,))
        known = (*AGGREGATES, NON_BIOMASS)
        unknown = [name for name in self.stats if name not in known]
        if unknown or not self.stats:
            raise InputError(f"STATS: unknown statistic '{', '.join(unknown) or '(none)'}'. Known: {', '.join(known)}.")
        if not 0 <= self.overlap_threshold <= 1:
            raise InputError(f"OVERLAP_THRESHOLD is {self.overlap_threshold}: a share from 0 to 1.")
        if self.limit is not None and self.limit < 0:
            raise InputError(f"LIMIT is {self.limit}: give 0 for all regions, or how many at most.")
        if not self.collection and not self.filters.strip():
            raise InputError("Give a COLLECTION, or FILTERS to search all collections.")

    @property
    def statistics(self) -> tuple[str, ...]:
        """Return the statistics with one row per plot, each once."""
        return tuple(dict.fromkeys(name for name in self.stats if name != NON_BIOMASS))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of region asked for."""
        return KINDS if self.stat_type == ALL else (self.stat_type,)


def fetch_supply_shed(store: Store, request: SupplyShedRequest) -> FetchResult:
    """Answer a request from one snapshot of the store; raise `InputError` or `NotFoundError` on what cannot be meant or is not there."""
    start, end = iso_date(request.start, "MONITORING_START"), iso_date(request.end, "MONITORING_END")
    if start and end and end <= start:
        raise InputError(f"MONITORING_END ({end}) is not after MONITORING_START ({start}).")
    filters = parse_filters(request.filters)
    connection = store.connect_reading()
    try:
        connection.execute("BEGIN")
        answer = _Answer(connection, request, WindowCondition(start, end))
        features = list(answer.features())
        require_known(filters, features, answer.fields)
        matching = [feature for feature in features if matches(feature, filters)]
    finally:
        connection.close()
    limit = effective_limit(request.limit, [wanted.key for wanted in filters])
    kept = matching if limit is None else matching[:limit]
    if len(matching) > len(kept):
        answer.warnings.append(f"{len(matching)} regions match, {len(kept)} are returned: raise LIMIT, or set it to 0 for all.")
    if not matching:
        answer.warnings.append("No region matches.")
    return FetchResult(
        answer.fields, iter(kept), len(kept), len(matching), tuple(answer.warnings), answer.fields, lambda feature: feature.properties, lambda: None
    )


class _Answer:
    """Makes the features of one request, one collection and kind of region after the other."""

    def __init__(self, connection: sqlite3.Connection, request: SupplyShedRequest, window: WindowCondition) -> None:
        self._connection, self._request, self._window = connection, request, window
        references = [column for name in request.statistics for column in reference_columns(name)]
        fields = aggregate_fields(request.statistics, True, NON_BIOMASS in request.stats, (_NAME, *references))
        self.fields = (*fields[:-1], _REASONS, fields[-1])
        self.warnings: list[str] = []

    def features(self) -> Iterator[Feature]:
        """Yield a feature per region with plots; a kind of region that no collection has is an error."""
        wanted = self._request.collection
        rows = [collections.find(self._connection, wanted)] if wanted else collections.all_rows(self._connection)
        found = 0
        for collection in rows:
            for kind in self._request.kinds:
                for feature in self._of_kind(collection, kind):
                    found += 1
                    yield feature
        if wanted and not found:
            kind = self._request.stat_type
            raise NotFoundError(
                f"No region of kind '{kind}' is stored for '{wanted}', or none holds enough of a plot (OVERLAP_THRESHOLD "
                f"{self._request.overlap_threshold:g}). Batches find regions: of the user's layer in REGIONS, and administrative areas by themselves."
            )

    def _of_kind(self, collection: CollectionRow, kind: str) -> Iterator[Feature]:
        stored = current_regions(self._connection, collection.collection_id, kind, self._window)
        if kind == SUPPLY_SHED:
            yield from self._feature(collection, stored[0] if stored else None)
            return
        least = self._request.overlap_threshold - TOLERANCE
        for region in stored:
            yield from self._feature(collection, region)
        if stored:
            keys = [(region.values["uuid"], kind, region.values["job_id"]) for region in stored]
            left = outside(self._connection, collection.collection_id, keys, least)
            if left:
                self.warnings.append(
                    f"{left} plots of '{collection.collection_name}' belong to no {kind}: less than {self._request.overlap_threshold:g} of their "
                    "area lies in one."
                )

    def _feature(self, collection: CollectionRow, region: RegionRow | None) -> Iterator[Feature]:
        query = PlotQuery(self._request.statistics, self._window)
        query.where("p.collection_id = ?", [collection.collection_id])
        if region is not None and region.values["stat_type"] != SUPPLY_SHED:
            values = region.values
            query.in_region(values["uuid"], values["stat_type"], values["job_id"], self._request.overlap_threshold - TOLERANCE)
        if self._connection.execute(query.sql("1", "LIMIT 1"), query.parameters).fetchone() is None:
            return
        summed = sum_plots(self._connection, query, True, NON_BIOMASS in self._request.stats)
        self._warn_missing(collection, summed)
        properties = {**summed.properties, "reasons": []}
        polygon = summed.hull.wkb
        if region is not None:
            properties.update(self._of_region(collection, region))
            polygon = blob_wkb(region.geom)
        yield Feature(properties["uuid"], polygon, None, shown_values(self.fields, properties))

    def _of_region(self, collection: CollectionRow, region: RegionRow) -> dict[str, Any]:
        """Return what a region is, and each statistic's reference from its own newest job."""
        found = {name: region.values[name] for name in _OF_THE_REGION}
        reasons = {str(item): item for item in region.values["reasons"] or [] if "statistic" not in item}
        for statistic in self._request.statistics:
            row = with_statistic(self._connection, collection.collection_id, region.values, statistic, self._window)
            if row is not None:
                found.update({column.name: row[column.name] for column in reference_columns(statistic)})
                reasons.update({str(item): item for item in row["reasons"] or [] if "statistic" not in item})
        return {**found, "reasons": list(reasons.values())}

    def _warn_missing(self, collection: CollectionRow, summed: Summed) -> None:
        for name in self._request.statistics:
            for item in summed.properties.get(f"{name}_reasons") or []:
                if item["code"] == "not_processed":
                    text = f"{name}: {item['plots']} plots of '{collection.collection_name}' have no stored result for this window; they add nothing."
                    if text not in self.warnings:
                        self.warnings.append(text)
