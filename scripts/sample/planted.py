"""The planted cases, by the rules of METHODS that they show."""

from __future__ import annotations

import datetime as dt
from typing import Any

from scripts.sample.cases import ALL, BIG, SMALL, WHOLE, Case, Loss, box
from scripts.sample.grids import Rect
from scripts.sample.scene import CROPS, TMF_DEFORESTED, TMF_DEGRADED, TMF_REGROWTH, TREES, YEARS

FIELD = ((box(3.4, 4.3, 30.7, 27.6),),)  # 636 cells, 5.4 ha
CLEAN = {"alert": "no deforestation", "confidence": "no detection", "cells": 0}
UNKNOWN = {"alert": None, "confidence": None, "has": ("not_assessed:coverage",)}


def _found(confidence: str, alert: str, *has: str, **more: Any) -> dict[str, Any]:
    return {"confidence": confidence, "alert": alert, "has": has, **more}


def _big(*systems: str) -> tuple[Loss, ...]:
    return (Loss(systems, BIG, 2022),)


def _blind(*roles: str) -> tuple[tuple[str, Rect], ...]:
    return tuple((role, WHOLE) for role in roles)


def _matrix() -> list[Case]:
    """Every cell of the alert table of METHODS section 3, and the order of its columns."""
    high, medium, low = ALL, ("glad", "radd"), ("glad",)
    cases = []
    for level, systems in (("high", high), ("medium", medium), ("low", low)):
        big = (Loss(systems, BIG, 2022),)
        patch = (Loss(systems, SMALL if level == "low" else BIG, 2023),)
        cases += [
            Case(f"{level}, protected area", _found(level, "critical"), big, FIELD, at="reserve"),
            Case(f"{level}, natural forest", _found(level, "critical"), big, FIELD, marks=(("natural_forest", BIG),)),
            Case(f"{level}, rotation of cocoa", _found(level, "non-critical"), big, FIELD, marks=(("cocoa", WHOLE),)),
            Case(
                f"{level}, rotation in a protected area: protection wins",
                _found(level, "critical"),
                big,
                FIELD,
                marks=(("cocoa", WHOLE),),
                at="reserve",
            ),
            Case(f"{level}, soy never excuses", _found(level, "critical"), big, FIELD, marks=(("soy", WHOLE),)),
            Case(f"{level}, cattle never excuses", _found(level, "critical"), big, FIELD, marks=(("cattle", WHOLE),), at=_WEST[level]),
            Case(f"{level}, large", _found(level, "critical"), big, FIELD),
            Case(
                f"{level}, proposed protected area does not apply",
                _found(level, "critical" if level != "low" else "non-critical"),
                patch,
                FIELD,
                at="proposed",
            ),
        ]
    return [*cases, *_low_matrix(low)]


_WEST = {"high": (939, 1461), "medium": (978, 1461), "low": (1017, 1461)}  # where the cattle layer has data


def _low_matrix(low: tuple[str, ...]) -> list[Case]:
    small = (Loss(low, SMALL, 2024),)
    tight = ((box(10.8, 11.7, 19.2, 19.9),),)  # 69 cells: SMALL is 52 % of it
    return [
        Case("low, small in a large plot", _found("low", "non-critical", cells=36), small, FIELD),
        Case("low, half of a small plot", _found("low", "critical", cells=36), small, tight),
        Case("low, small, protected area", _found("low", "critical", cells=36), small, FIELD, at="reserve"),
        Case("low, small, natural forest", _found("low", "critical", cells=36), small, FIELD, marks=(("natural_forest", SMALL),)),
        Case("low, small, rotation", _found("low", "non-critical", cells=36), small, FIELD, marks=(("cocoa", WHOLE),)),
        Case("low, half of a small plot, rotation", _found("low", "non-critical", cells=36), small, tight, marks=(("cocoa", WHOLE),)),
    ]


