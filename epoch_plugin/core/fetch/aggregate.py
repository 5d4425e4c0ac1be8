"""All matching plots as one row: what every statistic's aggregate shares, around the sums of each statistic."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch.aggregate_biodiversity import BiodiversitySums
from epoch_plugin.core.fetch.aggregate_deforestation import DeforestationSums
from epoch_plugin.core.fetch.aggregate_emissions import EmissionsSums
from epoch_plugin.core.fetch.aggregate_water import WaterSums
from epoch_plugin.core.fetch.fields import SHARED
from epoch_plugin.core.fetch.hull import HullBuilder
from epoch_plugin.core.fetch.request import FetchRequest
from epoch_plugin.core.fetch.result import Feature, Field
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.geometry import blob_wkb
from epoch_plugin.core.store.queries import PlotQuery
from epoch_plugin.core.store.schema import SUPPLY_SHED_IDENTITY, SUPPLY_SHED_LEGALITY, TABLES, Column


class Sums(Protocol):
    """The running sums of one statistic: `columns` are read per plot, `fields` and `properties` are what the row gets."""

    columns: tuple[str, ...]
    fields: tuple[Column, ...]

    def add(self, area: float, stored: bool, values: tuple[Any, ...]) -> None:
        """Add one plot: its area (ha), whether it has a row, and the row's `columns`."""

    def properties(self) -> dict[str, Any]:
        """Return the values of `fields`."""


AGGREGATES: dict[str, Callable[[], Sums]] = {
    "eudr_deforestation": DeforestationSums,
    "luc_emissions": EmissionsSums,
    "biodiversity": BiodiversitySums,
    "water": WaterSums,
}
"""One entry per statistic that can be aggregated."""

_SHED = TABLES["stat_supply_shed"].by_name
_TIMES = tuple(
    _SHED[name] for name in ("monitoring_start", "monitoring_end", "assessed_end", "ingestion_date", "facility_geo", "locations_confidence")
)
_TOTALS = tuple(_SHED[name] for name in ("aggregate_area", "aggregate_plot_count"))
_FROM_METADATA = ("facility_name", "facility_address", "facility_certainty", "company_name", "travel_time_min",
                  *(column.name for column in SUPPLY_SHED_LEGALITY))  # fmt: skip
_ESTATE, _SMALLHOLDER = "estate", "smallholder"


def aggregate(connection: sqlite3.Connection, request: FetchRequest, query: PlotQuery, matched: int) -> tuple[Iterator[Feature], tuple[Field, ...]]:
    """Return the one feature of an aggregate (none if no plot matches) and its fields; raise `InputError` for a statistic without one."""
    for name in request.statistics or ("",):
        if name not in AGGREGATES:
            raise InputError(f"AGGREGATE needs a statistic that can be summed ({', '.join(AGGREGATES)}), not '{name or 'plots only'}'.")
    sums = [AGGREGATES[name]() for name in request.statistics]
    prefixes = [f"{name}_" if request.prefixed else "" for name in request.statistics]
    own = [replace(column, name=_named(prefix, column.name)) for prefix, each in zip(prefixes, sums) for column in each.fields]
    columns = (*SUPPLY_SHED_IDENTITY, *_TIMES, *own, *_TOTALS, *SUPPLY_SHED_LEGALITY, _SHED["metadata"])
    fields = tuple(Field(column.name, column.type, column.alias, column.unit) for column in columns)
    return (_features(connection, query, sums, prefixes, fields) if matched else iter(())), fields


def _named(prefix: str, name: str) -> str:
    """Return a field's name: what every statistic has is told apart by the statistic's name where several share a row."""
    return f"{prefix}{name}" if name in SHARED else name


