"""What lists and docks show of the store: collections with their jobs, without the large reports."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.store.codec import decode
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.jobs import JobRow
from epoch_plugin.core.store.schema import TABLES, Table

_LARGE = {"validation_report", "input_payload", "metadata", "provenance", "inputs_key"}


@dataclass(frozen=True)
class CollectionOverview:
    """A collection and its jobs, newest first; reports, metadata and provenance are left empty."""

    collection: CollectionRow
    jobs: tuple[JobRow, ...]


def overview(connection: sqlite3.Connection) -> tuple[CollectionOverview, ...]:
    """Return every collection in the order of staging; as cheap as a dock that looks often needs it."""
    jobs: dict[str, list[JobRow]] = {}
    for values in _rows(connection, TABLES["batch_jobs"], "created DESC, fid DESC"):
        jobs.setdefault(str(values["collection_id"]), []).append(JobRow(**{"inputs_key": "", **values}))
    return tuple(
        CollectionOverview(CollectionRow(**values), tuple(jobs.get(str(values["collection_id"]), ())))
        for values in _rows(connection, TABLES["collections"], "fid")
    )


def _rows(connection: sqlite3.Connection, table: Table, order: str) -> list[dict[str, Any]]:
    columns = [column for column in table.columns if column.name not in _LARGE]
    names = ", ".join(column.name for column in columns)
    found = connection.execute(f"SELECT {names} FROM {table.name} ORDER BY {order}").fetchall()  # nosec B608
    return [{column.name: decode(column, row[column.name]) for column in columns} for row in found]
