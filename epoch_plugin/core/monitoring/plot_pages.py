"""Reading many plots beside their results, page by page, as columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import count, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.monitoring.scope import Scope, only_jobs, quick_query, statistics_with_rows
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.store import Store

PAGE = 500  # rows in Python at a time: fewer than the garbage collector begins to work at, and few enough for the processor's cache
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
Floats = npt.NDArray[np.float64]
Page = list[Sequence[Any] | Floats]  # one per column: fid, uuid, plotid, the check's eight, then NUMBERS


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
    return collections.find(connection, scope.collection_id).plot_number


def _read_through(cursor: sqlite3.Cursor, scope: Scope, jobs: dict[str, Row], after: int, size: int) -> Iterator[Page]:
    """Yield the plots behind the one with fid `after`: every table is read from front to back, rows are matched by UUID."""
    of = {alias: [expression for expression in _EXPRESSIONS if _source(expression) == alias] for alias in map(_source, _EXPRESSIONS)}
    results = {alias: _results(cursor, alias, of[alias], jobs.get(STATISTICS[int(alias[1:])])) for alias in of if alias != "p"}
    where = "p.collection_id = ? AND p.fid > ? ORDER BY p.fid"
    cursor.execute(f"SELECT {', '.join(of['p'])} FROM plots p WHERE {where}", (scope.collection_id, after))  # nosec B608
    while page := cursor.fetchmany(size):
        columns: dict[str, Any] = dict(zip(of["p"], zip(*page)))
        for alias, found in results.items():
            columns.update(zip(of[alias], found.beside(columns["p.uuid"])))
        yield [columns[expression] for expression in _EXPRESSIONS]


class _Results:
    """Rows of a statistic as columns, each text once: a tuple per row would be as many things for Python's garbage collector to visit."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._numbers: dict[int, list[Floats]] = {place: [] for place, expression in enumerate(expressions) if expression in NUMBERS.values()}
        self._columns: list[Any] = [[] for _ in expressions]
        self._texts: dict[Any, Any] = {}
        self._places: dict[str, int] = {}

    def add(self, page: Sequence[Row]) -> None:
        """Take rows, each ends with the plot's UUID."""
        *columns, uuids = zip(*page)
        self._places.update(zip(uuids, count(len(self._places))))
        for place, values in enumerate(columns):
            if place in self._numbers:
                self._numbers[place].append(np.array(values, np.float64))
            else:
                self._columns[place].extend(map(self._texts.setdefault, values, values))

    def end(self) -> None:
        """Put what a plot without a row has at the end of each column: it is at place -1."""
        for place, column in enumerate(self._columns):
            column.append(None)
            if place in self._numbers:
                self._columns[place] = np.concatenate([*self._numbers[place], [np.nan]])

    def beside(self, uuids: Sequence[str]) -> Iterator[Sequence[Any] | Floats]:
        """Yield each column's values of some plots, None (NaN in a column of numbers) for a plot without a row."""
        places = list(map(self._places.get, uuids, repeat(-1)))
        array = np.array(places, np.intp)
        for place, column in enumerate(self._columns):
            yield column[array] if place in self._numbers else list(map(column.__getitem__, places))


def _results(cursor: sqlite3.Cursor, alias: str, expressions: Sequence[str], job: Row | None) -> _Results:
    """Return a job's rows of a statistic; none without a job."""
    found = _Results(expressions)
    if job is not None:
        keys = " AND ".join(f"{alias}.{name} = ?" for name in ("monitoring_start", "monitoring_end", "job_id"))
        table = f"stat_{STATISTICS[int(alias[1:])]} {alias}"
        cursor.execute(f"SELECT {', '.join(expressions)}, {alias}.uuid FROM {table} WHERE {keys}", job)  # nosec B608
        while page := cursor.fetchmany(PAGE):
            found.add(page)
    found.end()
    return found
