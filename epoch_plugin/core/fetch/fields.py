"""Which fields a result has and the SQL that gives each: a table of fields per statistic, no code per statistic."""

from __future__ import annotations

from dataclasses import dataclass

from epoch_plugin.core.fetch.request import FetchRequest
from epoch_plugin.core.fetch.result import Field
from epoch_plugin.core.store.farm_rows import NEWEST_JOB
from epoch_plugin.core.store.queries import shown
from epoch_plugin.core.store.schema import TABLES, Column

_PLOTS_ONLY = ("uuid", "plotid", "ingestion_date", "area", "metadata")
_BEFORE = ("uuid", "plotid", "collection_id", "facility_id", "area", "ingestion_date")
_AFTER = ("soliditysha3_256_hash", "metadata")
SHARED = ("monitoring_start", "monitoring_end", "assessed_end", "coverage", "valid_fraction", "reasons", "job_id", "thumbnail_url")
"""Fields that every statistic has; `fetchplots` puts the statistic's name in front of them."""

_THUMBNAILS = {"luc_emissions": ("thumbnail_url", "thumbnail_url_lc")}
_NOT_PROCESSED = '[{"code":"not_processed"}]'
_CFT_KEYS = ("source", "scope", "activity", "unit", "ef", "ef_source", "er_perc", "tco2e_year", "job_id")


@dataclass(frozen=True)
class Selected:
    """A field, the SQL expression that gives it, and the object's name when it is flattened ('' : its keys as they are)."""

    field: Field
    sql: str
    flat_prefix: str | None = None


def selected_fields(request: FetchRequest) -> tuple[Selected, ...]:
    """Return the fields of a request's plots in the pages' order."""
    plots = TABLES["plots"].by_name
    if not request.statistics and not request.non_biomass:
        return tuple(_plot_field(plots[name]) for name in _PLOTS_ONLY)
    found = [_plot_field(plots[name]) for name in _BEFORE]
    for i, statistic in enumerate(request.statistics):
        found += _statistic_fields(statistic, f"s{i}", request.prefixed)
    if request.non_biomass:
        found.append(_non_biomass_field())
    return (*found, *(_plot_field(plots[name]) for name in _AFTER))


def _plot_field(column: Column) -> Selected:
    sql = shown("p", column)
    if column.name == "facility_id":
        sql = "coalesce(p.facility_id, json_extract(p.metadata, '$.facility_id'))"
    return Selected(_field(column), sql, column.name if column.type == "JSON" else None)


def _statistic_fields(statistic: str, alias: str, prefixed: bool) -> list[Selected]:
    found = []
    for column in TABLES[f"stat_{statistic}"].columns:
        if column.name in ("uuid", "collection_id"):
            continue
        sql = shown(alias, column)
        if column.name == "reasons":
            sql = f"CASE WHEN {alias}.fid IS NULL THEN '{_NOT_PROCESSED}' ELSE {sql} END"
        found.append(Selected(_field(column, statistic if prefixed else ""), sql, _flat_prefix(column, statistic if prefixed else "")))
    for name in _THUMBNAILS.get(statistic, ("thumbnail_url",)):
        # Pictures are made on request, so there is nothing stored: the caller that draws them fills the field.
        found.append(Selected(_field(Column(name, "TEXT", "Thumbnail"), statistic if prefixed else ""), "NULL"))
    return found


def _field(column: Column, statistic: str = "") -> Field:
    name = f"{statistic}_{column.name}" if statistic and column.name in SHARED else column.name
    return Field(name, column.type, column.alias, column.unit)


def _flat_prefix(column: Column, statistic: str) -> str | None:
    if column.type != "JSON" or column.name in ("reasons", "stock_years"):
        return None
    return "" if column.name == "annual_defor" else _field(column, statistic).name


def _non_biomass_field() -> Selected:
    pairs = ", ".join(f"'{key}', n.{key}" for key in _CFT_KEYS)
    rows = f"(SELECT json_group_array(json_object({pairs})) FROM stat_non_biomass n WHERE n.uuid = p.uuid AND n.job_id = {NEWEST_JOB})"  # nosec B608
    return Selected(Field("cft", "JSON", "Farm and supply chain emissions"), f"nullif({rows}, '[]')")
