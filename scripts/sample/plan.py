"""Puts the cases and some two hundred ordinary plots into the landscape, and tells what each plot must show."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from scripts.sample.cases import STAND, Case, box
from scripts.sample.grids import ANALYSIS, NORTH, WEST, Rect
from scripts.sample.landscape import paint_landscape, scatter_clearings
from scripts.sample.planted import all_cases
from scripts.sample.scene import Scene
from scripts.sample.shapes import Shape, circle, polygon

SEED = 20201231
PITCH = 39  # stands do not share cells of any layer
POINT_AREA_HA = 4.0
ORDINARY = 176
CLEARINGS = 40
VILLAGES = (
    (300, 760), (720, 830), (1000, 540), (1400, 300), (1740, 500), (1500, 830), (1850, 940),
    (400, 1500), (800, 1410), (1140, 1650), (560, 1950), (1000, 2140), (1450, 1500), (1790, 1480), (1720, 1750), (1380, 2080),
)  # fmt: skip
GIVEN = (
    "Adjoua",
    "Akissi",
    "Aya",
    "Affoué",
    "Yao",
    "Koffi",
    "Kouakou",
    "Konan",
    "Moussa",
    "Salimata",
    "Issouf",
    "Mariam",
    "Serge",
    "Clarisse",
    "Honoré",
)
FAMILY = ("KOUADIO", "KOUASSI", "N'GUESSAN", "KONÉ", "TRAORÉ", "OUATTARA", "GBANÉ", "ZADI", "GUEI", "BAMBA", "DIABATÉ", "SÉRI", "TOURÉ", "YAPI")


@dataclass(frozen=True)
class Plot:
    """One feature of plots.geojson: its case, the corner of its stand, its GeoJSON geometry and the shapes that are assessed, by plot id."""

    case: Case
    corner: tuple[int, int]  # column, row in analysis cells
    geometry: dict[str, Any]
    shapes: dict[str, Shape]
    properties: dict[str, Any]


@dataclass
class Plan:
    """The painted landscape and its plots, in file order."""

    scene: Scene
    plots: list[Plot]


def make_plan() -> Plan:
    """Paint the landscape and place every plot; the same each time."""
    draw = random.Random(SEED)
    scene = Scene.empty()
    paint_landscape(scene, SEED)
    placed = _place(draw, all_cases())
    scatter_clearings(scene, SEED + 1, CLEARINGS, VILLAGES, [_ground(case, corner) for case, corner in placed if case.name != "ordinary"])
    for case, corner in placed:
        if case.name != "ordinary":
            _paint(scene, case, corner)
    placed.sort(key=lambda item: (item[1][0] // 240, item[1][1] // 240, item[1]))
    return Plan(scene, [_plot(draw, number, case, corner) for number, (case, corner) in enumerate(placed, 1)])


def _place(draw: random.Random, cases: list[Case]) -> list[tuple[Case, tuple[int, int]]]:
    """Give every case a stand of its own, and ordinary plots the village stands that remain."""
    villages = [(cx // 3 * 3 + PITCH * i, cy // 3 * 3 + PITCH * j) for cx, cy in VILLAGES for i in range(-2, 3) for j in range(-2, 3)]
    stands = {
        "reserve": [(177 + PITCH * i, 177 + PITCH * j) for j in range(8) for i in range(10)],
        "proposed": [(1521 + PITCH * i, 1920 + PITCH * j) for j in range(4) for i in range(5)],
        "village": villages,
    }
    fixed = [_ground(case, case.at) for case in cases if not isinstance(case.at, str)]
    for name, corners in stands.items():
        free = [c for c in corners if not any(_touch(_cells(c, STAND), other) for other in fixed)]
        draw.shuffle(free)
        stands[name] = free
    placed = [(case, stands[case.at].pop() if isinstance(case.at, str) else case.at) for case in cases]
    return placed + [(_ordinary(draw), stands["village"].pop()) for _ in range(ORDINARY)]


def _ordinary(draw: random.Random) -> Case:
    """Return a farmer's plot as the landscape has it: a rectangle or an irregular polygon of 0.3 to 4 ha."""
    radius = math.exp(draw.uniform(math.log(3.4), math.log(11.5)))
    x, y = 17.5 + draw.uniform(-4, 4), 17.5 + draw.uniform(-4, 4)
    if draw.random() < 0.3:
        w, h = radius * draw.uniform(0.75, 1.15), radius * draw.uniform(0.75, 1.15)
        return Case("ordinary", {}, parts=((box(x - w, y - h, x + w, y + h),),))
    count, turn = draw.randrange(4, 10), draw.random()
    corners = [(2 * math.pi * (k + turn + draw.uniform(-0.25, 0.25)) / count, radius * draw.uniform(0.8, 1.25)) for k in range(count)]
    ring = tuple((x + r * math.cos(a), y - r * math.sin(a)) for a, r in corners)
    return Case("ordinary", {}, parts=((ring,),))


