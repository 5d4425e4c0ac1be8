"""Reading what is stored of regions: which rows count, and which plots belong."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.store.current import COMPLETED, CUTOFF
from epoch_plugin.core.store.queries import WindowCondition
from epoch_plugin.core.store.rows import decoded
from epoch_plugin.core.store.schema import TABLES

_TABLE = TABLES["stat_supply_shed"]


@dataclass(frozen=True)
class RegionRow:
    """One stored row of a region: its columns (JSON parsed) and its polygon as a GeoPackage blob."""

    values: dict[str, Any]
    geom: bytes


def current_regions(connection: sqlite3.Connection, collection_id: str, stat_type: str, window: WindowCondition) -> list[RegionRow]:
    """Return the regions of one kind that the newest job with any of them found, by id; none where no job has."""
    condition, values = window.sql()
    newest = connection.execute(
        f"SELECT r.job_id, r.monitoring_start, r.monitoring_end {_ranked(condition, '')}", [collection_id, stat_type, *values]
    ).fetchone()
    if newest is None:
        return []
    rows = connection.execute(
        "SELECT * FROM stat_supply_shed WHERE collection_id = ? AND stat_type = ? AND job_id = ? AND monitoring_start = ? AND monitoring_end = ?"
        " ORDER BY uuid",
        (collection_id, stat_type, *newest),
    )
    return [RegionRow(decoded(_TABLE, row), row["geom"]) for row in rows]


def with_statistic(
    connection: sqlite3.Connection, collection_id: str, region: dict[str, Any], statistic: str, window: WindowCondition
) -> dict[str, Any] | None:
    """Return the columns of a region's current row of a job that computed a statistic, None where there is none."""
    condition, values = window.sql()
    condition += " AND r.uuid = ? AND EXISTS (SELECT 1 FROM json_each(j.stats) e WHERE e.value = ?)"
    sql = f"SELECT r.* {_ranked(condition, statistic)}"
    row = connection.execute(sql, [collection_id, region["stat_type"], *values, region["uuid"], statistic]).fetchone()
    return None if row is None else decoded(_TABLE, row)


def _ranked(condition: str, statistic: str) -> str:
    """Return the SQL of rows in the order in which they count (store.current): newest window, then completed and newest jobs."""
    cutoff_first = f"(r.monitoring_start = '{CUTOFF}') DESC, " if statistic in ("eudr_deforestation", "") else ""
    return (
        "FROM stat_supply_shed r JOIN batch_jobs j ON j.job_id = r.job_id WHERE r.collection_id = ? AND r.stat_type = ?"
        f" AND coalesce(j.outcome, '') <> 'skipped' {condition} ORDER BY {cutoff_first}r.monitoring_end DESC, r.monitoring_start DESC,"
        f" coalesce(j.status = '{COMPLETED}', 0) DESC, j.created DESC, j.fid DESC, r.fid DESC LIMIT 1"
    )


def outside(connection: sqlite3.Connection, collection_id: str, regions: Sequence[tuple[str, str, str]], least_share: float) -> int:
    """Return how many plots of a collection belong to none of some regions (region id, kind, job)."""
    inside = " OR ".join("(q.region_uuid = ? AND q.stat_type = ? AND q.job_id = ?)" for _ in regions) or "0"
    sql = (
        "SELECT count(*) FROM plots p WHERE p.collection_id = ?"  # nosec B608
        f" AND NOT EXISTS (SELECT 1 FROM plot_regions q WHERE q.uuid = p.uuid AND q.share >= ? AND ({inside}))"
    )
    values = [collection_id, least_share, *(value for region in regions for value in region)]
    return int(connection.execute(sql, values).fetchone()[0])


def region_of_plot(alias: str) -> str:
    """Return a scalar subquery: the row of `stat_supply_shed` that the statistic's row `alias` of plot `p` is compared with.

    It is that of the same job, for the region that holds most of the plot. Marks, in order: kind of region, least share, kind.
    """
    return (
        "(SELECT x.fid FROM stat_supply_shed x LEFT JOIN plot_regions q"  # nosec B608
        " ON q.uuid = p.uuid AND q.region_uuid = x.uuid AND q.stat_type = x.stat_type AND q.job_id = x.job_id"
        f" WHERE x.stat_type = ? AND x.collection_id = p.collection_id AND x.job_id = {alias}.job_id"
        f" AND x.monitoring_start = {alias}.monitoring_start AND x.monitoring_end = {alias}.monitoring_end"
        f" AND (q.share >= ? OR ? = 'supply_shed') ORDER BY q.share DESC LIMIT 1)"
    )
