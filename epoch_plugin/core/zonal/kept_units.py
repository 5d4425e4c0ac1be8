"""Decoded windows kept for those who ask again: a coarse layer under a fine grid, and neighbourhoods, are asked for by group after group."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from epoch_plugin.core.datasets.raster import Grid, Tile
from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.kernel import Array

KEPT_BYTES = 32 << 20
STALE = 4  # so many times more turns than windows are put up with

Unit = tuple[Grid, Tile, int, int]  # the grid (on which a vector is burnt), the tile, row and column of the window


@dataclass
class _Kept:
    values: Array
    valid: Bools | None
    worth: float  # seconds of decoding that a byte spares
    turn: tuple[float, int] = (0.0, 0)

    @property
    def size(self) -> int:
        return int(self.values.nbytes) + (0 if self.valid is None else int(self.valid.nbytes))


class KeptUnits:
    """Raw values of windows and where they are data (None: everywhere), for all threads.

    GreedyDual-Size (Cao and Irani 1997): the window goes whose bytes spare least, less what has gone since it was asked for; else
    a fine layer that streams by would drive out the coarse ones that take longest. What is kept changes no number.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES, clock: Callable[[], float] = time.thread_time) -> None:
        """Start empty; `clock` tells seconds of work."""
        self._most_bytes, self._clock = most_bytes, clock
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._units: dict[Unit, _Kept] = {}
            self._turns: list[tuple[float, int, Unit]] = []  # who goes first; entries of those that were asked for again are stale
            self._bytes, self._gone, self._number = 0, 0.0, 0

    def read(self, unit: Unit, values: Array, decode: Callable[[], Bools | None]) -> Bools | None:
        """Fill `values` (what of the window lies in its tile) with a kept window, or by `decode`, which returns where they are data."""
        with self._lock:
            kept = self._units.get(unit)
            if kept is not None:
                self._take_turn(unit, kept)
        if kept is not None:
            values[...] = kept.values
            return kept.valid
        started = self._clock()
        valid = decode()
        kept = _Kept(values.copy(), valid, 0.0)
        kept.worth = (self._clock() - started) / kept.size
        with self._lock:
            if unit not in self._units:  # else another thread was quicker
                self._units[unit] = kept
                self._bytes += kept.size
                self._take_turn(unit, kept)
                self._shrink()
        return valid

    def _take_turn(self, unit: Unit, kept: _Kept) -> None:
        self._number += 1  # of equal ones the older goes first
        kept.turn = (self._gone + kept.worth, self._number)
        heapq.heappush(self._turns, (*kept.turn, unit))
        if len(self._turns) > STALE * len(self._units) + STALE:
            self._turns = [(*one.turn, name) for name, one in self._units.items()]
            heapq.heapify(self._turns)

    def _shrink(self) -> None:
        while self._bytes > self._most_bytes:
            worth, number, unit = heapq.heappop(self._turns)
            kept = self._units.get(unit)
            if kept is not None and kept.turn == (worth, number):
                self._gone = worth
                self._bytes -= self._units.pop(unit).size
