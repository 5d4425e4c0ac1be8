"""What is looked at: a collection, one of its windows, one of its regions; and what there is to choose from."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from epoch_plugin.core.store import collections
from epoch_plugin.core.store.queries import PlotQuery, WindowCondition
from epoch_plugin.core.store.schema import PLOT_STATISTICS
from epoch_plugin.core.store.store import Store

SHARE_EPSILON = 1e-6
SUPPLY_SHED = "supply_shed"


@dataclass(frozen=True)
class Window:
    """A monitoring window with stored results (ISO dates); `assessed_end` is the earliest among the assessed plots, None if none is."""

    start: str
    end: str
    assessed_end: str | None = None


@dataclass(frozen=True)
class Region:
    """A region that plots of the collection lie in: its row in `stat_supply_shed`; `name` is what the picker shows."""

    uuid: str
    stat_type: str
    name: str


@dataclass(frozen=True)
class CollectionChoice:
    """A collection of the store as the picker shows it."""

    collection_id: str
    name: str
    plots: int
    status: str


@dataclass(frozen=True)
class Scope:
    """What is looked at; without a window the current results, without a region all plots."""

    collection_id: str
    window: Window | None = None
    region: Region | None = None
    overlap_threshold: float = 0.5

    def query(self, statistics: tuple[str, ...]) -> PlotQuery:
        """Return the plots of the scope beside their rows."""
        window = WindowCondition(self.window.start, self.window.end) if self.window else WindowCondition()
        query = PlotQuery(statistics, window)
        query.where("p.collection_id = ?", [self.collection_id])
        if self.region is not None:
            lies_in = "EXISTS (SELECT 1 FROM plot_regions g WHERE g.uuid = p.uuid AND g.stat_type = ? AND g.region_uuid = ? AND g.share >= ?)"
            query.where(lies_in, [self.region.stat_type, self.region.uuid, self.overlap_threshold - SHARE_EPSILON])
        return query


def quick_query(scope: Scope, statistics: tuple[str, ...], jobs: list[tuple[str, ...]]) -> PlotQuery:
    """Return `scope.query(statistics)`, with plain joins where one job wrote all rows (`jobs`, of `only_jobs`): then there is no choice to make."""
    if not jobs:
        return scope.query(statistics)
    query = scope.query(())
    for place, (name, job) in enumerate(zip(statistics, jobs)):
        keys = f"s{place}.uuid = p.uuid AND s{place}.monitoring_start = ? AND s{place}.monitoring_end = ? AND s{place}.job_id = ?"
        query.join(f"LEFT JOIN stat_{name} s{place} ON {keys}", job)
    return query


def only_jobs(connection: sqlite3.Connection, scope: Scope, statistics: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return window and job of every statistic if one job wrote all of its rows; [] where this is not so for one of them."""
    jobs = [_only_job(connection, scope, name) for name in statistics]
    return jobs if all(jobs) else []


def _only_job(connection: sqlite3.Connection, scope: Scope, statistic: str) -> tuple[str, ...]:
    """Return window and job of a collection's rows of a statistic if one job wrote all of them, within the scope's window; () otherwise."""
    sql = f"SELECT monitoring_start, monitoring_end, job_id FROM stat_{statistic} WHERE collection_id = ? LIMIT 1"  # nosec B608
    found = connection.execute(sql, (scope.collection_id,)).fetchone()
    if found is None:
        return ()
    start, end, job = found
    counts = f"SELECT (SELECT count(*) FROM stat_{statistic} WHERE collection_id = ?) = (SELECT count(*) FROM stat_{statistic} WHERE job_id = ?)"  # nosec B608
    alone = connection.execute(counts, (scope.collection_id, job)).fetchone()[0]
    return (start, end, job) if alone and (scope.window is None or (scope.window.start, scope.window.end) == (start, end)) else ()


def collection_choices(store: Store) -> list[CollectionChoice]:
    """Return every collection, in the order of staging."""
    with store.reading() as connection:
        rows = collections.all_rows(connection)
    return [CollectionChoice(row.collection_id, row.collection_name, row.plot_number, row.status) for row in rows]


def windows(store: Store, collection_id: str) -> list[Window]:
    """Return the windows with stored results of any statistic, the current one (METHODS, contract: cut-off first, then newest) first."""
    found: dict[tuple[str, str], str | None] = {}
    with store.reading() as connection:
        for statistic in PLOT_STATISTICS:
            for start, end, assessed in _windows_of(connection, statistic, collection_id):
                known = found.get((start, end))
                found[start, end] = min(filter(None, (known, assessed)), default=None)
    current = sorted(found.items(), key=lambda item: (item[0][0] == "2020-12-31", item[0][1], item[0][0]), reverse=True)
    return [Window(start, end, assessed) for (start, end), assessed in current]


def _windows_of(connection: sqlite3.Connection, statistic: str, collection_id: str) -> list[tuple[str, str, str | None]]:
    # Only deforestation says how far the plots were assessed; an unassessed plot says nothing about it.
    assessed = "min(CASE WHEN deforestation_alert IS NOT NULL THEN assessed_end END)" if statistic == "eudr_deforestation" else "NULL"
    sql = f"SELECT monitoring_start, monitoring_end, {assessed} FROM stat_{statistic} WHERE collection_id = ? GROUP BY 1, 2"  # nosec B608
    return [tuple(row) for row in connection.execute(sql, (collection_id,))]


def statistics_with_rows(store: Store, collection_id: str) -> list[str]:
    """Return the statistics with at least one stored row of the collection."""
    with store.reading() as connection:
        sql = "SELECT EXISTS (SELECT 1 FROM stat_{} WHERE collection_id = ?)"
        return [name for name in PLOT_STATISTICS if connection.execute(sql.format(name), (collection_id,)).fetchone()[0]]


def regions(store: Store, collection_id: str) -> list[Region]:
    """Return the regions with stored results, by kind and name; the collection itself is not one of them."""
    sql = (
        "SELECT DISTINCT uuid, stat_type, coalesce(region_name, json_extract(metadata, '$.name'), admin1, uuid) FROM stat_supply_shed"
        " WHERE collection_id = ? AND stat_type <> ? ORDER BY stat_type, 3"
    )
    with store.reading() as connection:
        return [Region(str(uuid), str(kind), str(name)) for uuid, kind, name in connection.execute(sql, (collection_id, SUPPLY_SHED))]
