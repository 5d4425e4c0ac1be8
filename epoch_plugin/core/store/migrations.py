"""Bringing an older store up to the current schema, one version at a time."""

from __future__ import annotations

import sqlite3
from typing import Callable

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store import ddl, schema

MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}
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
