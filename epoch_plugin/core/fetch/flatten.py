"""Nested objects as columns of their own, for layers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.fetch.fields import Selected
from epoch_plugin.core.fetch.result import Feature, Field
from epoch_plugin.core.store.queries import PlotQuery, object_keys


@dataclass(frozen=True)
class Flattening:
    """How properties become columns: per source field the keys and their columns; `renamed` lists clashes as (wanted, given)."""

    fields: tuple[Field, ...]
    plain: tuple[tuple[str, str], ...]
    nested: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]
    renamed: tuple[tuple[str, str], ...]

    def properties(self, feature: Feature) -> dict[str, Any]:
        """Return a feature's properties by flattened column; a deeper object stays JSON text."""
        values = {column: feature.properties[name] for name, column in self.plain}
        for name, keys in self.nested:
            text = feature.properties[name]
            stored = json.loads(text) if text else {}
            for key, column, kind in keys:
                values[column] = _column_value(stored.get(key), kind)
        return values


def flattening(connection: sqlite3.Connection, query: PlotQuery, selected: Sequence[Selected]) -> Flattening:
    """Plan the columns of a result from the keys that its plots really have.

    Columns are `<object>_<key>`, keys of `annual_defor` as they are; a name equal to an earlier one but for case gets `_2`.
    """
    names = _Names()
    # Plain fields keep their names whatever the keys are called.
    plain = {entry.field.name: names.free(entry.field.name) for entry in selected if entry.flat_prefix is None}
    fields: list[Field] = []
    nested = []
    for entry in selected:
        if entry.flat_prefix is None:
            fields.append(Field(plain[entry.field.name], entry.field.type, entry.field.alias, entry.field.unit))
            continue
        keys = []
        for key, kind in object_keys(connection, query, entry.sql):
            column = names.free(f"{entry.flat_prefix}_{key}" if entry.flat_prefix else key)
            keys.append((key, column, kind))
            fields.append(Field(column, kind, f"{entry.field.alias}: {key}", entry.field.unit))
        nested.append((entry.field.name, tuple(keys)))
    return Flattening(tuple(fields), tuple(plain.items()), tuple(nested), tuple(names.renamed))


class _Names:
    """Column names that stay different when case is ignored."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self.renamed: list[tuple[str, str]] = []

    def free(self, wanted: str) -> str:
        """Return the name, with `_2`, `_3`, ... behind it if it is taken."""
        name, number = wanted, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        if name != wanted:
            self.renamed.append((wanted, name))
        self._taken.add(name.casefold())
        return name


def _column_value(value: Any, kind: str) -> Any:
    if value is None or kind == "INTEGER":
        return value
    if kind == "REAL":
        return float(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
