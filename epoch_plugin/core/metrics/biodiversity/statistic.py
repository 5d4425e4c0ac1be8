"""Biodiversity as one of the batch's statistics: from the engine's sums to score, uncertainty and canopy heights per plot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.metrics.biodiversity.layers import CANOPY, BiodiversityPlan, plan_biodiversity
from epoch_plugin.core.metrics.grid_tasks import describe_grid
from epoch_plugin.core.metrics.planned import Planned
from epoch_plugin.core.metrics.plot_shape import PlotShape
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons
from epoch_plugin.core.metrics.shares import M2_PER_HA, known, ratio, share, whole_area
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridResult
from epoch_plugin.core.zonal.reduce import ValueSums
from epoch_plugin.core.zonal.rings import Floats

COMPARABLE_CELL_M = 10
WHOLE_METRES_FROM = 5.0  # cell sizes are named in whole metres from here on, in tenths below


@dataclass(frozen=True)
class BiodiversityTable:
    """Numbers per plot; NaN = unknown."""

    score: Floats
    rao_sd: Floats
    annual: dict[int, Floats]
    annual_mean: Floats
    annual_std: Floats
    valid_fraction: Floats
    q_known: Floats  # share of the plot with Rao's Q


def assess(plan: BiodiversityPlan, sums: Sequence[ValueSums], whole_ha: Floats) -> BiodiversityTable:
    """Turn the kernel's sums into a table (METHODS section 5).

    score = 0.5 min(1, Q / rao_reference_m) + 0.5 connectivity, our own scaling, of the plot's area-weighted means.
    """
    nothing = np.full(len(whole_ha), np.nan)
    annual = {year: _mean(sums[1 + k]) for k, year in enumerate(plan.years)}
    table = np.array(list(annual.values())).reshape(len(annual), len(whole_ha))
    there = ~np.isnan(table)
    mean = ratio(np.where(there, table, 0).sum(axis=0), there.sum(axis=0).astype(np.float64))
    std = _sd(sums[0]) if len(sums) else nothing
    if plan.scored is None:
        return BiodiversityTable(nothing, nothing, annual, mean, std, np.zeros(len(whole_ha)), np.zeros(len(whole_ha)))
    height, rao, connectivity = sums[1 + plan.years.index(plan.scored)], sums[-2], sums[-1]
    score = 0.5 * np.minimum(1.0, _mean(rao) / plan.settings.rao_reference_m) + 0.5 * _mean(connectivity)
    valid = share(height.weight / M2_PER_HA, whole_ha)
    return BiodiversityTable(score, _sd(rao), annual, mean, std, valid, share(rao.weight / M2_PER_HA, whole_ha))


def _mean(sums: ValueSums) -> Floats:
    return ratio(sums.weighted, sums.weight)


def _sd(sums: ValueSums) -> Floats:
    """Return the area-weighted population standard deviation of the cells; exactly 0 where they are all alike."""
    variance = np.maximum(ratio(sums.weighted_square, sums.weight) - _mean(sums) ** 2, 0.0)
    return np.where(sums.minimum == sums.maximum, 0.0, np.sqrt(variance))


@dataclass(frozen=True)
class BiodiversityStatistic(Planned):
    """A planned biodiversity score."""

    plan: BiodiversityPlan

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the canopy height where it is not bound at all."""
        return () if self.plan.years else (CANOPY,)

    @property
    def provenance(self) -> dict[str, Any]:
        """Return the years, the grid, and what decides comparability: the cells' size and the blocks of connectivity."""
        if self.plan.place is None:
            return {"analysis_grid": None, "scored_year": None}
        return {
            "analysis_grid": describe_grid(CANOPY, self.plan.tasks[self.plan.place.task].grid),
            "scored_year": self.plan.scored,
            "years": list(self.plan.years),
            "cell_size_m": self.plan.cell_m,
            "connectivity_block_cells": self.plan.block_cells,
        }

    def rows(self, results: Sequence[GridResult], shapes: Sequence[PlotShape]) -> Iterator[dict[str, Any]]:
        """Assess the plots; return their rows, each made when it is asked for."""
        plan, area = self.plan, np.array([shape.area for shape in shapes], np.float64)
        result = None if plan.place is None else results[plan.place.task]
        sums: list[ValueSums] = []
        if plan.place is not None and result is not None:
            sums = _value_sums(result.kernels[plan.place.kernel])
        table = assess(plan, sums, area if result is None else whole_area(area, result))
        return (self._row(table, result, i, shape) for i, shape in enumerate(shapes))

    def _row(self, table: BiodiversityTable, result: GridResult | None, i: int, shape: PlotShape) -> dict[str, Any]:
        plan, valid = self.plan, float(table.valid_fraction[i])
        annual = {str(year): known(values[i]) for year, values in table.annual.items()}
        until = None if plan.scored is None or valid == 0 else min(dt.date(plan.scored, 12, 31), plan.window.end)
        return {
            "uuid": shape.uuid,
            "monitoring_start": plan.window.start,
            "monitoring_end": plan.window.end,
            "assessed_end": until,
            "diversity_score": known(table.score[i]),
            "uncertainty_sd": known(table.rao_sd[i]),
            "annual_chm": {"mean": known(table.annual_mean[i]), "std": known(table.annual_std[i]), **annual},
            "coverage": {} if plan.scored is None else {CANOPY: valid},
            "valid_fraction": valid,
            "reasons": [*self._reasons(table, i), *_shape_reasons(result, i, shape)],
        }

    def _reasons(self, table: BiodiversityTable, i: int) -> list[Reason]:
        plan = self.plan
        if not plan.years:
            return [reason("missing_layer", CANOPY)]
        if plan.scored is None:
            return [reason("no_window_year", CANOPY)]
        if table.valid_fraction[i] == 0:
            return [reason("no_data", CANOPY)]
        if table.q_known[i] == 0:
            return [reason("no_rao", window=plan.settings.rao_window)]
        size = cell_size_name(plan.cell_m)
        return [] if size == f"{COMPARABLE_CELL_M}" else [reason("cell_size", size, cell_size_m=plan.cell_m)]


def cell_size_name(metres: float) -> str:
    """Return a cell size as reasons name it: whole metres, below 5 m with one decimal."""
    return f"{metres:.0f}" if metres >= WHOLE_METRES_FROM else f"{metres:.1f}"


def _value_sums(answers: Any) -> list[ValueSums]:
    if not isinstance(answers, tuple) or not all(isinstance(answer, ValueSums) for answer in answers):
        raise TypeError("the kernel of biodiversity gives sums of values")
    return list(answers)


def _shape_reasons(result: GridResult | None, i: int, shape: PlotShape) -> list[Reason]:
    cells = None if result is None or result.clipped[i] else float(result.weight[i]) / M2_PER_HA
    return shape_reasons(shape.area, cells, shape.flags)


def plan_statistic(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> BiodiversityStatistic:
    """Plan the score: see `plan_biodiversity`."""
    return BiodiversityStatistic(plan_biodiversity(datasets, window, settings, boxes))
