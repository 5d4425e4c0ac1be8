"""What is planted on single plots and villages for the measured layers, and what must come out: written by hand, before any computing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from scripts.sample.grids import Rect
from scripts.sample.metrics.layers import NO_CLASS, NO_CLIMATE, NO_HEIGHT, NO_HEIGHT_ABOVE_SEA, NO_STOCK

K = 1.24 * 0.47 * 44 / 12  # tCO2e of biomass above and below ground per Mg of dry matter above
HERE: Rect = (2, 3, 32, 29)  # the plot of most cases and a little more, in analysis cells from the stand's corner
AROUND: Rect = (-4, -3, 39, 36)


@dataclass(frozen=True)
class Stroke:
    """One value in every cell that a rectangle touches; in all years, or in some."""

    role: str
    stored: int
    years: tuple[int, ...] = ()
    rect: Rect = HERE


@dataclass(frozen=True)
class Story:
    """A plot, found by its deforestation case: what is painted there, and what must come out by statistic and field.

    In `expect`, `has` and `without` list reason codes; numbers are met within `within` (relative).
    """

    case: str
    strokes: tuple[Stroke, ...]
    expect: dict[str, dict[str, Any]]
    within: float = 1e-9


def _carbon(case: str, strokes: tuple[Stroke, ...], within: float = 1e-9, **expect: Any) -> Story:
    return Story(case, strokes, {"luc_emissions": expect}, within)


def _agb(before: int, after: int, **more: Any) -> tuple[Stroke, ...]:
    """2015 and 2020 hold one biomass, 2023 and 2024 another."""
    return Stroke("agb", before, (2015, 2020), **more), Stroke("agb", after, (2023, 2024), **more)


def _cover(*codes: int) -> tuple[Stroke, ...]:
    return tuple(Stroke("lc", code, (year,)) for year, code in zip((2015, 2020, 2022, 2025), codes))


UNCHANGED = {"luc_tco2eyear": 0.0, "biogenic_tco2eyear": 0.0, "removal_tco2eyear": 0.0}
OUTSIDE: dict[str, Any] = {
    "luc_tco2eyear": None, "biogenic_tco2eyear": None, "soc_tco2eyear": None, "assessed_end": None, "valid_fraction": 0.0,
    "has": ("no_data:agb", "no_data:soc"),
}  # fmt: skip


def carbon_stories() -> list[Story]:
    """METHODS section 4: stocks in Mg/ha of 2020 and 2024, four years apart."""
    forest, crop = _cover(10, 10, 10, 10), _cover(40, 40, 40, 40)
    return [
        _carbon(
            "cleared in 2022", (*_agb(200, 40), *_cover(10, 10, 40, 40), Stroke("agb_sd", 30, (2020,)), Stroke("agb_sd", 40, (2024,))),
            luc_tco2ehayear=-160 * K / 4, biogenic_tco2eyear=0.0, removal_tco2eyear=0.0, sd_of_luc=50 / 160, luc_amortised_tco2ehayear=-160 * K / 20,
            assessed_end="2024-12-31", stock_years=[2020, 2024], annual_lc={"2015": 10, "2020": 10, "2022": 40, "2025": 40},
            without=("loss_after_last_stock", "no_land_use", "land_use_partly", "stock_years_differ:soc"),
        ),
        _carbon("lost before the cut-off", (*_agb(50, 70), Stroke("agb", 90, (2024,)), *crop),
                luc_tco2eyear=0.0, biogenic_tco2ehayear=40 * K / 4, removal_tco2ehayear=40 * K / 4),
        _carbon("long history only", (*_agb(120, 120), *forest), **UNCHANGED, luc_amortised_tco2eyear=0.0, amortisation_years=9),
        # 11.6 of the plot's 27.3 columns are converted; corners are rounded to 1e-8 degrees
        _carbon("cleared, but no forest in 2020", (*_agb(100, 60), *forest, Stroke("lc", 40, (2022, 2025), (2, 3, 15, 29))), 1e-4,
                luc_tco2ehayear=-40 * K / 4 * 11.6 / 27.3, biogenic_tco2ehayear=-40 * K / 4 * 15.7 / 27.3, removal_tco2eyear=0.0),
        _carbon("degraded only", (*_agb(180, 150), *forest), luc_tco2eyear=0.0, biogenic_tco2ehayear=-30 * K / 4, removal_tco2eyear=0.0),
        _carbon("60 % covered, no detection", (*_agb(100, 80), *forest, Stroke("agb", NO_STOCK, (2024,), (20, 3, 32, 29))),
                biogenic_tco2ehayear=-20 * K / 4, partly_covered=True),
        _carbon("outside every raster", (), **OUTSIDE),
        _carbon("far outside every raster", (), **OUTSIDE),
        _carbon("cleared in 2021", (Stroke("soc", 600, (2020,)), Stroke("soc", 500, (2024,))), soc_tco2ehayear=-10 * 44 / 12 / 4),
        _carbon("cleared in 2023", (Stroke("agb_sd", NO_STOCK, (2024,)),),
                luc_uncertainty_sd=None, biogenic_uncertainty_sd=None, has=("sd_coverage",)),
        _carbon("cleared in 2025", (*_agb(160, 150), *_cover(10, 10, 10, 40)),
                luc_tco2ehayear=-10 * K / 4, biogenic_tco2eyear=0.0, has=("loss_after_last_stock",)),
        _carbon("alert on the cut-off day", (*_agb(30, 30), Stroke("agb", 210, (2015,)), *_cover(10, 40, 40, 40)),
                luc_tco2eyear=0.0, luc_amortised_tco2ehayear=-180 * K / 20),
        _carbon("trees, crops, trees: no loss", (*_agb(90, 90), *_cover(10, 10, NO_CLASS, 40)),
                annual_lc={"2015": 10, "2020": 10, "2022": None, "2025": 40}, has=("loss_after_last_stock",)),
        _carbon("deforested for one year: no loss", (*_agb(80, 88), *_cover(60, 60, 60, 60)),
                luc_tco2eyear=0.0, removal_tco2ehayear=8 * K / 4, without=("land_use_partly", "no_land_use")),
        _carbon("no system can look", _cover(*[NO_CLASS] * 4),
                luc_tco2eyear=None, biogenic_tco2eyear=None, luc_amortised_tco2eyear=None, has=("no_land_use",)),
        _carbon("gap between baseline tiles", _cover(*[NO_CLASS] * 4), has=("land_use_partly",), without=("no_land_use",)),
    ]  # fmt: skip


@dataclass(frozen=True)
class CanopyRegion:
    """Heights (m) of a rectangle in analysis cells: one value, or two in columns by turns; and what its plots (by case) must score."""

    rect: Rect
    heights: tuple[int, ...]
    cases: tuple[str, ...]
    expect: dict[str, Any]
    expect_other_settings: dict[str, Any] = field(default_factory=dict)


# Columns of two heights by turns, window 9: 5 columns of one and 4 of the other, Q = sqrt(2) x 20 x sqrt(5 x 4) / 9.
STRIPES_Q = math.sqrt(2) * 20 * math.sqrt(20) / 9
CANOPY_REGIONS = (
    CanopyRegion((2100, 760, 2400, 1010), (20,), ("baseline in one half, systems in the other", "no system can look"),
                 {"diversity_score": 0.5, "uncertainty_sd": 0.0, "annual_chm": {"mean": 20.0, "std": 0.0, "2020": 20.0, "2023": 20.0}}),
    CanopyRegion((860, 1380, 1140, 1580), (3,), ("high, cattle never excuses", "medium, cattle never excuses", "low, cattle never excuses"),
                 {"diversity_score": 0.0, "uncertainty_sd": 0.0}),
    # all above 5 m, so connectivity is 1; with alpha 1 and window 5: 15 and 10 cells, Q = 2 x 15 x 10 x 20 / 625 = 9.6
    CanopyRegion((2060, 270, 2340, 540), (10, 30), ("record ends in 2023, clean", "a national system agrees"),
                 {"diversity_score": 0.5 * STRIPES_Q / 15 + 0.5}, {"diversity_score": 0.5 * 9.6 / 20 + 0.5}),
    CanopyRegion((1110, 530, 1290, 710), (10, 40), ("seam between baseline tiles",), {"diversity_score": 1.0}),
)  # fmt: skip


def canopy_stories() -> list[Story]:
    """METHODS section 5."""
    def score(case: str, strokes: tuple[Stroke, ...], **expect: Any) -> Story:
        return Story(case, strokes, {"biodiversity": expect})

    speck: Rect = (10, 10, 11, 11)
    return [
        score("high, large", (Stroke("chm", 75, (), AROUND),), uncertainty_sd=0.0, annual_chm={"mean": 60.0, "std": 0.0, "2020": 60.0, "2023": 60.0}),
        score("60 % covered, critical", (Stroke("chm", NO_HEIGHT, (2023,), (20, -4, 40, 40)),), partly_covered=True, without=("no_rao",)),
        score("smaller than a cell", (Stroke("chm", NO_HEIGHT, (), (-4, -4, 25, 25)), Stroke("chm", 12, (), speck)),
              diversity_score=None, annual_chm={"mean": 12.0, "std": 0.0, "2020": 12.0, "2023": 12.0}, has=("no_rao",)),
        score("outside every raster", (), diversity_score=None, valid_fraction=0.0, assessed_end=None, has=("no_data:chm",)),
    ]  # fmt: skip


@dataclass(frozen=True)
class Climate:
    """A village's climate: stored precipitation (mm) and potential evapotranspiration (0.1 mm) of every year, water stress (0.01)."""

    rain: int
    demand: int
    stress: int
    expect: dict[str, Any]
    moisture: tuple[int, ...] = ()  # 2014..2025, 0.001
    et: tuple[int, ...] = ()  # 2017..2025, 0.1 mm