def _commodities() -> list[Case]:
    """Which layers excuse a clearing and which do not."""
    old, undated = "commodity_undated:timber", "commodity_undated:coffee"
    big = (Loss(ALL, BIG, 2021),)
    return [
        Case("rotation of palm", _found("high", "non-critical"), big, FIELD, marks=(("palm", WHOLE),)),
        Case("rotation of rubber", _found("high", "non-critical"), big, FIELD, marks=(("rubber", WHOLE),)),
        Case(
            "rotation of palm and cocoa together",
            _found("high", "non-critical"),
            big,
            FIELD,
            marks=(("palm", (0, 0, 13, 36)), ("cocoa", (13, 0, 18, 36))),
        ),
        Case("cocoa under four tenths of the clearing", _found("high", "critical"), big, FIELD, marks=(("cocoa", (0, 0, 14, 36)),)),
        Case("timber of 2024 under a clearing of 2021", _found("high", "critical", old), big, FIELD, marks=(("timber", WHOLE),)),
        Case("coffee layer without a year", _found("high", "critical", undated), big, FIELD, marks=(("coffee", WHOLE),)),
        Case(
            "natural forest under a corner of the clearing",
            _found("high", "critical"),
            big,
            FIELD,
            marks=(("cocoa", WHOLE), ("natural_forest", (9, 9, 12, 12))),
        ),
        Case(
            "edge of the protected area",
            _found("medium", "critical"),
            (Loss(("glad", "radd"), (6, 9, 24, 21), 2022),),
            FIELD,
            marks=(("cocoa", WHOLE),),
            at=(603, 420),
        ),
    ]


def _years() -> list[Case]:
    """Which year counts, and which losses do not."""
    cases = [
        Case(f"cleared in {year}", _found("high", "critical", years=(year,)), (Loss(ALL, (9, 9, 9 + 3 * (year - 2017), 21), year),), FIELD)
        for year in range(2021, 2026)
    ]
    stripes = tuple(Loss(ALL, (column, 9, column + 6, 21), year) for column, year in ((6, 2021), (12, 2023), (18, 2025)))
    history = tuple(Loss(("glad",), (3 * i, 3, 3 * i + 3, 9), 2001 + 2 * i) for i in range(1, 10))
    staircase = tuple(Loss((system,), BIG, year) for system, year in zip(ALL, (2021, 2022, 2023, 2025)))
    before = (Loss(("glad",), BIG, 2015), Loss(("tmf", "dynamic_world"), BIG, 2020))
    day = dt.date
    return [
        *cases,
        Case("only 2021: at the boundary", _found("medium", "critical", "boundary_year", years=(2021,)), (Loss(("glad", "radd"), BIG, 2021),), FIELD),
        Case("three clearings in three years", _found("high", "critical", years=(2021, 2023, 2025), without=("boundary_year",)), stripes, FIELD),
        Case(
            "two systems, three years apart",
            _found("medium", "critical", years=(2022,)),
            (Loss(("glad",), BIG, 2022), Loss(("radd",), BIG, 2025)),
            FIELD,
        ),
        Case("four systems, four years", _found("high", "critical"), staircase, FIELD),
        Case("lost before the cut-off", CLEAN, before, FIELD),
        Case("long history, then 2023", _found("medium", "critical", years=(2023,)), (*history, Loss(("glad", "radd"), BIG, 2023)), FIELD),
        Case("long history only", CLEAN, history, FIELD),
        Case("alert on the cut-off day", CLEAN, (Loss(("radd",), BIG, 2020, day(2020, 12, 31)),), FIELD),
        Case(
            "alert on the first day", _found("low", "critical", "boundary_year", years=(2021,)), (Loss(("radd",), BIG, 2021, day(2021, 1, 1)),), FIELD
        ),
        Case("alert on the last day", _found("low", "critical", years=(2025,)), (Loss(("radd",), BIG, 2025, day(2025, 12, 31)),), FIELD),
        Case("alert in the summer of 2023", _found("low", "critical", years=(2023,)), (Loss(("radd",), BIG, 2023, day(2023, 7, 20)),), FIELD),
    ]


