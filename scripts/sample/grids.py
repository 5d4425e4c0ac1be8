"""The sample's grids, and layers painted on them as rectangles of whole cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.sample.ground import rectangle_ha

WEST, NORTH = Fraction(-66, 10), Fraction(75, 10)  # upper left corner of the landscape
SIDE = 2400  # analysis cells per side: 0.2 degrees

Rect = tuple[int, int, int, int]  # column0, row0, column1, row1 in analysis cells, upper bounds excluded


@dataclass(frozen=True, eq=False)  # compared by identity: hashing fractions is slow, and each grid exists once
class Lattice:
    """A north-up grid of square cells in EPSG:4326, held exactly; cell (row, column) starts at (north − row·step, west + column·step)."""

    step: Fraction
    west: Fraction
    north: Fraction
    columns: int
    rows: int

    def to_cells(self, lon: float, lat: float) -> tuple[float, float]:
        """Return (column, row) coordinates, in cells, of a position in degrees."""
        return (lon - float(self.west)) / float(self.step), (float(self.north) - lat) / float(self.step)

    def cell_ha(self, row: int) -> float:
        """Return the area (ha) of one cell of a row on the ellipsoid; the same for all cells of the row."""
        return _cell_ha(self, row)

    def index(self, analysis: int, axis: str) -> int:
        """Return the column (axis "x") or row ("y") in which the centre of an analysis column or row lies; it may be outside the grid."""
        return _index(self, analysis, axis)


@cache
def _cell_ha(lattice: Lattice, row: int) -> float:
    north = float(lattice.north - row * lattice.step)
    south = float(lattice.north - (row + 1) * lattice.step)
    return rectangle_ha(0.0, south, float(lattice.step), north)


@cache
def _index(lattice: Lattice, analysis: int, axis: str) -> int:
    along = (Fraction(2 * analysis + 1, 2)) * ANALYSIS.step  # distance of the centre from the landscape's corner
    start = WEST - lattice.west if axis == "x" else lattice.north - NORTH
    cells = (start + along) / lattice.step
    edge = abs(cells - round(cells)) * lattice.step
    if edge < Fraction(1, 10**11):
        raise ValueError(f"Analysis {axis} {analysis} has its centre on a cell edge: the planted truth would hang on rounding.")
    return math.floor(cells)


def covering(step: Fraction, corner_west: Fraction, corner_north: Fraction) -> Lattice:
    """Return the lattice of `step` whose lines pass through the given corner and which just covers the landscape."""
    extent = SIDE * ANALYSIS.step
    west = corner_west + math.floor((WEST - corner_west) / step) * step
    north = corner_north - math.floor((corner_north - NORTH) / step) * step
    columns = math.ceil((WEST + extent - west) / step)
    rows = math.ceil((north - (NORTH - extent)) / step)
    return Lattice(step, west, north, columns, rows)


ANALYSIS = Lattice(Fraction(1, 12000), WEST, NORTH, SIDE, SIDE)  # JRC GFC2020's cells
HANSEN = covering(Fraction(1, 4000), WEST, NORTH)  # 0.00025°: three analysis cells
TMF = covering(Fraction(10, 37037), Fraction(-10), Fraction(10))  # JRC TMF: 37037 cells per 10 degrees
DYNAMIC_WORLD = covering(Fraction("0.00008983152841195215"), Fraction(0), Fraction(0))  # Earth Engine's "10 m" at the equator
RADD = covering(Fraction(1, 10000), WEST, NORTH)  # 100,000 cells per 10 degrees


@dataclass(frozen=True)
class Part:
    """One file of a layer: its upper left cell on the layer's lattice and its size in cells."""

    name: str  # "" when the layer is a single file
    column: int
    row: int
    columns: int
    rows: int

    def holds(self, row: int, column: int) -> bool:
        """Tell whether the file covers a cell of the lattice."""
        return 0 <= row - self.row < self.rows and 0 <= column - self.column < self.columns


@dataclass
class Layer:
    """One band: a lattice, a value per cell, and the files that cover the lattice or a part of it."""

    lattice: Lattice
    values: npt.NDArray[Any]
    parts: tuple[Part, ...]

    @classmethod
    def filled(cls, lattice: Lattice, value: int, dtype: str = "uint8", parts: tuple[Part, ...] = ()) -> Layer:
        """Return a layer of one value, in one file unless `parts` says otherwise."""
        whole = Part("", 0, 0, lattice.columns, lattice.rows)
        return cls(lattice, np.full((lattice.rows, lattice.columns), value, dtype=dtype), parts or (whole,))

    def block(self, rect: Rect) -> tuple[slice, slice]:
        """Return the cells whose centres lie in a rectangle of analysis cells; none is a mistake in the sample's plan."""
        column0, row0, column1, row1 = rect
        west, north = WEST + column0 * ANALYSIS.step, NORTH - row0 * ANALYSIS.step
        east, south = WEST + column1 * ANALYSIS.step, NORTH - row1 * ANALYSIS.step
        lattice = self.lattice
        columns = slice(_first_centre((west - lattice.west) / lattice.step), _first_centre((east - lattice.west) / lattice.step))
        rows = slice(_first_centre((lattice.north - north) / lattice.step), _first_centre((lattice.north - south) / lattice.step))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            raise ValueError(f"Rectangle {rect} holds no cell centre of a grid with cells of {float(lattice.step):.7f} degrees.")
        return rows, columns

    def paint(self, rect: Rect, value: int) -> None:
        """Set the cells whose centres lie in a rectangle of analysis cells."""
        self.values[self.block(rect)] = value

    def at(self, row: int, column: int) -> int | None:
        """Return the stored value of a cell of this lattice, None outside every file."""
        for part in self.parts:
            if part.holds(row, column):
                return int(self.values[row, column])
        return None

    def at_analysis(self, row: int, column: int) -> int | None:
        """Return the value of the cell in which an analysis cell's centre lies."""
        return self.at(self.lattice.index(row, "y"), self.lattice.index(column, "x"))


def _first_centre(cells: Fraction) -> int:
    """Return the first cell, not below 0, whose centre lies at or after a position counted in cells."""
    return max(0, math.ceil(cells - Fraction(1, 2)))
