"""Keeping a store in WAL mode for as long as a process lives, beside software that opens and closes the file as it likes.

A QGIS layer on a file in `delete` mode is read without any lock: it can lose features while somebody commits, and finds
none at all once somebody turns WAL on. While a connection is attached nobody can turn WAL off, and so no layer is ever
opened that way. But in one process with GDAL a SQLite connection alone does not hold: whenever GDAL opens and closes the
file to look at it, POSIX takes away every lock that the process has on it, and the next writer elsewhere, believing
itself alone, deletes the -wal file under the readers. A lock that belongs to an open file description stays.
"""

from __future__ import annotations

import os
import sqlite3
import struct

from epoch_plugin.core.store.connection import connect_attached

# SQLite's file format: connections hold a shared lock on these bytes, and whoever wants to be alone an exclusive one
_SHARED_FIRST, _SHARED_SIZE = 0x40000000 + 2, 510

_kept: dict[str, tuple[sqlite3.Connection, int | None]] = {}


def keep_for_process(path: str) -> None:
    """Keep the store at `path` in WAL mode until the process ends; asking again changes nothing.

    The connection and the file are never closed: closing would take the locks of other connections in this process away.
    """
    real = os.path.realpath(path)
    if real in _kept:
        return
    _kept[real] = (connect_attached(real), _shared_lock(real))


def _shared_lock(path: str) -> int | None:
    """Take the shared lock with a file description of its own; None where the platform keeps locks per handle anyway."""
    try:
        import fcntl

        command, kind = fcntl.F_OFD_SETLK, fcntl.F_RDLCK
    except (ImportError, AttributeError):
        return None
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    # struct flock of 64-bit Linux: type, whence, start, length, process (0 for this kind of lock)
    fcntl.fcntl(descriptor, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0))
    return descriptor