def _series() -> list[Case]:
    """Annual series: persistence, regrowth, degradation, water."""
    later = {year: TMF_REGROWTH for year in YEARS if year >= 2023}
    degraded = {year: TMF_DEGRADED for year in YEARS if year >= 2022}
    glad = Loss(("glad",), BIG, 2024)
    flooded = (("tmf", BIG, {y: 5 for y in YEARS if y >= 2023}), ("dynamic_world", BIG, {y: 0 for y in YEARS if y >= 2023}))
    return [
        Case("trees, crops, trees: no loss", CLEAN, (), FIELD, classes=(("dynamic_world", BIG, {2022: CROPS}),)),
        Case("deforested for one year: no loss", CLEAN, (), FIELD, classes=(("tmf", BIG, {2023: TMF_DEFORESTED}),)),
        Case(
            "flicker, then a lasting loss",
            _found("medium", "critical", years=(2024,)),
            (Loss(("dynamic_world",), BIG, 2024), glad),
            FIELD,
            classes=(("dynamic_world", BIG, {2022: CROPS, 2023: TREES}),),
        ),
        Case("lost in the last year", _found("medium", "critical", years=(2025,)), (Loss(("dynamic_world", "tmf"), BIG, 2025),), FIELD),
        Case("regrowth is not forest", _found("low", "critical", years=(2022,)), (Loss(("tmf",), BIG, 2022),), FIELD, classes=(("tmf", BIG, later),)),
        Case("degraded only", {**CLEAN, "degraded": True}, (), FIELD, classes=(("tmf", BIG, degraded),)),
        Case(
            "degraded, but no forest in the baseline", {**CLEAN, "degraded": True}, (), FIELD, classes=(("tmf", BIG, degraded),), not_forest=(WHOLE,)
        ),
        Case("degraded since before 2020", {**CLEAN, "degraded": False}, (), FIELD, classes=(("tmf", BIG, dict.fromkeys(YEARS, TMF_DEGRADED)),)),
        Case(
            "degraded beside a clearing",
            _found("high", "critical", degraded=True),
            (Loss(ALL, BIG, 2023),),
            FIELD,
            classes=(("tmf", (22, 9, 30, 21), degraded),),
        ),
        Case("flooded by a reservoir", _found("medium", "critical", years=(2023,)), (), FIELD, classes=flooded),
    ]


def _baseline() -> list[Case]:
    """What the baseline decides, and areas too small to decide on."""
    speck = ((box(10.2, 10.3, 10.7, 10.9),),)  # 0.3 cells
    corner = ((box(11.6, 11.7, 12.3, 12.4),),)  # across four cells
    tiny = Loss(ALL, (9, 9, 15, 15), 2022)
    return [
        Case("cleared, but no forest in 2020", CLEAN, (Loss(ALL, BIG, 2022),), FIELD, not_forest=(WHOLE,)),
        Case("half of the clearing was forest", _found("high", "critical"), (Loss(ALL, BIG, 2022),), FIELD, not_forest=((-1, -1, 15, 37),)),
        Case("smaller than a cell", CLEAN, (), speck),
        Case("smaller than a cell, cleared", _found("high", "non-critical", "below_min_area"), (tiny,), speck),
        Case("smaller than a cell, cleared, protected", _found("high", "non-critical", "below_min_area"), (tiny,), speck, at="reserve"),
        Case(
            "smaller than a cell, two systems",
            _found("medium", "non-critical", "below_min_area"),
            (Loss(("glad", "radd"), (9, 9, 15, 15), 2022),),
            speck,
        ),
        Case("smaller than a cell, across four", _found("high", "non-critical", "below_min_area"), (tiny,), corner),
        Case(
            "a sliver of a clearing",
            _found("low", "non-critical", "below_min_area", "edge_only"),
            (Loss(("glad",), BIG, 2022),),
            ((box(20.9, 10.4, 31.2, 18.3),),),
        ),
        Case("edge only", _found("low", "non-critical", "edge_only"), (Loss(("glad",), (-3, 6, 3, 21), 2022),), ((box(2.6, 4.3, 24.4, 24.2),),)),
        Case(
            "edge only, two systems",
            _found("medium", "critical", "edge_only"),
            (Loss(("glad",), (-3, 6, 3, 21), 2022), Loss(("radd",), (-3, 6, 4, 21), 2022)),
            ((box(2.6, 4.3, 24.4, 24.2),),),
        ),
    ]