def _features(
    connection: sqlite3.Connection, query: PlotQuery, sums: list[Sums], prefixes: list[str], fields: tuple[Field, ...]
) -> Iterator[Feature]:
    shared = _Shared()
    width = 8
    parts = [
        "p.geom",
        "p.area",
        "p.collection_id",
        "p.facility_id",
        "p.ingestion_date",
        "json_extract(p.metadata, '$.system_type')",
        "c.system_type",
        "0",
    ]
    for i, each in enumerate(sums):
        parts += [f"s{i}.{name}" for name in ("fid", "monitoring_start", "monitoring_end", "assessed_end", *each.columns)]
    cursor = connection.cursor()
    cursor.row_factory = None
    for row in cursor.execute(query.sql(", ".join(parts), "ORDER BY p.fid"), query.parameters):
        shared.add(row[:width])
        place = width
        for each in sums:
            stored, end = row[place] is not None, place + 4 + len(each.columns)
            if stored:
                shared.add_window(row[place + 1], row[place + 2])
            each.add(row[1], stored, row[place + 1 : end])
            place = end
    properties = shared.properties(connection)
    ends = []
    for prefix, each in zip(prefixes, sums):
        found = each.properties()
        ends.append(found.pop("assessed_end"))
        properties.update({_named(prefix, name): value for name, value in found.items()})
    properties["assessed_end"] = min(ends) if ends and None not in ends else None  # what holds for all statistics of the row
    hull = shared.hull.build()
    longitude, latitude = hull.centroid
    properties.update(
        area_ha_supply_shed=hull.area_ha, centroid={"lat": latitude, "long": longitude}, facility_geo=f"POINT({longitude!r} {latitude!r})"
    )
    values = {field.name: _value(field, properties.get(field.name)) for field in fields}
    yield Feature(properties["uuid"], hull.wkb, None, values)


def _value(field: Field, value: Any) -> Any:
    """Return a value as plots' features carry it: JSON as text, dates with time and offset."""
    if value is None:
        return None
    if field.type == "JSON":
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if field.type == "DATE":
        return f"{value}T00:00:00+00:00"
    return f"{value[:19]}+00:00" if field.type == "DATETIME" else value


class _Shared:
    """What an aggregate says whatever the statistic: areas, counts, windows, places."""

    def __init__(self) -> None:
        self.hull = HullBuilder()
        self._area, self._count = 0.0, 0
        self._by_system = {_ESTATE: 0.0, _SMALLHOLDER: 0.0}
        self._collections: dict[str, None] = {}
        self._facilities: set[str | None] = set()
        self._ingested = ""
        self._start: str | None = None
        self._end: str | None = None

    def add(self, row: tuple[Any, ...]) -> None:
        """Add one plot."""
        geom, area, collection_id, facility_id, ingested, own_system, system, _ = row
        self.hull.add(blob_wkb(geom))
        self._area += area
        self._count += 1
        kind = str(own_system or system or "").strip().casefold()
        if kind in self._by_system:
            self._by_system[kind] += area
        self._collections[collection_id] = None
        self._facilities.add(facility_id)
        self._ingested = max(self._ingested, ingested or "")

    def add_window(self, start: str, end: str) -> None:
        """Widen the window by that of one stored row."""
        self._start = start if self._start is None else min(self._start, start)
        self._end = end if self._end is None else max(self._end, end)

    def properties(self, connection: sqlite3.Connection) -> dict[str, Any]:
        """Return the shared values; what differs between several collections is null."""
        rows = [collections.find(connection, collection_id) for collection_id in self._collections]
        one = rows[0] if len(rows) == 1 else None
        metadata = one.metadata if one else {}
        found: dict[str, Any] = {name: metadata.get(name) for name in _FROM_METADATA}
        for name in ("collection_id", "collection_name", "admin1", "locations_confidence"):
            found[name] = getattr(one, name) if one else None
        found.update(
            uuid=one.collection_id if one else None,
            stat_type="supply_shed",
            facility_id=next(iter(self._facilities)) if len(self._facilities) == 1 else None,
            country=_common([row.detected_country or row.country for row in rows]),
            commodity=_common([row.crop_type for row in rows]),
            area_ha_commodity=self._area,
            area_ha_smallholder=self._by_system[_SMALLHOLDER],
            area_ha_estate=self._by_system[_ESTATE],
            commodity_plot_no=self._count,
            monitoring_start=self._start,
            monitoring_end=self._end,
            ingestion_date=self._ingested or None,
            aggregate_area=self._area,
            aggregate_plot_count=self._count,
            metadata=metadata,
        )
        return found


def _common(values: list[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else None
