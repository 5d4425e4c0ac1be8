"""Everything that is known of one plot: its results, what they rest on, and what was not assessed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from epoch_plugin.core.errors import NotFoundError
from epoch_plugin.core.monitoring.scope import Scope
from epoch_plugin.core.store import jobs
from epoch_plugin.core.store.geometry import blob_wkb
from epoch_plugin.core.store.schema import TABLES
from epoch_plugin.core.store.store import Store

STATISTICS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water", "extra")
_NOT_JUDGED = (
    "not_processed", "not_assessed:coverage", "missing_layer", "no_data", "year_not_covered", "year_partly_covered", "single_system",
    "context_missing", "one_stock_year", "no_land_use", "land_use_partly", "sd_coverage", "no_common_year", "pet_not_positive",
    "few_reference_years", "no_variation", "no_window_year",
)  # fmt: skip


@dataclass(frozen=True)
class LayerUse:
    """A layer that a result rests on: title, release, years, files, and the share of the plot with data (None = not told)."""

    role: str
    title: str
    version: str
    years: str
    coverage: float | None
    source: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class PlotDetails:
    """One plot: `statistics` holds each statistic's row with JSON parsed, {} where nothing is stored; `fid` None for a drawn polygon."""

    fid: int | None
    uuid: str
    plotid: str
    area: float
    polygon: bytes
    metadata: Mapping[str, Any]
    statistics: Mapping[str, Mapping[str, Any]]
    layers: tuple[LayerUse, ...]
    flags: tuple[str, ...] = ()

    @property
    def deforestation(self) -> Mapping[str, Any]:
        """The row of the deforestation check, {} where none is stored."""
        return self.statistics.get("eudr_deforestation", {})

    @property
    def not_assessed(self) -> tuple[tuple[str, str], ...]:
        """(statistic, reason code) of everything that has no result and of every field left open for a reason."""
        found = []
        for name in STATISTICS[:4]:
            row = self.statistics.get(name, {})
            if not row:
                found.append((name, "not_processed"))
            found += [(name, reason["code"]) for reason in row.get("reasons") or () if says_not_assessed(reason["code"])]
        return tuple(dict.fromkeys(found))


def says_not_assessed(code: str) -> bool:
    """Tell whether a reason code says that something could not be judged, rather than how."""
    return code in _NOT_JUDGED or code.partition(":")[0] in _NOT_JUDGED


def plot_details(store: Store, scope: Scope, uuid: str) -> PlotDetails:
    """Return a stored plot's details in the scope's window; raise `NotFoundError` if there is no such plot."""
    query = scope.query(STATISTICS)
    query.where("p.uuid = ?", [uuid])
    columns = {name: [column.name for column in TABLES[f"stat_{name}"].columns] for name in STATISTICS}
    parts = ["p.fid", "p.uuid", "p.plotid", "p.area", "p.geom", "p.metadata", "p.flags"]
    parts += [f"s{i}.{column}" for i, name in enumerate(STATISTICS) for column in columns[name]]
    with store.reading() as connection:
        row = connection.execute(query.sql(", ".join(parts), "LIMIT 1"), query.parameters).fetchone()
        if row is None:
            raise NotFoundError(f"There is no plot {uuid} in the collection any more.")
        values = iter(tuple(row)[7:])
        statistics = {name: _parsed(name, {column: next(values) for column in columns[name]}) for name in STATISTICS}
        used = _job_sources(connection, statistics)
    return PlotDetails(
        row[0], row[1], row[2], row[3], blob_wkb(row[4]), json.loads(row[5] or "{}"), statistics,
        layer_uses(used, statistics), tuple(json.loads(row[6] or "[]")),
    )  # fmt: skip


def _parsed(statistic: str, row: Mapping[str, Any]) -> dict[str, Any]:
    if row["uuid"] is None:
        return {}
    types = TABLES[f"stat_{statistic}"].by_name
    return {name: json.loads(value) if types[name].type == "JSON" and value is not None else value for name, value in row.items()}


def _job_sources(connection: Any, statistics: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    sources: list[Mapping[str, Any]] = []
    for job_id in dict.fromkeys(row["job_id"] for row in statistics.values() if row):
        provenance = jobs.get(connection, job_id).provenance or {}
        sources += [source for source in provenance.get("sources", ()) if source not in sources]
    return sources


def layer_uses(sources: Sequence[Mapping[str, Any]], statistics: Mapping[str, Mapping[str, Any]]) -> tuple[LayerUse, ...]:
    """Return what the provenance's sources are in words, with their coverage of the plot."""
    coverage: dict[str, float] = {}
    for row in statistics.values():
        coverage.update({role: share for role, share in (row.get("coverage") or {}).items() if share is not None})
    return tuple(
        LayerUse(source["role"], source.get("title") or source["role"], _version(source), _years(source), coverage.get(source["role"]), source)
        for source in sources
    )


def _version(source: Mapping[str, Any]) -> str:
    profile = source.get("profile")
    return str(profile.get("product_version") or "") if profile else ""


def _years(source: Mapping[str, Any]) -> str:
    years, year, until = source.get("years"), source.get("year"), source.get("until")
    if year:
        return str(year)
    if not years:
        return ""
    span = str(years[0]) if years[0] == years[1] else f"{years[0]}–{years[1]}"
    return f"{span}, to {until}" if until else span
