"""All matching plots as one row: what every statistic's aggregate shares, around the sums of each statistic."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch.aggregate_biodiversity import BiodiversitySums
from epoch_plugin.core.fetch.aggregate_deforestation import DeforestationSums
from epoch_plugin.core.fetch.aggregate_emissions import EmissionsSums
from epoch_plugin.core.fetch.aggregate_extra import ExtraSums
from epoch_plugin.core.fetch.aggregate_farm import FARM_FIELDS, FarmSums
from epoch_plugin.core.fetch.aggregate_water import WaterSums
from epoch_plugin.core.fetch.fields import SHARED
from epoch_plugin.core.fetch.hull import Hull
from epoch_plugin.core.fetch.plot_totals import PlotTotals
from epoch_plugin.core.fetch.request import FetchRequest
from epoch_plugin.core.fetch.result import Feature, Field
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
    "extra": ExtraSums,
}
"""One entry per statistic that can be aggregated."""

_SHED = TABLES["stat_supply_shed"].by_name
_TIMES = tuple(
    _SHED[name] for name in ("monitoring_start", "monitoring_end", "assessed_end", "ingestion_date", "facility_geo", "locations_confidence")
)
_DAYS = ("monitoring_start", "monitoring_end")
"""Plain days (YYYY-MM-DD) on the aggregate pages of biomass and biodiversity, timestamps on that of the deforestation check."""

_TOTALS = tuple(_SHED[name] for name in ("aggregate_area", "aggregate_plot_count"))


@dataclass(frozen=True)
class Summed:
    """The sums of the plots of a query: values by field name (dicts, lists, ISO dates as stored) and the plots' convex hull."""

    properties: dict[str, Any]
    hull: Hull


def aggregate(connection: sqlite3.Connection, request: FetchRequest, query: PlotQuery, matched: int) -> tuple[Iterator[Feature], tuple[Field, ...]]:
    """Return the one feature of an aggregate (none if no plot matches) and its fields; raise `InputError` for a statistic without one."""
    for name in request.statistics or (() if request.non_biomass else ("",)):
        if name not in AGGREGATES:
            raise InputError(f"AGGREGATE needs a statistic that can be summed ({', '.join(AGGREGATES)}), not '{name or 'plots only'}'.")
    fields = aggregate_fields(request.statistics, request.prefixed, request.non_biomass)
    return (_features(connection, query, request, fields) if matched else iter(())), fields


def aggregate_fields(statistics: Sequence[str], prefixed: bool, non_biomass: bool, more: Sequence[Column] = ()) -> tuple[Field, ...]:
    """Return the fields of an aggregate; `more` stand behind the statistics' own."""
    own = [
        replace(column, name=_named(f"{name}_" if prefixed else "", column.name)) for name in statistics for column in AGGREGATES[name]().fields
    ]  # fmt: skip
    farm = FARM_FIELDS if non_biomass else ()
    columns = (*SUPPLY_SHED_IDENTITY, *_TIMES, *own, *_TOTALS, *farm, *more, *SUPPLY_SHED_LEGALITY, _SHED["metadata"])
    return tuple(Field(column.name, column.type, column.alias, column.unit) for column in columns)


def _named(prefix: str, name: str) -> str:
    """Return a field's name: what every statistic has is told apart by the statistic's name where several share a row."""
    return f"{prefix}{name}" if name in SHARED else name


def _features(connection: sqlite3.Connection, query: PlotQuery, request: FetchRequest, fields: tuple[Field, ...]) -> Iterator[Feature]:
    summed = sum_plots(connection, query, request.prefixed, request.non_biomass)
    values = shown_values(fields, summed.properties)
    if not request.prefixed and "eudr_deforestation" not in request.statistics:
        values.update({name: summed.properties[name] for name in _DAYS})
    yield Feature(summed.properties["uuid"], summed.hull.wkb, None, values)


def sum_plots(connection: sqlite3.Connection, query: PlotQuery, prefixed: bool, non_biomass: bool) -> Summed:
    """Add up the plots of a query (at least one) for each of its statistics, and their farm emissions where asked for."""
    totals, farm = PlotTotals(), FarmSums(connection, query.window.job_id) if non_biomass else None
    sums = [AGGREGATES[name]() for name in query.statistics]
    parts = [*PlotTotals.COLUMNS, *(farm.columns if farm else ())]
    width, first = len(PlotTotals.COLUMNS), len(parts)
    for i, each in enumerate(sums):
        parts += [f"s{i}.{name}" for name in ("fid", "monitoring_start", "monitoring_end", "assessed_end", *each.columns)]
    cursor = connection.cursor()
    cursor.row_factory = None
    for row in cursor.execute(query.sql(", ".join(parts), "ORDER BY p.fid"), [*(farm.parameters if farm else ()), *query.parameters]):
        totals.add(row[:width])
        if farm:
            farm.add(row[1], row[width:first])
        place = first
        for each in sums:
            stored, end = row[place] is not None, place + 4 + len(each.columns)
            if stored:
                totals.add_window(row[place + 1], row[place + 2])
            each.add(row[1], stored, row[place + 1 : end])
            place = end
    properties = {**totals.properties(connection), **_statistics(query.statistics, sums, prefixed), **(farm.properties() if farm else {})}
    hull = totals.hull.build()
    longitude, latitude = hull.centroid
    properties.update(area_ha_supply_shed=hull.area_ha, centroid={"lat": latitude, "long": longitude})
    properties["facility_geo"] = properties["facility_geo"] or f"POINT({longitude!r} {latitude!r})"
    return Summed(properties, hull)


def _statistics(names: Sequence[str], sums: Sequence[Sums], prefixed: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    ends = []
    for name, each in zip(names, sums):
        found = each.properties()
        if "assessed_end" in found:
            ends.append(found.pop("assessed_end"))
        properties.update({_named(f"{name}_" if prefixed else "", key): value for key, value in found.items()})
    properties["assessed_end"] = min(ends) if ends and None not in ends else None  # what holds for all statistics of the row
    return properties


def shown_values(fields: Sequence[Field], properties: dict[str, Any]) -> dict[str, Any]:
    """Return a value per field as plots' features carry it: JSON as text, dates with time and offset."""
    return {field.name: _value(field, properties.get(field.name)) for field in fields}


def _value(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.type == "JSON":
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if field.type == "DATE":
        return f"{value}T00:00:00+00:00"
    return f"{value[:19]}+00:00" if field.type == "DATETIME" else value
