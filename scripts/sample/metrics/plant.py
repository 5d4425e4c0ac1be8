"""Puts country and stories into the measured layers."""

from __future__ import annotations

from scripts.sample.grids import Rect
from scripts.sample.metrics.landscape import paint_country
from scripts.sample.metrics.layers import CLIMATE_YEARS, UNDATED, Ground, touched
from scripts.sample.metrics.stories import CANOPY_REGIONS, CLIMATES, CanopyRegion, Climate, all_stories
from scripts.sample.plan import VILLAGES, Plan


def make_ground(plan: Plan) -> Ground:
    """Paint every measured layer; the same each time."""
    ground = Ground.empty(plan.scene)
    paint_country(ground, plan)
    for region in CANOPY_REGIONS:
        _canopy(ground, region)
    corners = {plot.case.name: plot.corner for plot in plan.plots}
    for story in all_stories():
        column, row = corners[story.case]
        for stroke in story.strokes:
            rect = (column + stroke.rect[0], row + stroke.rect[1], column + stroke.rect[2], row + stroke.rect[3])
            for year, layer in ground.measured[stroke.role].items():
                if not stroke.years or year in stroke.years:
                    if layer.layer.lattice.step > 2 * plan.scene.single["forest_2020"].lattice.step:
                        layer.paint_touched(rect, stroke.stored)
                    else:
                        layer.paint_centres(rect, stroke.stored)
    for number, climate in CLIMATES.items():
        _village(ground, village(number), climate)
    return ground


def village(number: int) -> Rect:
    """Return the ground of a village's plots in analysis cells."""
    column, row = VILLAGES[number]
    return column - 80, row - 80, column + 117, row + 117


def _canopy(ground: Ground, region: CanopyRegion) -> None:
    for layer in ground.measured["chm"].values():
        column0, row0, column1, row1 = touched(layer.layer.lattice, region.rect)
        for column in range(column0, min(column1, layer.layer.lattice.columns)):
            layer.layer.values[row0:row1, column] = region.heights[column % len(region.heights)]


def _village(ground: Ground, rect: Rect, climate: Climate) -> None:
    measured = ground.measured
    for year in CLIMATE_YEARS["precipitation"]:
        measured["precipitation"][year].paint_touched(rect, climate.rain)
    if climate.rain > 0:  # the second half of 2022 is a file of its own: a third of the year's rain
        measured["precipitation"][2022].paint_touched(rect, climate.rain - climate.rain // 3)
        measured["precipitation_late"][2022].paint_touched(rect, climate.rain // 3)
    for year in CLIMATE_YEARS["pet"]:
        measured["pet"][year].paint_touched(rect, climate.demand)
    measured["water_stress"][UNDATED].paint_touched(rect, climate.stress)
    for role, values in (("soil_moisture", climate.moisture), ("et", climate.et)):
        for year, stored in zip(CLIMATE_YEARS[role], values):
            measured[role][year].paint_touched(rect, stored)
