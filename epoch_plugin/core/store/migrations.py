"""Bringing an older store up to the current schema, one version at a time."""

from __future__ import annotations

import sqlite3
from typing import Callable

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store import ddl, schema


def _regions_with_names(connection: sqlite3.Connection) -> None:
    """Version 2: regions have a name, and two more figures of water a reference."""
    table = schema.TABLES["stat_supply_shed"]
    there = {row[1] for row in connection.execute("PRAGMA table_info(stat_supply_shed)")}
    names = ["region_name"]
    names += [f"{field}_ref{end}" for field in ("soil_moisture_percentile", "evapotranspiration_anomaly") for end in ("", "_n", "_se", "_year")]
    for name in names:
        if name not in there:
            connection.execute(f"ALTER TABLE stat_supply_shed ADD COLUMN {name} {table.column(name).type}")


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _regions_with_names}
"""Step from the version that is the key to the next one."""


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Run every step from `version` to the current schema inside the caller's transaction, then rebuild the views."""
    for step in range(version, schema.SCHEMA_VERSION):
        if step not in MIGRATIONS:
            raise StoreError(f"The store has version {step}; there is no way from it to version {schema.SCHEMA_VERSION}: use another STORE.")
        MIGRATIONS[step](connection)
    ddl.create_views(connection)
    ddl.refresh_contents(connection)
    connection.execute("UPDATE store_info SET value = ? WHERE name = 'schema_version'", (str(schema.SCHEMA_VERSION),))
