"""Results: bulk insert into a statistic's table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store.ddl import refresh_contents
from epoch_plugin.core.store.rows import insert_rows
from epoch_plugin.core.store.schema import TABLES

_NOT_STAT_TABLES = ("plot_regions",)


def insert(connection: sqlite3.Connection, statistic: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows of `stat_<statistic>` (or of `plot_regions`) and return how many; a row with the same key (same job) is replaced.

    Keys are column names; lists and dicts become JSON, dates ISO text, `geom` of a supply shed is WKB MULTIPOLYGON.
    """
    name = statistic if statistic in _NOT_STAT_TABLES else f"stat_{statistic}"
    if name not in TABLES:
        raise StoreError(f"There is no table for the statistic '{statistic}'.")
    table = TABLES[name]
    number = insert_rows(connection, table, rows, replace=True)
    if table.kind == "features" and number:
        refresh_contents(connection)
    return number


def count(connection: sqlite3.Connection, statistic: str, job_id: str) -> int:
    """Return how many plots have a row of this job."""
    return int(connection.execute(f"SELECT count(*) FROM {TABLES[f'stat_{statistic}'].name} WHERE job_id = ?", (job_id,)).fetchone()[0])  # nosec B608
