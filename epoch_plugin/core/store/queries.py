"""Reading plots beside their current results: selected columns, conditions with bound values, counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from epoch_plugin.core.store.current import CUTOFF, current_row
from epoch_plugin.core.store.schema import TABLES, Column

_FILTERABLE = ("TEXT", "REAL", "INTEGER", "DATE", "DATETIME")


def value_texts(value: Any) -> tuple[str, ...]:
    """Return how a JSON value may be written in a filter: text as it is, 4.0 also as 4, true and false in lower case; null never matches."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return (text, str(int(value))) if isinstance(value, float) and value.is_integer() else (text,)


def _metadata_matches(metadata: str | None, keys: str, values: str) -> int:
    stored, wanted = json.loads(metadata or "{}"), set(json.loads(values))
    return int(any(text in wanted for key in json.loads(keys) for text in value_texts(stored.get(key))))


def _number_matches(number: float | None, values: str) -> int:
    return int(any(text in json.loads(values) for text in value_texts(number)))


def register_filters(connection: sqlite3.Connection) -> None:
    """Give a reading connection the functions that filters on numbers and metadata call."""
    connection.create_function("metadata_matches", 3, _metadata_matches, deterministic=True)
    connection.create_function("number_matches", 2, _number_matches, deterministic=True)


@dataclass(frozen=True)
class WindowCondition:
    """Which stored rows of a statistic are asked for: exact dates (ISO) and job, each None for any."""

    start: str | None = None
    end: str | None = None
    job_id: str | None = None

    def sql(self) -> tuple[str, list[str]]:
        """Return SQL over the alias `r` and its values."""
        pairs = [(name, value) for name, value in (("monitoring_start", self.start), ("monitoring_end", self.end), ("job_id", self.job_id)) if value]
        return "".join(f" AND r.{name} = ?" for name, _ in pairs), [value for _, value in pairs]


@dataclass
class PlotQuery:
    """Plots `p` of collections `c` with, per statistic, the current row `s0`, `s1`, ... (null where nothing is stored) and its job `j0`, ..."""

    statistics: tuple[str, ...]
    window: WindowCondition
    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    join_values: list[Any] = field(default_factory=list)

    def join(self, sql: str, values: Iterable[Any]) -> None:
        """Join a further table (SQL of ours) behind the statistics; every value is bound."""
        self.joins.append(sql)
        self.join_values.extend(values)

    def where(self, condition: str, values: Iterable[Any]) -> None:
        """Add a condition; every value is bound."""
        self.conditions.append(condition)
        self.values.extend(values)

    def column_equals(self, alias: str, column: Column, texts: Sequence[str]) -> None:
        """Keep plots whose column, as text, is one of `texts`."""
        name = f"{alias}.{column.name}"
        if column.type in ("REAL", "INTEGER"):
            self.where(f"number_matches({name}, ?)", [json.dumps(texts)])
            return
        marks = ", ".join("?" * len(texts))
        if column.type == "TEXT":
            self.where(f"{name} IN ({marks})", texts)
        else:
            self.where(f"({name} IN ({marks}) OR {shown(alias, column)} IN ({marks}) OR substr({name}, 1, 10) IN ({marks}))", [*texts] * 3)

    def metadata_equals(self, alias: str, keys: Sequence[str], texts: Sequence[str]) -> None:
        """Keep plots whose metadata (of the plot `p` or the collection `c`) has one of `texts` under one of `keys`."""
        self.where(f"metadata_matches({alias}.metadata, ?, ?)", [json.dumps(keys), json.dumps(texts)])

    def in_region(self, region_uuid: str, stat_type: str, job_id: str, least_share: float) -> None:
        """Keep plots of which at least a share (0..1) lies in a region, as the job of this id found."""
        self.where(
            "p.uuid IN (SELECT q.uuid FROM plot_regions q WHERE q.region_uuid = ? AND q.stat_type = ? AND q.job_id = ? AND q.share >= ?)",
            [region_uuid, stat_type, job_id, least_share],
        )

    def sql(self, select: str, tail: str = "") -> str:
        """Return the statement that selects `select` (SQL of ours), its values being `parameters`."""
        condition, _ = self.window.sql()
        joins = "".join(
            f" LEFT JOIN stat_{name} s{i} ON s{i}.fid = {current_row(name, 'p.uuid', condition)}"
            f" LEFT JOIN batch_jobs j{i} ON j{i}.job_id = s{i}.job_id"
            for i, name in enumerate(self.statistics)
        )
        joins += "".join(f" {sql}" for sql in self.joins)
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        return f"SELECT {select} FROM plots p LEFT JOIN collections c ON c.collection_id = p.collection_id{joins}{where} {tail}"  # nosec B608

    @property
    def parameters(self) -> list[Any]:
        """Values in the order of the statement's marks, before those of `tail`."""
        _, values = self.window.sql()
        return values * len(self.statistics) + self.join_values + self.values