RISING = tuple(range(100, 170, 10))  # seven reference years, 2014..2020
ET_STEPS = (6100, 6200, 6300, 6400, 6500, 6600, 6700, 6800, 6900)  # mean 650 mm, SD 10 x sqrt(60 / 8)
# By the village's position in plan.VILLAGES; both sides of every limit of UNEP's classes.
CLIMATES: dict[int, Climate] = {
    0: Climate(40, 10000, 327, {"aridity_class": "hyper-arid", "precipitation_pet_ratio": 0.04, "water_stress_index": 3.27}),
    1: Climate(60, 10000, -1, {"aridity_class": "arid", "water_stress_index": None, "has": ("no_data:water_stress",)}),
    2: Climate(199, 10000, 9999, {"aridity_class": "arid", "water_stress_index": None}),
    3: Climate(201, 10000, -9999, {"aridity_class": "semi-arid", "water_stress_index": None}),
    4: Climate(499, 10000, 0, {"aridity_class": "semi-arid", "water_stress_index": 0.0}),
    5: Climate(501, 10000, 500, {"aridity_class": "dry sub-humid", "water_stress_index": 5.0}),
    6: Climate(649, 10000, 100, {"aridity_class": "dry sub-humid", "has": ("earlier_year:precipitation_pet_ratio",)}),
    7: Climate(651, 10000, 100, {"aridity_class": "humid", "assessed_end": "2025-12-31"}),
    8: Climate(900, 0, 100, {"aridity_class": None, "precipitation_pet_ratio": None, "has": ("pet_not_positive",)}),
    9: Climate(NO_CLIMATE, 10000, 100, {"precipitation_pet_ratio": None, "has": ("no_window_year:precipitation",)}),
    10: Climate(1200, 10000, 100, {"soil_moisture_percentile": 100 * 3.5 / 7}, (*RISING, 90, 100, 165, 170, 130)),
    12: Climate(1200, 10000, 100, {"soil_moisture_percentile": 0.0}, (*RISING, 90, 100, 165, 170, 90)),
    13: Climate(1200, 10000, 100, {"soil_moisture_percentile": 100.0, "has": ("earlier_year:soil_moisture",)},
                (*RISING, 90, 100, 165, 170, NO_CLIMATE)),
    14: Climate(1200, 10000, 100, {"evapotranspiration_anomaly": 40 / (10 * math.sqrt(60 / 8)), "has": ("reference_includes_window:et",)},
                et=ET_STEPS),
    15: Climate(1200, 10000, 100, {"evapotranspiration_anomaly": None, "has": ("no_variation:et",)}, et=(7000,) * 9),
}  # fmt: skip


