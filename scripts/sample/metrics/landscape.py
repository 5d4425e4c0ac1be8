"""Stocks, canopy, climate and terrain of the country around the planted plots: constants over rectangles, losses followed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.sample.grids import ANALYSIS, NORTH, WEST, Lattice
from scripts.sample.metrics.layers import BIOMASS, CANOPY, CANOPY_COARSE, CLIMATE, ELEVATION, SOIL, UNDATED, Ground
from scripts.sample.plan import Plan

FOREST, CROPLAND, PLANTATION, CLEARED_AGB, CLEARED_M = 10, 40, 30, 25, 1
SEEN_BY = 2  # systems that must report a planted loss for stocks, cover and canopy to follow it
Cells = npt.NDArray[Any]


def paint_country(ground: Ground, plan: Plan) -> None:
    """Fill every layer; what the stories plant comes after."""
    _stocks(ground)
    _cover_and_canopy(ground)
    _climate(ground)
    _terrain(ground)
    _follow_losses(ground, plan)


def _at_centres(values: Cells, lattice: Lattice) -> Cells:
    """Return analysis-grid values at the centres of another lattice's cells (the outermost repeat the edge)."""
    step, cell = float(lattice.step), float(ANALYSIS.step)
    south = (np.arange(lattice.rows) + 0.5) * step - float(lattice.north - NORTH)
    east = (np.arange(lattice.columns) + 0.5) * step - float(WEST - lattice.west)
    rows, columns = (np.clip(np.floor(x / cell).astype(int), 0, ANALYSIS.rows - 1) for x in (south, east))
    found: Cells = values[np.ix_(rows, columns)]
    return found


def _tiles(lattice: Lattice, side: int, kinds: int) -> Cells:
    """Return a pattern of squares of `side` cells, numbered 0..kinds - 1."""
    row, column = np.arange(lattice.rows)[:, None] // side, np.arange(lattice.columns)[None, :] // side
    found: Cells = (row * 7 + column * 5) % kinds
    return found


def _stocks(ground: Ground) -> None:
    forest = ground.scene.single["forest_2020"].values == 1
    here, pattern = _at_centres(forest, BIOMASS), _tiles(BIOMASS, 12, 10)
    for year, layer in ground.measured["agb"].items():
        layer.layer.values[:] = np.where(here, 150 + 10 * pattern + (year - 2015), 30 + 5 * pattern)
    for year, layer in ground.measured["agb_sd"].items():
        layer.layer.values[:] = ground.measured["agb"][year].layer.values // 5
    here, pattern = _at_centres(forest, SOIL), _tiles(SOIL, 6, 10)
    for year, layer in ground.measured["soc"].items():
        layer.layer.values[:] = np.where(here, 520 + 10 * pattern, 400 + 10 * pattern - (year - 2020))
    ground.measured["root_shoot"][UNDATED].layer.values[:] = 20 + 2 * _tiles(BIOMASS, 15, 10)


def _cover_and_canopy(ground: Ground) -> None:
    forest, cocoa = ground.scene.single["forest_2020"].values == 1, ground.scene.single["cocoa"].values == 1
    for layer in ground.measured["lc"].values():
        layer.layer.values[:] = np.where(forest, FOREST, np.where(cocoa, PLANTATION, CROPLAND))
    for role, lattice in (("chm", CANOPY), ("chm_coarse", CANOPY_COARSE)):
        here, crop, pattern = _at_centres(forest, lattice), _at_centres(cocoa, lattice), _tiles(lattice, 40, 6)
        for year, layer in ground.measured[role].items():
            layer.layer.values[:] = np.where(here, 14 + 3 * pattern + (year - 2020) // 3, np.where(crop, 6, 2))


def _climate(ground: Ground) -> None:
    row, column = np.arange(CLIMATE.rows)[:, None], np.arange(CLIMATE.columns)[None, :]
    for year, layer in ground.measured["precipitation"].items():
        layer.layer.values[:] = 1150 + 3 * row - 2 * column + 17 * (year % 3)
    first = ground.measured["precipitation"][2022].layer
    ground.measured["precipitation_late"][2022].layer.values[:] = first.values // 3
    first.values -= ground.measured["precipitation_late"][2022].layer.values
    for year, layer in ground.measured["pet"].items():
        layer.layer.values[:] = 13500 + 40 * column + 90 * (year % 4)
    for year, layer in ground.measured["et"].items():
        layer.layer.values[:] = 8800 + 25 * row + 130 * (year * 5 % 7) + 11 * column * (year % 2)
    for year, layer in ground.measured["soil_moisture"].items():
        layer.layer.values[:] = 240 + 2 * row + 9 * (year * 3 % 8) + column * (year % 3)
    ground.measured["water_stress"][UNDATED].layer.values[:] = 60 + 5 * (row // 6) + 7 * (column // 6)


def _terrain(ground: Ground) -> None:
    ground.measured["elevation"][UNDATED].layer.values[:] = 210 + 10 * _tiles(ELEVATION, 4, 13)
    for year, layer in ground.measured["greenness"].items():
        layer.layer.values[:] = 5200 + 150 * _tiles(SOIL, 3, 9) - 100 * (year - 2020)


def _follow_losses(ground: Ground, plan: Plan) -> None:
    """Where at least two systems report a planted loss, biomass, cover and canopy are gone from that year on."""
    for plot in plan.plots:
        for loss in plot.case.losses:
            if len(loss.systems) < SEEN_BY:
                continue
            column, row = plot.corner
            rect = (max(0, loss.rect[0] + column), max(0, loss.rect[1] + row), loss.rect[2] + column, loss.rect[3] + row)
            for role, stored in (("agb", CLEARED_AGB), ("lc", CROPLAND), ("chm", CLEARED_M), ("chm_coarse", CLEARED_M)):
                for year, layer in ground.measured[role].items():
                    if year >= loss.year:
                        layer.paint_centres(rect, stored)