def shown(alias: str, column: Column) -> str:
    """Return the SQL that gives a column as results show it: dates as timestamps with offset (`2020-12-31T00:00:00+00:00`)."""
    name = f"{alias}.{column.name}"
    if column.type == "DATE":
        return f"({name} || 'T00:00:00+00:00')"
    return f"(substr({name}, 1, 19) || '+00:00')" if column.type == "DATETIME" else name


def filter_columns(statistics: Sequence[str]) -> dict[str, tuple[str, Column]]:
    """Return the columns of plots and statistics that a filter may name: name -> (alias, column); plots come first."""
    found: dict[str, tuple[str, Column]] = {}
    for alias, table in (("p", "plots"), *((f"s{i}", f"stat_{name}") for i, name in enumerate(statistics))):
        for column in TABLES[table].columns:
            if column.type in _FILTERABLE:
                found.setdefault(column.name, (alias, column))
    return found


def collection_columns() -> dict[str, tuple[str, Column]]:
    """Return the columns of collections that a filter may name."""
    return {column.name: ("c", column) for column in TABLES["collections"].columns if column.type in _FILTERABLE}


def metadata_keys(connection: sqlite3.Connection, table: str, collection_id: str | None) -> list[str]:
    """Return the metadata keys in use in `plots` or `collections`, in order of first appearance."""
    where, values = ("WHERE t.collection_id = ?", [collection_id]) if collection_id else ("", [])
    sql = f"SELECT k.key FROM {table} t, json_each(t.metadata) k {where} GROUP BY k.key ORDER BY min(t.fid), min(k.id)"  # nosec B608
    return [row[0] for row in connection.execute(sql, values)]


def object_keys(connection: sqlite3.Connection, query: PlotQuery, expression: str) -> list[tuple[str, str]]:
    """Return the keys of a JSON object column over all plots of a query, in order of appearance, with the column type that holds every value."""
    inner = query.sql(f"p.fid AS fid, {expression} AS object")
    sql = (
        "SELECT k.key, group_concat(DISTINCT CASE WHEN k.type IN ('true', 'false', 'object', 'array') THEN 'text' ELSE typeof(k.atom) END)"  # nosec B608
        f" FROM ({inner}) q, json_each(q.object) k GROUP BY k.key ORDER BY min(q.fid), min(k.id)"
    )
    return [(key, _joint_type(set(types.split(",")))) for key, types in connection.execute(sql, query.parameters)]


def _joint_type(types: set[str]) -> str:
    types.discard("null")
    if types == {"integer"}:
        return "INTEGER"
    return "REAL" if types and types <= {"integer", "real"} else "TEXT"


@dataclass(frozen=True)
class StatisticState:
    """How the plots of a query stand for one statistic."""

    stored: int
    unfinished: int
    off_cutoff: int
    windows: int


def states(connection: sqlite3.Connection, query: PlotQuery) -> tuple[int, list[StatisticState]]:
    """Return the number of plots of a query and, per statistic: rows stored, of unfinished jobs, not starting on the cut-off, different windows."""
    parts = ["count(*)"]
    for i, _ in enumerate(query.statistics):
        parts += [
            f"count(s{i}.fid)",
            f"coalesce(sum(s{i}.fid IS NOT NULL AND coalesce(j{i}.status, '') <> 'completed'), 0)",
            f"coalesce(sum(s{i}.monitoring_start <> '{CUTOFF}'), 0)",
            f"count(DISTINCT s{i}.monitoring_start || s{i}.monitoring_end)",
        ]
    row = tuple(connection.execute(query.sql(", ".join(parts)), query.parameters).fetchone())
    return row[0], [StatisticState(*row[1 + 4 * i : 5 + 4 * i]) for i in range(len(query.statistics))]
