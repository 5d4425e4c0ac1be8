"""What each detection system says of a cell, and what the systems say together (METHODS sections 2 and 3, written a second time)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from scripts.sample.grids import Layer
from scripts.sample.scene import DYNAMIC_WORLD_NO_DATA, RADD_NO_DATA, TMF_NO_DATA, Scene

MIN_SYSTEMS = 2
SERIES_FOREST = {"tmf": {1, 2}, "dynamic_world": {1}}
SERIES_NO_DATA = {"tmf": TMF_NO_DATA, "dynamic_world": DYNAMIC_WORLD_NO_DATA}


@dataclass(frozen=True)
class Window:
    """start < loss <= end."""

    start: dt.date
    end: dt.date

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Calendar years Y with start < Y-12-31 and Y-01-01 <= end."""
        return tuple(y for y in range(self.start.year, self.end.year + 1) if self.start < dt.date(y, 12, 31) and dt.date(y, 1, 1) <= self.end)


@dataclass(frozen=True)
class Look:
    """What one system says of one cell: years in which it could look, year of the loss it reports inside the window."""

    years: frozenset[int]
    loss: int | None


NOTHING = Look(frozenset(), None)


def looks(scene: Scene, system: str, record: tuple[int, int], window: Window) -> Callable[[int, int], Look]:
    """Return the function (row, column of the analysis grid) -> Look of a system."""
    covered = frozenset(y for y in window.years if record[0] <= y <= record[1])
    if system == "radd":
        return partial(_radd, scene.single["radd"], covered, window)
    if system in scene.series:
        bound = {y: layer for y, layer in scene.series[system].items() if record[0] <= y <= record[1]}
        return partial(_series, bound, system, window)
    return partial(_loss_year, scene.single[system], covered, window)


def _reported(covered: frozenset[int], year: int | None, window: Window) -> Look:
    """A reported loss counts whatever was seen: where there is one, the system has spoken for its year, also beyond its record."""
    loss = year if year in window.years else None
    return Look(covered if loss is None else covered | {loss}, loss)


def _loss_year(layer: Layer, covered: frozenset[int], window: Window, row: int, column: int) -> Look:
    value = layer.at_analysis(row, column)
    if value is None:
        return NOTHING
    return _reported(covered, 2000 + value if value else None, window)


def _radd(layer: Layer, covered: frozenset[int], window: Window, row: int, column: int) -> Look:
    value = layer.at_analysis(row, column)
    if value is None or value == RADD_NO_DATA:
        return NOTHING
    if value == 0:
        return Look(covered, None)
    day = dt.date(2000 + value // 1000, 1, 1) + dt.timedelta(days=value % 1000 - 1)
    return _reported(covered, day.year if window.start < day <= window.end else None, window)


def _series(bound: Mapping[int, Layer], system: str, window: Window, row: int, column: int) -> Look:
    raw = {year: layer.at_analysis(row, column) for year, layer in bound.items()}
    codes = {year: code for year, code in raw.items() if code is not None and code != SERIES_NO_DATA[system]}
    covered = frozenset(y for y in window.years if y in codes and y - 1 in codes)
    forest = {year: code in SERIES_FOREST[system] for year, code in codes.items()}
    for year in sorted(covered):
        following = forest.get(year + 1, False) if year + 1 in window.years else False
        if forest[year - 1] and not forest[year] and not following:
            return Look(covered, year)
    return Look(covered, None)


@dataclass(frozen=True)
class Cell:
    """One analysis cell of a plot."""

    row: int
    column: int
    ha: float
    baseline: bool | None  # None: no data
    looks: Mapping[str, Look]

    @cached_property
    def flags(self) -> dict[str, int]:
        """Systems that flag the cell, with their years."""
        return {s: look.loss for s, look in self.looks.items() if look.loss is not None} if self.baseline else {}

    @cached_property
    def year(self) -> int | None:
        """The lower median of the flagging systems' years."""
        years = sorted(self.flags.values())
        return years[(len(years) - 1) // 2] if years else None

    @cached_property
    def available(self) -> set[str]:
        """Systems that could look in the cell's union year."""
        return {s for s, look in self.looks.items() if self.year in look.years}

    @cached_property
    def consensus(self) -> bool:
        """At least two systems flag the cell."""
        return len(self.flags) >= MIN_SYSTEMS

    @cached_property
    def unanimous(self) -> bool:
        """Every system that could look flags the cell, and at least two could."""
        return len(self.available) >= MIN_SYSTEMS and self.available <= set(self.flags)
