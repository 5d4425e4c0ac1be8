"""The API's query string: parsed, matched with columns and metadata keys, turned into conditions with bound values."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.store.queries import PlotQuery, collection_columns, filter_columns, metadata_keys


@dataclass(frozen=True)
class Filter:
    """One key with the texts of which one must match."""

    key: str
    values: tuple[str, ...]


def parse_filters(text: str) -> tuple[Filter, ...]:
    """Parse `plotid=12345&clientid=ABC`: `%XX` and `+` decoded, a repeated key collects its values; raise `InputError` on anything else."""
    grouped: dict[str, list[str]] = {}
    text = text.strip().lstrip("?")
    if not text:
        return ()
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as error:
        raise InputError(f"FILTERS is '{text}' ({error}): write key=value, joined by &, for example plotid=12345&clientid=ABC.") from None
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return tuple(Filter(key, tuple(values)) for key, values in grouped.items())


def apply_filters(connection: sqlite3.Connection, query: PlotQuery, filters: Sequence[Filter], collection_id: str | None) -> None:
    """Add every filter to the query; a key is looked for in columns and metadata exactly, then ignoring case.

    The plot's own columns come before its metadata, and both before the collection's. Raises `InputError` naming close keys.
    """
    vocabulary = _Vocabulary(connection, query, collection_id)
    for wanted in filters:
        if not vocabulary.add(query, wanted):
            raise InputError(vocabulary.unknown(wanted.key))


class _Vocabulary:
    """What a filter key can mean in the plots searched."""

    def __init__(self, connection: sqlite3.Connection, query: PlotQuery, collection_id: str | None):
        self._columns = (filter_columns(query.statistics), collection_columns())
        self._metadata = tuple(metadata_keys(connection, table, collection_id) for table in ("plots", "collections"))

    def add(self, query: PlotQuery, wanted: Filter) -> bool:
        """Add the filter's condition; False if no column and no metadata key has this name."""
        for fold in (str, str.casefold):  # exactly, then ignoring case
            key = fold(wanted.key)
            for alias, columns, keys in zip("pc", self._columns, self._metadata):
                for name, (owner, column) in columns.items():
                    if fold(name) == key:
                        query.column_equals(owner, column, wanted.values)
                        return True
                found = [each for each in keys if fold(each) == key]
                if found:
                    query.metadata_equals(alias, found, wanted.values)
                    return True
        return False

    def unknown(self, key: str) -> str:
        """Return the message for a key that nothing has."""
        known = {name.casefold(): name for names in (*reversed(self._metadata), *self._columns) for name in names}
        close = [known[name] for name in difflib.get_close_matches(key.casefold(), known, n=3, cutoff=0.6)]
        hint = f"Did you mean {', '.join(close)}?" if close else f"Known keys: {', '.join(sorted(known.values())[:40])}."
        return f"FILTERS: no column and no metadata key is called '{key}'. {hint}"
