"""Opening the store's file: read-only, or for writing under the WAL rule."""

from __future__ import annotations

import os
import sqlite3
import time
import urllib.parse

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store.geometry import register_functions

WAIT_SECONDS = 10.0
_TRY_MILLISECONDS = 250
_CACHE_KIB = 16_384  # at most; SQLite's usual 2 MB is less than the pages of an index that one chunk of results touches
_LOG_PAGES = 16_000  # before a commit copies the log (then 64 MB) into the file: pages that every chunk changes are copied once for several
_READ_ONLY_ADVICE = (
    "It can be read but not written there (network drive, read-only file or folder?): copy it to a local disk and use the copy as STORE."
)


def file_uri(path: str, query: str) -> str:
    """Return the SQLite URI of a file on any platform (drive letters and UNC names included)."""
    text = os.path.abspath(path).replace(os.sep, "/")
    prefix = "//" if text.startswith("//") else "" if text.startswith("/") else "/"
    return f"file:{prefix}{urllib.parse.quote(text)}?{query}"


def connect_reading(path: str) -> sqlite3.Connection:
    """Open the file for reading only; it is left byte for byte as it is."""
    try:
        return _connect_reading(path, "mode=ro")
    except sqlite3.OperationalError:
        # A file in WAL mode cannot be shared from a folder where SQLite may not put its -shm file; nobody can write there either.
        if os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
            raise
        return _connect_reading(path, "mode=ro&immutable=1")


def _connect_reading(path: str, query: str) -> sqlite3.Connection:
    # A result may be iterated in another thread than the one that asked for it, never in two at once.
    connection = sqlite3.connect(file_uri(path, query), uri=True, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


def connect_writing(path: str, wait_seconds: float = WAIT_SECONDS) -> sqlite3.Connection:
    """Open the file for writing in WAL mode; raise `StoreError` if WAL is refused for `wait_seconds`.

    QGIS puts a GeoPackage back to `delete` when it opens or closes it, and in that mode its layers can lose features while
    somebody commits: so every writing connection asks for WAL first and believes only the answer.
    """
    connection = sqlite3.connect(file_uri(path, "mode=rwc"), uri=True, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        _enter_wal(connection, path, wait_seconds)
        connection.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        register_functions(connection)
    except BaseException:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


def connect_attached(path: str) -> sqlite3.Connection:
    """Return a connection that is part of the file's WAL: only one that has read is, and while it is open nobody can turn WAL off."""
    connection = connect_writing(path)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _enter_wal(connection: sqlite3.Connection, path: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    connection.execute(f"PRAGMA busy_timeout = {_TRY_MILLISECONDS}")
    while True:
        try:
            answer = str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            answer = str(error)
        if answer == "wal":
            return
        if "readonly" in answer or "read-only" in answer or time.monotonic() >= deadline:
            raise StoreError(f"The store {path} cannot be opened for writing (WAL mode refused: {answer}). {_READ_ONLY_ADVICE}")
        time.sleep(0.05)


def read_only_reason(path: str) -> str | None:
    """Return why an existing store cannot be written as far as file permissions tell, else None."""
    if os.access(path, os.W_OK) and os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
        return None
    return f"The store {path} is read-only. {_READ_ONLY_ADVICE}"
