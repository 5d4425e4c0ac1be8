"""Copies of the whole store, taken before something irreversible."""

from __future__ import annotations

import os
import sqlite3
import uuid

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store.connection import connect_reading


def copy_database(path: str, target: str) -> None:
    """Copy the last committed state of the store to `target`, replacing an older copy only once the new one is complete."""
    partial = f"{target}.{uuid.uuid4().hex}.partial"  # a name of its own: two threads may want the same copy at once
    try:
        source, copy = connect_reading(path), sqlite3.connect(partial)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
            source.close()
        os.replace(partial, target)
    except (OSError, sqlite3.Error) as error:
        if os.path.exists(partial):
            os.remove(partial)
        raise StoreError(f"The backup copy {target} could not be written ({error}); the store was not changed.") from error
