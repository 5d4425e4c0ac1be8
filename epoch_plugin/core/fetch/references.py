"""The reference of a plot's region beside its own figures (`fetchplots`)."""

from __future__ import annotations

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch.result import Field
from epoch_plugin.core.store.queries import PlotQuery
from epoch_plugin.core.store.region_rows import region_of_plot
from epoch_plugin.core.store.schema import REFERENCED, SUPPLY_SHED_DEFORESTATION, TABLES, Column

KINDS = ("supply_shed", "watershed", "admin_area", "region")
_SHED = TABLES["stat_supply_shed"].by_name
_ENDS = ("_ref", "_ref_n", "_ref_se", "_ref_year")
TOLERANCE = 1e-6  # of a share: what rounding may take from a plot that lies inside


def check_kind(stat_type: str, also: tuple[str, ...] = ()) -> None:
    """Raise `InputError` unless a kind of region is known."""
    if stat_type not in (*KINDS, *also):
        raise InputError(f"STAT_TYPE is '{stat_type}': use {', '.join((*KINDS, *also))}.")


def referenced(statistic: str) -> tuple[str, ...]:
    """Return the figures of a statistic that have a reference."""
    more = SUPPLY_SHED_DEFORESTATION if statistic == "eudr_deforestation" else ()
    own = {column.name for column in (*TABLES[f"stat_{statistic}"].columns, *more)}
    return tuple(name for name in REFERENCED if name in own)


def reference_columns(statistic: str) -> tuple[Column, ...]:
    """Return a statistic's reference columns of regions."""
    return tuple(_SHED[name + end] for name in referenced(statistic) for end in _ENDS)


def join_references(query: PlotQuery, stat_type: str, overlap_threshold: float) -> list[tuple[Field, str]]:
    """Join the region of each statistic's row to a query; return the reference fields and their SQL."""
    found = []
    for i, statistic in enumerate(query.statistics):
        columns = reference_columns(statistic)
        if not columns:
            continue
        query.join(f"LEFT JOIN stat_supply_shed r{i} ON r{i}.fid = {region_of_plot(f's{i}')}",
                   [stat_type, overlap_threshold - TOLERANCE, stat_type])  # fmt: skip
        found += [(Field(column.name, column.type, column.alias, column.unit), f"r{i}.{column.name}") for column in columns]
    return found
