"""Water as one of the batch's statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.metrics.planned import Planned
from epoch_plugin.core.metrics.plot_shape import PlotShape
from epoch_plugin.core.metrics.water.assess import assess
from epoch_plugin.core.metrics.water.layers import STRESS, WaterPlan, plan_water
from epoch_plugin.core.metrics.water.rows import rows
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridResult
from epoch_plugin.core.zonal.rings import Floats


@dataclass(frozen=True)
class WaterStatistic(Planned):
    """Planned water indices."""

    plan: WaterPlan

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the needed roles that are not bound: any one of the five is enough to begin with."""
        return () if self.plan.series or self.plan.stress else (STRESS,)

    @property
    def provenance(self) -> dict[str, Any]:
        """Return the years of each role that are read, and the reference years."""
        return {
            "years": {role: list(places) for role, places in self.plan.series.items()},
            "reference_years": {role: list(reference.years) for role, reference in self.plan.references.items()},
        }

    def rows(self, results: Sequence[GridResult], shapes: Sequence[PlotShape]) -> Iterator[dict[str, Any]]:
        """Assess the plots; return their rows, each made when it is asked for."""
        table = assess(self.plan, list(results), np.array([shape.area for shape in shapes], np.float64))
        return rows(table, [shape.uuid for shape in shapes], [shape.flags for shape in shapes])


def plan_statistic(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> WaterStatistic:
    """Plan the statistic: see `plan_water`."""
    return WaterStatistic(plan_water(datasets, window, settings, boxes))
