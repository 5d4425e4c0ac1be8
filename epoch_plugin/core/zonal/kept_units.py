"""Decoded windows kept for those who ask again: a coarse layer under a fine grid, and neighbourhoods, are asked for by group after group."""

from __future__ import annotations

import threading
from collections.abc import Callable

from epoch_plugin.core.datasets.raster import Grid, Tile
from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.kernel import Array

KEPT_BYTES = 64 << 20

Unit = tuple[Grid, Tile, int, int]  # the grid (on which a vector is burnt), the tile, row and column of the window


class KeptUnits:
    """Raw values of windows and where they are data (None: everywhere), for all threads; those asked for last stay longest."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        """Start empty."""
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._units: dict[Unit, tuple[Array, Bools | None]] = {}
        self._bytes = 0

    def read(self, unit: Unit, values: Array, decode: Callable[[], Bools | None]) -> Bools | None:
        """Fill `values` with a kept window, or by `decode`, which returns where they are data."""
        with self._lock:
            known = self._units.pop(unit, None)
            if known is not None:
                self._units[unit] = known
        if known is not None:
            values[...] = known[0]
            return known[1]
        valid = decode()
        self._keep(unit, values.copy(), valid)
        return valid

    def _keep(self, unit: Unit, values: Array, valid: Bools | None) -> None:
        with self._lock:
            if unit in self._units:  # another thread was quicker
                return
            self._units[unit] = (values, valid)
            self._bytes += _size(values, valid)
            while self._bytes > self._most_bytes:
                self._bytes -= _size(*self._units.pop(next(iter(self._units))))

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._units.clear()
            self._bytes = 0


def _size(values: Array, valid: Bools | None) -> int:
    return int(values.nbytes) + (0 if valid is None else int(valid.nbytes))
