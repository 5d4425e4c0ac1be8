"""METHODS section 5 a second time: Rao's Q by a double loop, connectivity by direct sums around each block."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.sample.grids import Lattice
from scripts.sample.ground import ECCENTRICITY_2, SEMI_MAJOR_M
from scripts.sample.metrics.layers import CANOPY, Ground, Measured
from scripts.sample.metrics.means import Known, deviation, known, mean, plain_mean, share, weight_of
from scripts.sample.metrics.runs import Run
from scripts.sample.shapes import Shape

HIGHEST_M = 60.0
COARSE_REASON = "cell_size:28"
CELL_M = {True: 9.926, False: 27.62}  # side of a square of a cell's area, fine and coarse canopy, by hand at 7.4 degrees north


def rao_q(heights: Sequence[float], alpha: float) -> float:
    """Return (Σ_i Σ_j |h_i − h_j|^alpha / N²)^(1/alpha): the definition, over all ordered pairs of cells."""
    return math.pow(math.fsum(abs(one - other) ** alpha for one in heights for other in heights) / len(heights) ** 2, 1 / alpha)


@cache
def rao_q_of_counts(counts: tuple[tuple[float, int], ...], alpha: float) -> float:
    """Return the same where (height, how many cells have it) is known: the double loop over heights instead of cells."""
    n = sum(count for _, count in counts)
    pairs = math.fsum(m * k * abs(one - other) ** alpha for one, m in counts for other, k in counts)
    return math.pow(pairs / n**2, 1 / alpha)


class Diversity:
    """The expected rows of `biodiversity` in one run."""

    def __init__(self, ground: Ground, run: Run) -> None:
        self.run, self.ground = run, ground
        entry = run.entry("chm") or {}
        self.role = "chm_coarse" if "coarse" in str(entry["sources"]) else "chm"
        self.years = run.years("chm")
        counted = [year for year in self.years if year in run.window.years]
        self.scored = counted[-1] if counted else None
        self.layers = {year: ground.measured[self.role][year] for year in self.years}
        self.blocks = _Blocks(self.layers[self.scored], self._trees(), run.settings, self.role == "chm") if self.scored is not None else None

    def _trees(self) -> Measured | None:
        """Cocoa as a mask, where it is bound."""
        return Measured(self.ground.scene.single["cocoa"], None) if self.run.entry("tree_mask") is not None else None

    def height(self, year: int, row: int, column: int) -> Known:
        """Return a height in metres, clamped."""
        value = self.layers[year].at(row, column)
        return None if value is None else min(max(value, 0.0), HIGHEST_M)

    def rao(self, row: int, column: int) -> Known:
        """Return Q of a cell of the scored year; None without a height of its own or with under half a window."""
        window, half = self.run.settings["rao_window"], self.run.settings["rao_window"] // 2
        if self.scored is None or self.height(self.scored, row, column) is None:
            return None
        found = Counter(
            height
            for r in range(row - half, row + half + 1)
            for c in range(column - half, column + half + 1)
            if (height := self.height(self.scored, r, c)) is not None
        )
        if 2 * sum(found.values()) < window * window:
            return None
        return rao_q_of_counts(tuple(sorted(found.items())), self.run.settings["rao_alpha"])

    def of(self, shape: Shape) -> dict[str, Any]:
        """Return the expected fields of one plot."""
        lattice = CANOPY if self.role == "chm" else next(iter(self.layers.values())).layer.lattice
        cells = [(row, column, ha) for (row, column), ha in shape.weights(lattice).items()]
        years = {year: mean(known((ha, self.height(year, r, c)) for r, c, ha in cells)) for year in self.years}
        levels = known((ha, plain_mean([self.height(year, r, c) for year in self.years])) for r, c, ha in cells)
        chm: dict[str, Any] = {"mean": plain_mean(list(years.values())), "std": deviation(levels), **{str(y): v for y, v in years.items()}}
        reasons = {"area_assumed"} if shape.assumed else set()
        if self.scored is None or self.blocks is None:
            return _row(None, None, chm, None, {}, reasons | {"no_window_year:chm"})
        there = [(r, c, ha) for r, c, ha in cells if self.height(self.scored, r, c) is not None]
        q = known((ha, self.rao(r, c)) for r, c, ha in there)
        joined = mean([(ha, self.blocks.connectivity(r, c)) for r, c, ha in there])
        score, settings = mean(q), self.run.settings
        if score is not None and joined is not None:
            score = 0.5 * min(1.0, score / settings["rao_reference_m"]) + 0.5 * joined
        valid = share(math.fsum(ha for _, _, ha in there), shape.area)
        if not there:
            reasons.add("no_data:chm")
        elif weight_of(q) == 0:
            reasons.add("no_rao")
        elif self.role != "chm":
            reasons.add(COARSE_REASON)
        end = min(f"{self.scored}-12-31", self.run.end.isoformat()) if there else None
        return _row(score, deviation(q), chm, end, {"chm": valid}, reasons)


def _row(score: Known, sd: Known, chm: dict[str, Any], end: str | None, coverage: dict[str, float], reasons: set[str]) -> dict[str, Any]:
    return {
        "diversity_score": score,
        "uncertainty_sd": sd,
        "annual_chm": chm,
        "assessed_end": end,
        "coverage": coverage,
        "valid_fraction": coverage.get("chm", 0.0),
        "reasons": sorted(reasons),
    }


class _Blocks:
    """Trees and valid cells of blocks of f × f cells; connectivity by a sum over every block around."""

    def __init__(self, heights: Measured, trees: Measured | None, settings: dict[str, Any], fine: bool) -> None:
        self.lattice, self.radius = heights.layer.lattice, settings["connectivity_radius_m"]
        self.side = max(1, math.floor(self.radius / (10 * CELL_M[fine])))
        stored = heights.layer.values.astype(float)
        valid = stored != heights.tag
        tall = stored >= settings["tree_height_m"]
        if trees is not None:  # read where the centre of a canopy cell lies: the middle one of three analysis cells
            tall |= trees.layer.values[1::3, 1::3] == 1
        self.trees, self.valid = self._sums(tall & valid), self._sums(valid)
        self._known: dict[tuple[int, int], float] = {}

    def _sums(self, flags: npt.NDArray[Any]) -> npt.NDArray[Any]:
        rows, columns = (math.ceil(n / self.side) * self.side for n in flags.shape)
        padded = np.zeros((rows, columns))
        padded[: flags.shape[0], : flags.shape[1]] = flags
        found: npt.NDArray[Any] = padded.reshape(rows // self.side, self.side, columns // self.side, self.side).sum(axis=(1, 3))
        return found

    def connectivity(self, row: int, column: int) -> float:
        """Return Σ w t / Σ w around the block of a cell."""
        block = row // self.side, column // self.side
        if block not in self._known:
            self._known[block] = self._around(*block)
        return self._known[block]

    def _around(self, row: int, column: int) -> float:
        down, across = _spacing(self.lattice, self.side, row)
        reach = int(self.radius / min(down, across)) + 2
        rows = np.arange(max(0, row - reach), min(self.valid.shape[0], row + reach + 1))
        columns = np.arange(max(0, column - reach), min(self.valid.shape[1], column + reach + 1))
        distance = np.sqrt(((rows[:, None] - row) * down) ** 2 + ((columns[None, :] - column) * across) ** 2)
        weight = np.where(distance <= self.radius, np.exp(-distance / self.radius), 0.0)
        place = np.ix_(rows, columns)
        return float((weight * self.trees[place]).sum() / (weight * self.valid[place]).sum())


def _spacing(lattice: Lattice, side: int, row: int) -> tuple[float, float]:
    """Return metres to the next block down and across at a block's own latitude: the ellipsoid's two radii of curvature."""
    latitude = math.radians(float(lattice.north) - (row + 0.5) * side * float(lattice.step))
    w2 = 1 - ECCENTRICITY_2 * math.sin(latitude) ** 2
    step = math.radians(side * float(lattice.step))
    return step * SEMI_MAJOR_M * (1 - ECCENTRICITY_2) / w2**1.5, step * SEMI_MAJOR_M * math.cos(latitude) / math.sqrt(w2)
