"""The country around the planted plots: forest patches, cocoa, plantations and scattered clearings, from a fixed seed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.sample.grids import HANSEN, Layer, Rect
from scripts.sample.scene import CROPS, TMF_DEGRADED, TMF_OTHER, TMF_UNDISTURBED, TREES, YEARS, Scene

SHRUB = 5  # Dynamic World
Cells = npt.NDArray[Any]


def paint_landscape(scene: Scene, seed: int) -> None:
    """Fill every layer with a plausible country; it is painted before the plots' own ground, which covers it."""
    draw = random.Random(seed)
    height = _noise(draw, 40) * 0.7 + _noise(draw, 12) * 0.3  # one value per Hansen cell, 0..1
    moist, crop = _noise(draw, 60), _noise(draw, 25)
    forest = height > 0.53
    ten_metres = {
        "forest_2020": np.where(forest, 1, 0),
        "natural_forest": _forest_types(height, forest),
        "cocoa": (~forest & (crop < 0.45)).astype(int),
    }
    for role, values in ten_metres.items():
        scene.single[role].values[:] = np.kron(values, np.ones((3, 3), dtype=int))
    for role, mask in {"coffee": crop > 0.8, "soy": moist < 0.12, "cattle": moist > 0.86, "timber": (height > 0.5) & (crop > 0.62)}.items():
        scene.single[role].values[:] = mask & ~forest
    for role, mask in {"palm": (crop > 0.66) & (crop < 0.72), "rubber": (crop > 0.74) & (crop < 0.78)}.items():
        scene.single[role].values[:] = _resampled((mask & ~forest).astype(int), scene.single[role])
    tmf = np.where(forest, np.where(height < 0.545, TMF_DEGRADED, TMF_UNDISTURBED), TMF_OTHER)
    cover = np.where(forest, TREES, np.where(crop > 0.6, SHRUB, CROPS))
    for year in YEARS:
        for system, values in (("tmf", tmf), ("dynamic_world", cover)):
            layer = scene.series[system][year]
            layer.values[:] = _resampled(values, layer)


def scatter_clearings(scene: Scene, seed: int, count: int, centres: Sequence[tuple[int, int]], taken: list[Rect]) -> None:
    """Clear `count` patches of forest around the `centres` that touch none of the `taken` rectangles, each seen by one to four systems."""
    draw = random.Random(seed)
    systems = ("glad", "tmf", "dynamic_world", "radd")
    done = 0
    while done < count:
        centre = draw.choice(centres)
        column, row = ((c + draw.randrange(-110, 111)) // 3 * 3 for c in centre)
        rect = (column, row, column + 3 * draw.randrange(2, 7), row + 3 * draw.randrange(2, 7))
        wood = (rect[0] - 6, rect[1] - 6, rect[2] + 6, rect[3] + 6)
        year, seen_by = draw.randrange(2021, 2026), draw.sample(systems, draw.choice((1, 1, 2, 3, 4)))
        if any(_touch(wood, other) for other in taken):
            continue
        scene.forest(wood)
        for system in sorted(seen_by):
            scene.loss(system, rect, year)
        done += 1


def _touch(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _forest_types(height: Cells, forest: Cells) -> Cells:
    """Return JRC's forest types: 10 primary, 1 naturally regenerating, 20 planted, 0 no forest."""
    types: Cells = np.where(~forest, 0, np.where(height > 0.66, 10, np.where(height > 0.56, 1, 20)))
    return types


def _noise(draw: random.Random, spacing: int) -> Cells:
    """Return smooth value noise of 0..1 on the Hansen grid: random knots every `spacing` cells, joined by smoothsteps."""
    knots = math.ceil(HANSEN.rows / spacing) + 2
    values = np.array([[draw.random() for _ in range(knots)] for _ in range(knots)])
    position = np.arange(HANSEN.rows) / spacing
    index = position.astype(int)
    t = position - index
    t = t * t * (3 - 2 * t)
    across: Cells = values[:, index] * (1 - t) + values[:, index + 1] * t
    result: Cells = across[index, :] * (1 - t)[:, None] + across[index + 1, :] * t[:, None]
    return result


def _resampled(values: Cells, layer: Layer) -> Cells:
    """Return Hansen-grid values at the cell centres of another layer (the outermost cells repeat the edge)."""
    rows = _nearest(layer, "y", layer.lattice.rows)
    columns = _nearest(layer, "x", layer.lattice.columns)
    result: Cells = values[np.ix_(rows, columns)]
    return result


def _nearest(layer: Layer, axis: str, count: int) -> Cells:
    lattice, step = layer.lattice, float(layer.lattice.step)
    start = float(lattice.west - HANSEN.west) if axis == "x" else float(HANSEN.north - lattice.north)
    centres = (start + (np.arange(count) + 0.5) * step) / float(HANSEN.step)
    result: Cells = np.clip(np.floor(centres).astype(int), 0, HANSEN.rows - 1)
    return result
