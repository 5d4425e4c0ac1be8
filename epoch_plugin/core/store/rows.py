"""Rows in and out of one table, with the columns that the schema knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store.codec import decode, encode, encode_column
from epoch_plugin.core.store.geometry import multipolygon_blobs
from epoch_plugin.core.store.schema import Table

_BATCH = 100  # rows made and held at a time: more are no faster, and longer pauses of Python's garbage collector


def insert_rows(connection: sqlite3.Connection, table: Table, rows: Iterable[Mapping[str, Any]], replace: bool = False) -> int:
    """Insert mappings (column name -> value; `geom` = WKB MULTIPOLYGON of a features table) and return how many.

    With `replace`, a row whose UNIQUE key is already there takes its place. Raises `StoreError` on an unknown column or a
    value that the column cannot hold. Every row has the columns of the first one; a missing one is null.
    """
    source = iter(rows)
    first = list(islice(source, 1))
    if not first:
        return 0
    names = [name for name in ("geom", *table.by_name) if name in first[0]]
    unknown = sorted(set(first[0]) - set(names))
    if unknown or ("geom" in names and table.kind != "features"):
        raise StoreError(f"Table {table.name} has no column {', '.join(unknown) or 'geom'}.")
    statement = _insert_statement(table, names, replace)
    source = chain(first, source)
    count = 0
    while encoded := _encoded(table, names, list(islice(source, _BATCH))):
        if replace and table.kind == "features":
            # An R-tree trigger under an upsert would obey the upsert's conflict rule; so the old rows leave first.
            _delete_keys(connection, table, names, encoded)
        connection.executemany(statement, encoded)
        count += len(encoded)
    return count


def _insert_statement(table: Table, names: Sequence[str], replace: bool) -> str:
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # nosec B608
    if not replace or table.kind == "features":
        return statement
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in table.key)
    return f"{statement} ON CONFLICT ({', '.join(table.key)}) DO " + (f"UPDATE SET {updates}" if updates else "NOTHING")  # nosec B608


def _delete_keys(connection: sqlite3.Connection, table: Table, names: Sequence[str], encoded: Sequence[Sequence[Any]]) -> None:
    places = [names.index(name) for name in table.key]
    condition = " AND ".join(f"{name} = ?" for name in table.key)
    connection.executemany(f"DELETE FROM {table.name} WHERE {condition}", [[row[place] for place in places] for row in encoded])  # nosec B608


def _encoded(table: Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    known = set(names)
    for row in rows:
        if not row.keys() <= known:
            raise StoreError(f"Table {table.name}: every row of one insert has the same columns; {sorted(set(row) - known)} came later.")
    return list(zip(*(_encoded_column(table, name, rows) for name in names)))


def _encoded_column(table: Table, name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    encode_all = multipolygon_blobs if name == "geom" else partial(encode_column, table.column(name))
    values = [row.get(name) for row in rows]
    try:
        return encode_all(values)
    except (ValueError, TypeError, OverflowError):
        for row, value in zip(rows, values):  # which one?
            try:
                encode_all([value])
            except (ValueError, TypeError, OverflowError) as error:
                key = ", ".join(str(row.get(part)) for part in table.key)
                raise StoreError(f"{table.name}.{name} of {key} cannot hold {str(value)[:80]!r}: {error}.") from error
        raise


def update_row(connection: sqlite3.Connection, table: Table, key: str, changes: Mapping[str, Any]) -> None:
    """Change columns of the row whose (single-column) key is `key`; raise `StoreError` on an unknown column."""
    unknown = sorted(set(changes) - set(table.by_name))
    if unknown:
        raise StoreError(f"Table {table.name} has no column {', '.join(unknown)}.")
    if not changes:
        return
    values = [encode(table, name, value) for name, value in changes.items()]
    assignments = ", ".join(f"{name} = ?" for name in changes)
    connection.execute(f"UPDATE {table.name} SET {assignments} WHERE {table.key[0]} = ?", [*values, key])  # nosec B608


def decoded(table: Table, row: sqlite3.Row) -> dict[str, Any]:
    """Return a row of `SELECT *` as column name -> value, JSON parsed, without `fid` and `geom`."""
    return {name: decode(column, row[name]) for name, column in table.by_name.items()}
