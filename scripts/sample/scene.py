"""The layers of the sample before anything is planted, and the strokes with which losses and layers are painted on them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from scripts.sample.grids import ANALYSIS, DYNAMIC_WORLD, HANSEN, RADD, TMF, Layer, Part, Rect

YEARS = range(2020, 2026)  # December 2020 .. December 2025 of the annual series
COMMODITIES = ("palm", "cocoa", "rubber", "coffee", "soy", "cattle", "timber")

TMF_NO_DATA, DYNAMIC_WORLD_NO_DATA, RADD_NO_DATA, FOREST_NO_DATA = 0, 255, 65535, 255
TMF_UNDISTURBED, TMF_DEGRADED, TMF_DEFORESTED, TMF_REGROWTH, TMF_OTHER = 1, 2, 3, 4, 6
TREES, CROPS = 1, 4  # Dynamic World

# Where the files end, in analysis cells: what lies beyond is not assessed by that layer.
GLAD_EAST = 2130  # Hansen's file stops here
SOUTH_TILES, GAP_END = 1200, 1208  # the south-western baseline tile starts eight cells too low: a gap between tiles
BASELINE_EAST = 2280  # the south-eastern baseline tile is narrower than the landscape
TMF_SEAM = 200  # TMF column at which the western tile ends
NATIONAL: Rect = (2139, 300, 2256, 501)  # a national monitoring service that looks at one corner only
CATTLE_EAST = 1200  # the cattle layer covers the western half only


@dataclass(frozen=True)
class Protected:
    """A protected area: a rectangle in analysis cells (edges inside cells: the burn by cell centre decides) and its attributes."""

    west: float
    north: float
    east: float
    south: float
    attributes: dict[str, Any]

    def covers(self, row: int, column: int) -> bool:
        """Tell whether the centre of an analysis cell lies inside."""
        return self.west < column + 0.5 < self.east and self.north < row + 0.5 < self.south


PROTECTED = (
    Protected(
        150.3, 150.4, 620.7, 520.6, {"SITE_ID": 900001, "NAME": "Forêt classée A (sample)", "DESIG_ENG": "Classified Forest", "STATUS": "Designated"}
    ),
    Protected(
        620.7, 150.4, 760.2, 400.3, {"SITE_ID": 900001, "NAME": "Forêt classée A (sample)", "DESIG_ENG": "Classified Forest", "STATUS": "Designated"}
    ),
    Protected(1500.4, 1900.3, 1760.6, 2100.7, {"SITE_ID": 900002, "NAME": "Réserve B (sample)", "DESIG_ENG": "Nature Reserve", "STATUS": "Proposed"}),
)
MANDATE = (Protected(150.3, 150.4, 450.2, 520.6, {"NAME": "Forêt classée A, noyau (sample)", "DECREE": "sample"}),)


def yyddd(day: dt.date) -> int:
    """Return a date in RADD's packing: two digits of the year, three of the day in the year."""
    return day.year % 100 * 1000 + day.timetuple().tm_yday


@dataclass
class Scene:
    """All layers of the landscape, by role; annual series by year."""

    single: dict[str, Layer]
    series: dict[str, dict[int, Layer]]
    protected: tuple[Protected, ...] = field(default=PROTECTED)
    mandate: tuple[Protected, ...] = field(default=MANDATE)

    @classmethod
    def empty(cls) -> Scene:
        """Return the landscape without forest, loss or commodity."""
        single = {
            "forest_2020": Layer.filled(ANALYSIS, 0, parts=_baseline_tiles()),
            "glad": Layer.filled(HANSEN, 0, parts=(Part("", 0, 0, GLAD_EAST // 3, HANSEN.rows),)),
            "radd": Layer.filled(RADD, 0, "uint16"),
            "national_monitor": Layer.filled(HANSEN, 0, parts=(_hansen_part(NATIONAL),)),
            "natural_forest": Layer.filled(ANALYSIS, 0),
        }
        for role in COMMODITIES:
            lattice = ANALYSIS if role == "cocoa" else DYNAMIC_WORLD if role in ("palm", "rubber") else HANSEN
            parts = (_hansen_part((0, 0, CATTLE_EAST, ANALYSIS.rows)),) if role == "cattle" else ()
            single[role] = Layer.filled(lattice, 0, parts=parts)
        seams = (Part("W", 0, 0, TMF_SEAM, TMF.rows), Part("E", TMF_SEAM, 0, TMF.columns - TMF_SEAM, TMF.rows))
        series = {
            "tmf": {year: Layer.filled(TMF, TMF_OTHER, parts=seams) for year in YEARS},
            "dynamic_world": {year: Layer.filled(DYNAMIC_WORLD, CROPS) for year in YEARS},
        }
        return cls(single, series)

    def forest(self, rect: Rect) -> None:
        """Make a rectangle undisturbed forest for the baseline and every series, and empty everything else there."""
        for layer in self.single.values():
            layer.paint(rect, 0)
        self.single["forest_2020"].paint(rect, 1)
        for year in YEARS:
            self.series["tmf"][year].paint(rect, TMF_UNDISTURBED)
            self.series["dynamic_world"][year].paint(rect, TREES)

    def loss(self, system: str, rect: Rect, year: int, day: dt.date | None = None) -> None:
        """Let one system report a loss in a year (RADD: on a day); series stay without forest to the end."""
        if system == "radd":
            self.single["radd"].paint(rect, yyddd(day or dt.date(year, 3, 17)))
        elif system in self.single:
            self.single[system].paint(rect, year - 2000)
        else:
            code = TMF_DEFORESTED if system == "tmf" else CROPS
            self.classes(system, rect, {y: code for y in YEARS if y >= year})

    def classes(self, system: str, rect: Rect, codes: dict[int, int]) -> None:
        """Set the classes of an annual series, year by year."""
        for year, code in codes.items():
            self.series[system][year].paint(rect, code)

    def no_data(self, role: str, rect: Rect) -> None:
        """Write a layer's no-data value; Hansen's has none (its file ends at GLAD_EAST instead)."""
        if role in self.series:
            code = TMF_NO_DATA if role == "tmf" else DYNAMIC_WORLD_NO_DATA
            self.classes(role, rect, dict.fromkeys(YEARS, code))
        else:
            self.single[role].paint(rect, {"radd": RADD_NO_DATA, "forest_2020": FOREST_NO_DATA}[role])


def _hansen_part(rect: Rect) -> Part:
    column0, row0, column1, row1 = (bound // 3 for bound in rect)
    return Part("", column0, row0, column1 - column0, row1 - row0)


def _baseline_tiles() -> tuple[Part, ...]:
    half, side = ANALYSIS.columns // 2, ANALYSIS.columns
    return (
        Part("NW", 0, 0, half, SOUTH_TILES),
        Part("NE", half, 0, half, SOUTH_TILES),
        Part("SW", 0, GAP_END, half, side - GAP_END),
        Part("SE", half, SOUTH_TILES, BASELINE_EAST - half, side - SOUTH_TILES),
    )
