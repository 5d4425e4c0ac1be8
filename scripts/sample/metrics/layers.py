"""Layers of measured values and classes, painted over rectangles: stored integers, their scale, and what is no number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from scripts.sample.grids import ANALYSIS, DYNAMIC_WORLD, HANSEN, NORTH, WEST, Lattice, Layer, Rect, covering
from scripts.sample.scene import Scene

BIOMASS = covering(Fraction(1, 1125), Fraction(0), Fraction(0))  # ESA CCI: 0.00088888 degrees, 100 m
SOIL = covering(Fraction(1, 400), Fraction(0), Fraction(0))  # 0.0025 degrees, 280 m
CLIMATE = covering(Fraction(1, 240), Fraction(0), Fraction(0))  # 0.0041667 degrees, 460 m
ELEVATION = covering(Fraction(1, 3600), Fraction(-7) - Fraction(1, 7200), Fraction(8) + Fraction(1, 7200))  # SRTM: centres on whole seconds
CANOPY, CANOPY_COARSE = DYNAMIC_WORLD, HANSEN  # 10 m and 28 m

STOCK_YEARS = {"agb": (2015, 2020, 2023, 2024), "agb_sd": (2020, 2023, 2024), "soc": (2020, 2024), "lc": (2015, 2020, 2022, 2025)}
CLIMATE_YEARS = {
    "precipitation": range(2020, 2025), "pet": (2020, 2021, 2022, 2023, 2025), "soil_moisture": range(2014, 2026), "et": range(2017, 2026),
}  # fmt: skip
NO_STOCK, NO_CLASS, NO_HEIGHT, NO_CLIMATE, NO_HEIGHT_ABOVE_SEA = 65535, 0, 255, -9999, -32768
UNDATED = 0  # key of a layer without a year


@dataclass
class Measured:
    """One band: value = stored × scale; the stored values in `blank` are no numbers; `tag` is the file's nodata tag."""

    layer: Layer
    tag: int | None
    scale: float = 1.0
    blank: frozenset[int] = frozenset()

    def at(self, row: int, column: int) -> float | None:
        """Return the value of a cell of the layer's own lattice, None where there is none."""
        stored = self.layer.at(row, column)
        return None if stored is None or stored == self.tag or stored in self.blank else stored * self.scale

    def at_analysis(self, row: int, column: int) -> float | None:
        """Return the value of the cell in which an analysis cell's centre lies."""
        lattice = self.layer.lattice
        return self.at(lattice.index(row, "y"), lattice.index(column, "x"))

    def paint_touched(self, rect: tuple[float, float, float, float], stored: int) -> None:
        """Set every cell that a rectangle of analysis cells (column0, row0, column1, row1) touches."""
        column0, row0, column1, row1 = touched(self.layer.lattice, rect)
        self.layer.values[row0:row1, column0:column1] = stored

    def paint_centres(self, rect: Rect, stored: int) -> None:
        """Set the cells whose centres lie in a rectangle of analysis cells; none if the cells are too large for it."""
        try:
            self.layer.paint(rect, stored)
        except ValueError:
            return


def touched(lattice: Lattice, rect: tuple[float, float, float, float]) -> Rect:
    """Return the cells (column0, row0, column1, row1; upper bounds excluded) that a rectangle of analysis cells touches."""
    step, west, north = float(lattice.step), float(WEST - lattice.west), float(lattice.north - NORTH)
    cell = float(ANALYSIS.step)
    first = [math.floor((start + bound * cell) / step) for start, bound in ((west, rect[0]), (north, rect[1]))]
    last = [math.ceil((start + bound * cell) / step) for start, bound in ((west, rect[2]), (north, rect[3]))]
    return max(0, first[0]), max(0, first[1]), max(0, last[0]), max(0, last[1])


@dataclass
class Ground:
    """The landscape of deforestation and the measured layers on it, by role and year."""

    scene: Scene
    measured: dict[str, dict[int, Measured]]

    @classmethod
    def empty(cls, scene: Scene) -> Ground:
        """Return layers of zeros."""
        layers: dict[str, dict[int, Measured]] = {}
        for role in ("agb", "agb_sd"):
            layers[role] = _years(STOCK_YEARS[role], BIOMASS, "uint16", NO_STOCK)
        layers["soc"] = _years(STOCK_YEARS["soc"], SOIL, "uint16", NO_STOCK, 0.1)
        layers["root_shoot"] = _years((UNDATED,), BIOMASS, "uint8", 255, 0.01)
        layers["lc"] = _years(STOCK_YEARS["lc"], ANALYSIS, "uint8", NO_CLASS)
        layers["chm"] = _years((2020, 2023), CANOPY, "uint8", NO_HEIGHT)
        layers["chm_coarse"] = _years((2022,), CANOPY_COARSE, "uint8", NO_HEIGHT)
        for role, scale in (("precipitation", 1.0), ("pet", 0.1), ("et", 0.1), ("soil_moisture", 0.001)):
            layers[role] = _years(CLIMATE_YEARS[role], CLIMATE, "int16", NO_CLIMATE, scale)
        layers["precipitation_late"] = _years((2022,), CLIMATE, "int16", NO_CLIMATE)  # the second half of that year
        stress = Measured(Layer.filled(CLIMATE, 0, "int16"), NO_CLIMATE, 0.01, frozenset({-1, 9999}))
        layers["water_stress"] = {UNDATED: stress}
        layers["elevation"] = _years((UNDATED,), ELEVATION, "int16", NO_HEIGHT_ABOVE_SEA)
        layers["greenness"] = _years((2020, 2024), SOIL, "int16", NO_CLIMATE, 0.0001)
        return cls(scene, layers)


def _years(years: Iterable[int], lattice: Lattice, dtype: str, tag: int, scale: float = 1.0) -> dict[int, Measured]:
    return {year: Measured(Layer.filled(lattice, 0, dtype), tag, scale) for year in years}