def terrain_stories() -> list[Story]:
    """METHODS section 1: statistics of a layer of the user's own."""
    def terrain(case: str, strokes: tuple[Stroke, ...], **expect: Any) -> Story:
        return Story(case, strokes, {"extra": {"elevation": expect}})

    flat: dict[str, Any] = {
        "mean": 300.0, "std": 0.0, "min": 300.0, "max": 300.0, "median": 300.0, "p90": 300.0, "majority": 300.0, "minority": 300.0, "variety": 1,
        "area<250": 0.0,
    }  # fmt: skip
    west_east = (Stroke("elevation", 100, (), AROUND), Stroke("elevation", 200, (), (24, -3, 39, 36)))
    return [
        terrain("high, protected area", (Stroke("elevation", 300, (), AROUND),), **flat),
        terrain("low, small in a large plot", west_east, min=100.0, max=200.0, majority=100.0, minority=200.0, median=100.0, p90=200.0, variety=2),
        terrain("low, small, rotation", (Stroke("elevation", NO_HEIGHT_ABOVE_SEA, (), AROUND),), mean=None, count=None, sum=None, classes=None),
    ]


def all_stories() -> list[Story]:
    """Return every planted plot of the measured layers."""
    return [*carbon_stories(), *canopy_stories(), *terrain_stories()]