def _shapes() -> list[Case]:
    """Plots of every shape; clearings inside, in a hole, in a notch, across an edge."""
    inside = (Loss(ALL, (12, 12, 21, 21), 2023),)
    diamond = (((33.2, 17.6), (17.4, 3.1), (2.3, 17.9), (17.8, 33.4)),)
    triangle = (((2.6, 31.4), (33.3, 31.9), (17.1, 3.2)),)
    hexagon = (((2.2, 17.5), (9.7, 31.1), (25.3, 31.2), (33.4, 17.7), (25.6, 3.9), (9.4, 3.8)),)
    ell = (((3.3, 31.6), (31.7, 31.6), (31.7, 22.4), (14.2, 22.4), (14.2, 4.3), (3.3, 4.3)),)
    ring = (box(3.3, 3.4, 32.6, 32.7), box(8.4, 8.3, 22.7, 22.6)[::-1])
    two = ((box(2.3, 3.4, 14.2, 30.6),), (box(18.3, 5.4, 32.7, 28.9),))
    strip = (box(2.3, 16.35, 33.6, 17.85),)
    cut = (Loss(ALL, (12, 12, 30, 30), 2022),)
    return [
        Case("diamond, cleared inside", _found("high", "critical"), inside, (diamond,)),
        Case("diamond, clean", CLEAN, (), (diamond,)),
        Case("diamond, cut by its edge", _found("high", "critical"), cut, (diamond,)),
        Case("triangle, cleared inside", _found("high", "critical"), (Loss(ALL, (12, 15, 21, 27), 2024),), (triangle,)),
        Case("hexagon, cleared inside", _found("high", "critical"), inside, (hexagon,)),
        Case("hexagon, cut by its edge", _found("high", "critical"), cut, (hexagon,)),
        Case("L shape, cleared in the notch only", CLEAN, (Loss(ALL, (18, 6, 30, 18), 2022),), (ell,)),
        Case("L shape, cleared across the bend", _found("high", "critical"), (Loss(ALL, (6, 15, 24, 30), 2022),), (ell,)),
        Case("hole, cleared in the hole only", CLEAN, (Loss(ALL, (12, 12, 18, 18), 2022),), (ring,)),
        Case("hole, cleared across its edge", _found("high", "critical"), (Loss(ALL, (15, 12, 30, 24), 2022),), (ring,)),
        Case("two parts, one cleared", _found("high", "critical"), (Loss(ALL, (21, 9, 30, 24), 2022),), two),
        Case("two parts, cleared between them", CLEAN, (Loss(("glad",), (15, 6, 18, 27), 2022),), two),
        Case("strip with edges inside cells", _found("high", "critical"), (Loss(ALL, (6, 9, 30, 24), 2024),), (strip,)),
        Case("fully cleared", _found("high", "critical"), (Loss(ALL, (-1, -1, 37, 37), 2022),), ((box(6.4, 7.3, 24.8, 26.1),),)),
        Case("cut by one straight edge", _found("high", "critical"), (Loss(ALL, (-1, 9, 18, 21), 2022),), FIELD),
    ]


def _points() -> list[Case]:
    """Point plots: the circle's area is declared or assumed, clearings lie inside."""
    inside = (Loss(("glad", "radd"), (15, 15, 21, 21), 2022),)
    assumed = "area_assumed"
    return [
        Case("point with an area, clean", {**CLEAN, "without": (assumed,)}, points=((18.2, 17.7),), declared_ha=2.5),
        Case("point with an area, cleared inside", _found("medium", "critical", without=(assumed,)), inside, points=((17.9, 18.2),), declared_ha=2.5),
        Case("point without an area, clean", {**CLEAN, "has": (assumed,)}, points=((18.3, 18.4),)),
        Case("point without an area, cleared inside", _found("medium", "critical", assumed), inside, points=((17.6, 18.1),)),
        Case("two points: two plots", {**CLEAN, "has": (assumed,)}, points=((18.2, 18.3), (56.4, 17.8)), at=(2139, 780), width=75),
    ]


