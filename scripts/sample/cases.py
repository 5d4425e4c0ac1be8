"""What each planted plot shows, and what must come out of it: the expectations here are written by hand, before any computing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from scripts.sample.grids import Rect
from scripts.sample.ground import Point

Ring = tuple[Point, ...]
ALL = ("glad", "tmf", "dynamic_world", "radd")
STAND = 36  # side of a plot's own ground in analysis cells (10 m)
WHOLE: Rect = (-1, -1, STAND + 1, STAND + 1)
BIG: Rect = (9, 9, 21, 21)  # 144 cells, 1.22 ha
SMALL: Rect = (12, 12, 18, 18)  # 36 cells, 0.31 ha


@dataclass(frozen=True)
class Loss:
    """A loss that some systems report in a rectangle (analysis cells from the stand's corner) and a year or, for RADD, on a day."""

    systems: tuple[str, ...]
    rect: Rect
    year: int
    day: dt.date | None = None


@dataclass(frozen=True)
class Case:
    """One planted plot. `parts`: rings (outer, then holes) in analysis cells from the stand's corner, rows downwards."""

    name: str
    expect: dict[str, Any]
    losses: tuple[Loss, ...] = ()
    parts: tuple[tuple[Ring, ...], ...] = ()
    points: tuple[Point, ...] = ()  # instead of `parts`
    declared_ha: float | None = None
    marks: tuple[tuple[str, Rect], ...] = ()  # layers that say yes here
    classes: tuple[tuple[str, Rect, dict[int, int]], ...] = ()  # classes of a series, year by year
    no_data: tuple[tuple[str, Rect], ...] = ()
    not_forest: tuple[Rect, ...] = ()  # holes in the baseline
    at: str | tuple[int, int] = "village"
    width: int = STAND
    extra: dict[str, Any] = field(default_factory=dict)


def box(west: float, north: float, east: float, south: float) -> Ring:
    """Return a rectangle as a ring, counter-clockwise on the map."""
    return ((west, south), (east, south), (east, north), (west, north))
