"""Reading many plots beside their results, page by page, as columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from epoch_plugin.core.monitoring.scope import Scope, only_jobs, quick_query, statistics_with_rows
from epoch_plugin.core.store.store import Store

PAGE = 2_000
MOST_AT_ONCE = 200_000  # plots whose rows are held in memory while they are matched
STATISTICS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")
NUMBERS = {
    "area": "p.area",
    "noncompliance_area": "s0.noncompliance_area",
    "detected_area": "s0.detected_area",
    "valid_fraction": "s0.valid_fraction",
    "luc_tco2ehayear": "s1.luc_tco2ehayear",
    "diversity_score": "s2.diversity_score",
    "water_stress_index": "s3.water_stress_index",
}
_PLOT = ("p.fid", "p.uuid", "p.plotid")
_CHECK = (
    "s0.deforestation_alert", "s0.deforestation_confidence", "s0.deforestation_start", "s0.deforestation_end", "s0.assessed_end", "s0.reasons",
    "CASE WHEN s0.deforestation_start IS NULL THEN NULL ELSE s0.annual_defor END", "s0.fid IS NOT NULL",
)  # fmt: skip
_EXPRESSIONS = (*_PLOT, *_CHECK, *NUMBERS.values())

Row = tuple[Any, ...]
Page = list[Row]  # one tuple per column: fid, uuid, plotid, the check's eight, then NUMBERS


def pages(store: Store, scope: Scope, size: int = PAGE) -> Iterator[Page]:
    """Yield the plots of a scope, `size` at a time, in position order, from one snapshot of the store.

    Results lie in the order in which the batch went over the land. Looking each plot's row up there takes several times as long as
    reading all of them from front to back: so that is done once the first page can be shown, where the whole collection is wanted.
    """
    filled = tuple(name for name in statistics_with_rows(store, scope.collection_id) if name in STATISTICS)
    with store.reading() as connection:
        connection.execute("BEGIN")  # one snapshot for several statements; nothing is written, closing ends it
        jobs = only_jobs(connection, scope, filled)
        query = quick_query(scope, filled, jobs)
        cursor = connection.cursor()
        cursor.row_factory = None
        cursor.execute(query.sql(_columns(filled), "ORDER BY p.fid"), query.parameters)
        page = cursor.fetchmany(size)
        if len(page) == size and scope.region is None and jobs and _plots(connection, scope) <= MOST_AT_ONCE:
            yield list(zip(*page))
            yield from _read_through(cursor, scope, dict(zip(filled, jobs)), page[-1][0], size)
            return
        while page:
            yield list(zip(*page))
            page = cursor.fetchmany(size)


def _columns(filled: Sequence[str]) -> str:
    """Return the columns of a page as SQL; those of a statistic without rows are null: looking for them takes as long as for any other."""
    alias = {f"s{STATISTICS.index(name)}": f"s{place}" for place, name in enumerate(filled)}

    def known(expression: str) -> str:
        if _source(expression) not in {"p", *alias}:
            return "0" if expression.endswith("IS NOT NULL") else "NULL"
        return re.sub(r"\bs\d\b", lambda found: alias[found.group()], expression)

    return ", ".join(known(expression) for expression in _EXPRESSIONS)


def _source(expression: str) -> str:
    """Return the alias that a column comes from: p, s0, s1, ..."""
    return str(re.findall(r"\b(p|s\d)\.", expression)[0])


def _plots(connection: sqlite3.Connection, scope: Scope) -> int:
    return int(connection.execute("SELECT count(*) FROM plots WHERE collection_id = ?", (scope.collection_id,)).fetchone()[0])


def _read_through(cursor: sqlite3.Cursor, scope: Scope, jobs: dict[str, Row], after: int, size: int) -> Iterator[Page]:
    """Yield the plots behind the one with fid `after`: every table is read from front to back, rows are matched by UUID."""
    of = {alias: [expression for expression in _EXPRESSIONS if _source(expression) == alias] for alias in map(_source, _EXPRESSIONS)}
    rows = {alias: _rows(cursor, alias, of[alias], jobs.get(STATISTICS[int(alias[1:])])) for alias in of if alias != "p"}
    where = "p.collection_id = ? AND p.fid > ? ORDER BY p.fid"
    cursor.execute(f"SELECT {', '.join(of['p'])} FROM plots p WHERE {where}", (scope.collection_id, after))  # nosec B608
    while page := cursor.fetchmany(size):
        columns = dict(zip(of["p"], zip(*page)))
        uuids = columns["p.uuid"]
        for alias, found in rows.items():
            missing = (None,) * len(of[alias])
            # taken out: what has been shown is held once
            matched = zip(*[found.pop(uuid, missing) for uuid in uuids]) if found else ((None,) * len(uuids) for _ in of[alias])
            columns.update(zip(of[alias], matched))
        yield [columns[expression] for expression in _EXPRESSIONS]


def _rows(cursor: sqlite3.Cursor, alias: str, expressions: Sequence[str], job: Row | None) -> dict[str, Row]:
    """Return a job's rows of a statistic by the plot's UUID; none without a job."""
    found: dict[str, Row] = {}
    if job is None:
        return found
    keys = " AND ".join(f"{alias}.{name} = ?" for name in ("monitoring_start", "monitoring_end", "job_id"))
    table = f"stat_{STATISTICS[int(alias[1:])]} {alias}"
    cursor.execute(f"SELECT {', '.join(expressions)}, {alias}.uuid FROM {table} WHERE {keys}", job)  # nosec B608
    while page := cursor.fetchmany(PAGE):
        found.update([(row[-1], row) for row in page])
    return found
