"""The store: one GeoPackage, created on first use, read by many, written by one at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store import ddl, migrations, schema
from epoch_plugin.core.store.backup import copy_database
from epoch_plugin.core.store.connection import connect_attached, connect_reading, connect_writing, read_only_reason


class Store:
    """One GeoPackage with every collection; `path` is absolute, `read_only` says why it cannot be written (else None)."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the store, create it if the file does not exist, and bring an older one up to date after a backup copy.

        Raises `StoreError`, leaving the file untouched, if it is no GeoPackage, somebody else's GeoPackage, or newer than this plugin.
        """
        self.path = os.path.abspath(os.fspath(path))
        version = _stored_version(self.path)
        if version is None:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            self.read_only: str | None = None
            self._create()
            return
        self.read_only = read_only_reason(self.path)
        if version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"The store {self.path} has version {version}, newer than this plugin knows ({schema.SCHEMA_VERSION}): "
                "update the plugin, or use another STORE."
            )
        if version < schema.SCHEMA_VERSION:
            self._migrate(version)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a read-only connection (`sqlite3.Row` rows), closed on leaving."""
        connection = self.connect_reading()
        try:
            yield connection
        finally:
            connection.close()

    def connect_reading(self) -> sqlite3.Connection:
        """Return a read-only connection that the caller closes."""
        try:
            return connect_reading(self.path)
        except sqlite3.Error as error:
            raise StoreError(f"The store {self.path} cannot be read ({error}).") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one transaction: committed on leaving, rolled back on any exception.

        Raises `StoreError` if the store is read-only, WAL is refused, or somebody else writes for more than 10 s.
        """
        if self.read_only:
            raise StoreError(self.read_only)
        try:
            connection = connect_writing(self.path)
            try:
                with _transaction(connection):
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StoreError(f"The store {self.path} could not be written ({error}); nothing of this step was kept.") from error

    @contextmanager
    def kept_in_wal(self) -> Iterator[None]:
        """Keep the file in WAL mode for as long as the block runs: a job does, so that nobody turns it off between two commits.

        A read-only store is left alone. In a QGIS session that shows the store see `keeper.keep_for_process`.
        """
        if self.read_only:
            yield
            return
        try:
            connection = connect_attached(self.path)
        except sqlite3.Error as error:
            raise StoreError(f"The store {self.path} cannot be held open ({error}).") from error
        try:
            yield
        finally:
            connection.close()

    def _create(self) -> None:
        with self.writing() as connection:
            # Another process may have been faster; the lock of this transaction decides.
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                ddl.create_all(connection)
                connection.execute("INSERT INTO store_info (name, value) VALUES ('schema_version', ?)", (str(schema.SCHEMA_VERSION),))

    def _migrate(self, version: int) -> None:
        copy_database(self.path, f"{self.path}.v{version}.gpkg")
        with self.writing() as connection:
            migrations.upgrade(connection, _version_of(connection))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _stored_version(path: str) -> int | None:
    """Return the schema version of the store at `path`; None if nothing is there yet; raise `StoreError` if it is no store."""
    if not os.path.exists(path):
        return None
    if os.path.isdir(path):
        raise StoreError(f"STORE is a folder ({path}): name a file in it, for example {os.path.join(path, 'collections.gpkg')}.")
    if os.path.getsize(path) == 0:
        return None
    # never open and close the file by other means than SQLite: POSIX would drop the locks of this process's connections
    try:
        connection = connect_reading(path)
    except sqlite3.Error as error:
        if "not a database" in str(error):
            raise StoreError(f"{path} is no GeoPackage; it was left as it is. Choose another file as STORE.") from error
        raise StoreError(f"{path} cannot be read as a GeoPackage ({error}); it was left as it is. Choose another file as STORE.") from error
    try:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables == 0 and not connection.execute("PRAGMA application_id").fetchone()[0]:
            return None  # the creation of a store was cut short
        return _version_of(connection)
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise StoreError(f"{path} is not a store of this plugin; it was left as it is. Choose another file as STORE, or leave it empty.") from error
    finally:
        connection.close()


def _version_of(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM store_info WHERE name = 'schema_version'").fetchone()
    return int(row[0])