def _systems() -> list[Case]:
    """Which systems could see."""
    single = "single_system"
    return [
        Case(
            "three systems see it, the fourth cannot look",
            _found("high", "critical"),
            _big("glad", "tmf", "radd"),
            FIELD,
            no_data=_blind("dynamic_world"),
        ),
        Case("two systems can look, both see it", _found("medium", "critical"), _big("glad", "radd"), FIELD, no_data=_blind("tmf", "dynamic_world")),
        Case("two systems can look, one sees it", _found("low", "critical"), _big("glad"), FIELD, no_data=_blind("tmf", "dynamic_world")),
        Case("one system can look, sees it", _found("low", "critical", single), _big("glad"), FIELD, no_data=_blind("tmf", "dynamic_world", "radd")),
        Case("one system can look, sees nothing", {**CLEAN, "has": (single,)}, (), FIELD, no_data=_blind("tmf", "dynamic_world", "radd")),
        Case("east of Hansen: three systems see it", _found("high", "critical"), _big("tmf", "dynamic_world", "radd"), FIELD, at=(2139, 840)),
        Case("only RADD can look", _found("low", "critical", single), _big("radd"), FIELD, no_data=_blind("tmf", "dynamic_world"), at=(2178, 840)),
        Case("only TMF can look", {**CLEAN, "has": (single,)}, (), FIELD, no_data=_blind("radd", "dynamic_world"), at=(2217, 840)),
        Case(
            "Hansen's file ends inside the plot",
            _found("medium", "critical"),
            (Loss(("glad", "radd"), (9, 9, 18, 21), 2022),),
            FIELD,
            no_data=_blind("tmf", "dynamic_world"),
            at=(2112, 939),
        ),
        Case("no system can look", UNKNOWN, (), FIELD, no_data=_blind("tmf", "dynamic_world", "radd"), at=(2217, 900)),
        Case(
            "record ends in 2023, cleared",
            _found("low", "critical", single, "year_not_covered:2024", "year_not_covered:2025", assessed_end="2023-12-31"),
            _big("national_monitor"),
            FIELD,
            no_data=_blind("tmf", "dynamic_world", "radd"),
            at=(2139, 360),
        ),
        Case(
            "record ends in 2023, clean",
            {**CLEAN, "has": (single, "year_not_covered:2024", "year_not_covered:2025"), "assessed_end": "2023-12-31"},
            (),
            FIELD,
            no_data=_blind("tmf", "dynamic_world", "radd"),
            at=(2178, 360),
        ),
        Case(
            "a short record beside a long one",
            _found("low", "critical", assessed_end="2025-12-31"),
            (Loss(("radd",), BIG, 2024),),
            FIELD,
            no_data=_blind("tmf", "dynamic_world"),
            at=(2217, 360),
        ),
        Case("a national system agrees", _found("high", "critical"), _big("national_monitor", "tmf", "dynamic_world", "radd"), FIELD, at=(2139, 420)),
    ]


def _coverage() -> list[Case]:
    """What was not seen: no data, file edges, gaps, seams."""
    right = (("forest_2020", (20, -1, 37, 37)),)  # the baseline is missing in 39 % of FIELD
    kept = "not_assessed:coverage"
    halves = (("forest_2020", (15, -1, 37, 37)), *((role, (-1, -1, 21, 37)) for role in ("tmf", "dynamic_world", "radd")))
    return [
        Case("baseline in one half, systems in the other", {**UNKNOWN, "nothing_seen": True}, (), FIELD, no_data=halves, at=(2178, 900)),
        Case("outside every raster", UNKNOWN, (), FIELD, at=(2439, 600)),
        Case("far outside every raster", UNKNOWN, (), FIELD, at=(2520, 2460)),
        Case("half outside every raster", UNKNOWN, (), FIELD, at=(2382, 600)),
        Case("baseline has no data", UNKNOWN, (), FIELD, no_data=(("forest_2020", WHOLE),)),
        Case("baseline has no data, losses reported", UNKNOWN, (Loss(ALL, BIG, 2022),), FIELD, no_data=(("forest_2020", WHOLE),)),
        Case("60 % covered, no detection", UNKNOWN, (), FIELD, no_data=right),
        Case("60 % covered, critical", _found("high", "critical", kept), (Loss(ALL, (6, 9, 18, 21), 2022),), FIELD, no_data=right),
        Case(
            "60 % covered, non-critical",
            {**_found("low", "non-critical", kept), "unknown_area": True},
            (Loss(("glad",), SMALL, 2022),),
            FIELD,
            no_data=right,
        ),
        Case("baseline file ends inside the plot", UNKNOWN, (), FIELD, at=(2262, 1560)),
        Case("gap between baseline tiles", UNKNOWN, (), FIELD, at=(603, 1182)),
        Case("gap between baseline tiles, critical", _found("high", "critical", kept), (Loss(ALL, (9, 6, 24, 15), 2022),), FIELD, at=(663, 1182)),
        Case("a corner in the gap: 98 % covered", {**CLEAN, "without": (kept,)}, (), ((box(3.4, 4.3, 30.7, 27.5),),), at=(723, 1173)),
        Case("seam between baseline tiles", _found("high", "critical"), (Loss(ALL, BIG, 2022),), FIELD, at=(1182, 600)),
        Case("seam between TMF tiles", _found("high", "critical"), (Loss(ALL, BIG, 2022),), FIELD, at=(630, 960)),
        Case("seam between TMF tiles, TMF only", _found("low", "critical"), (Loss(("tmf",), BIG, 2022),), FIELD, at=(630, 1008)),
    ]


def all_cases() -> list[Case]:
    """Return every planted case, in the order of METHODS."""
    return [*_matrix(), *_commodities(), *_years(), *_series(), *_baseline(), *_shapes(), *_points(), *_systems(), *_coverage()]
