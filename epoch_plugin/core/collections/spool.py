"""A file on disk for plots on their way to the store: ids depend on all of them, memory must not."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator

from epoch_plugin.core.collections.plots import Plot


class PlotSpool:
    """Keeps plots in order; a context manager that removes its file."""

    def __init__(self) -> None:
        """Create an empty spool in the temporary folder."""
        handle, self._path = tempfile.mkstemp(prefix="epoch-plots-", suffix=".sqlite")
        os.close(handle)
        # a generator may be advanced by another thread than the one that made it; never by two at once
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-20000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(
            "CREATE TABLE plots (source_row INTEGER, plotid TEXT, polygon BLOB, source_geometry BLOB, area REAL, text TEXT, metadata TEXT, "
            "flags TEXT)"
        )
        self._connection.execute("BEGIN")
        self.count = 0

    def __enter__(self) -> PlotSpool:
        """Return the spool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file."""
        self._connection.close()
        os.remove(self._path)

    def add(self, plot: Plot) -> None:
        """Append a plot."""
        values = (plot.row, plot.plotid, plot.polygon, plot.source_geometry, plot.area, plot.text, plot.metadata, " ".join(plot.flags))
        self._connection.execute("INSERT INTO plots VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        self.count += 1

    def chunks(self, size: int) -> Iterator[list[Plot]]:
        """Yield the plots in order, `size` at a time."""
        cursor = self._connection.execute("SELECT * FROM plots ORDER BY rowid")
        while rows := cursor.fetchmany(size):
            yield [_plot(*row) for row in rows]


def _plot(row: int, plotid: str, polygon: bytes, source: bytes | None, area: float, text: str, metadata: str, flags: str) -> Plot:
    return Plot(row, plotid, polygon, source, area, text, metadata, tuple(flags.split()))