def _cells(corner: tuple[int, int], width: int) -> Rect:
    return corner[0] - 1, corner[1] - 1, corner[0] + width + 1, corner[1] + STAND + 1


def _ground(case: Case, corner: Any) -> Rect:
    return _cells(corner, case.width)


def _touch(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _clipped(rect: Rect, corner: tuple[int, int]) -> Rect | None:
    """Move a rectangle from the stand to the landscape; None outside it."""
    moved = (rect[0] + corner[0], rect[1] + corner[1], min(rect[2] + corner[0], ANALYSIS.columns), min(rect[3] + corner[1], ANALYSIS.rows))
    return moved if moved[0] < moved[2] and moved[1] < moved[3] else None


def _paint(scene: Scene, case: Case, corner: tuple[int, int]) -> None:
    """Paint a case's ground, then what lies on it, in the order in which the fields of `Case` are written here."""
    ground = _clipped((-1, -1, case.width + 1, STAND + 1), corner)
    if ground is None:
        return
    scene.forest(ground)
    for rect in filter(None, (_clipped(r, corner) for r in case.not_forest)):
        scene.single["forest_2020"].paint(rect, 0)
    for role, local in case.marks:
        _stroke(corner, local, lambda rect, role=role: scene.single[role].paint(rect, 10 if role == "natural_forest" else 1))
    for loss in case.losses:
        for system in loss.systems:
            _stroke(corner, loss.rect, lambda rect, s=system, item=loss: scene.loss(s, rect, item.year, item.day))
    for system, local, codes in case.classes:
        _stroke(corner, local, lambda rect, s=system, c=codes: scene.classes(s, rect, c))
    for role, local in case.no_data:
        _stroke(corner, local, lambda rect, role=role: scene.no_data(role, rect))


def _stroke(corner: tuple[int, int], local: Rect, paint: Any) -> None:
    rect = _clipped(local, corner)
    if rect is not None:
        paint(rect)


def _degrees(corner: tuple[int, int], x: float, y: float) -> tuple[float, float]:
    """Return (lon, lat) with the eight decimals that plots.geojson holds: the truth is that of the rounded corners."""
    step = float(ANALYSIS.step)
    return round(float(WEST) + (corner[0] + x) * step, 8), round(float(NORTH) - (corner[1] + y) * step, 8)


def _plot(draw: random.Random, number: int, case: Case, corner: tuple[int, int]) -> Plot:
    plotid = f"VAV-{number:04d}"
    points = [_degrees(corner, *p) for p in case.points]
    if points:
        area = case.declared_ha or POINT_AREA_HA
        names = [plotid] if len(points) == 1 else [f"{plotid}-{k}" for k in range(1, len(points) + 1)]
        shapes = {name: circle(*p, area, case.declared_ha is None) for name, p in zip(names, points)}
        geometry: dict[str, Any] = {"type": "Point", "coordinates": points[0]} if len(points) == 1 else {"type": "MultiPoint", "coordinates": points}
    else:
        parts = tuple(tuple(tuple(_degrees(corner, *p) for p in ring) for ring in rings) for rings in case.parts)
        shapes = {plotid: polygon(parts)}
        closed = [[[*ring, ring[0]] for ring in rings] for rings in parts]
        geometry = {"type": "Polygon", "coordinates": closed[0]} if len(parts) == 1 else {"type": "MultiPolygon", "coordinates": closed}
    return Plot(case, corner, geometry, shapes, _properties(draw, plotid, case, shapes[min(shapes)].area))


def _properties(draw: random.Random, plotid: str, case: Case, area: float) -> dict[str, Any]:
    """Return attributes as in the API's example; `area` is what the farmer declared (hectares), absent where the case says so."""
    given, family = draw.choice(GIVEN), draw.choice(FAMILY)
    cooperative = draw.randrange(1, 5)
    declared = case.declared_ha if case.points else round(area, 2) or None
    return {
        "plotId": plotid,
        "farmerName": f"{family} {given}",
        "farmerCode": f"SMP_AXE{cooperative}_{plotid[4:]}",
        "producerid": f"PROD{1 + draw.randrange(220):03d}",
        "plotCode": f"C{cooperative}-{plotid[4:]}",
        "area": declared,
        "system_type": "estate" if area > 5 and draw.random() < 0.2 else "smallholder",
        "case": case.name,
    }


def plots_with_ids(plan: Plan) -> list[tuple[str, Shape, Case]]:
    """Return (plot id, assessed shape, case) of every plot that staging makes, in order."""
    return [(plotid, shape, plot.case) for plot in plan.plots for plotid, shape in plot.shapes.items()]
