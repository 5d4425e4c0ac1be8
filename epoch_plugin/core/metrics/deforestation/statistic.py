"""The deforestation check as one of the batch's statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.metrics.deforestation.assess import assess
from epoch_plugin.core.metrics.deforestation.layers import DeforestationPlan, plan_deforestation
from epoch_plugin.core.metrics.deforestation.rows import rows
from epoch_plugin.core.metrics.grid_tasks import describe_grid
from epoch_plugin.core.metrics.planned import Planned
from epoch_plugin.core.metrics.plot_shape import PlotShape
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridResult
from epoch_plugin.core.zonal.rings import Floats


@dataclass(frozen=True)
class DeforestationStatistic(Planned):
    """A planned deforestation check."""

    plan: DeforestationPlan

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the needed roles that are not bound."""
        return self.plan.missing

    @property
    def provenance(self) -> dict[str, Any]:
        """Return the analysis grid."""
        if self.plan.analysis is None:
            return {"analysis_grid": None}
        return {"analysis_grid": describe_grid(self.plan.analysis_role, self.plan.tasks[self.plan.analysis.task].grid)}

    def rows(self, results: Sequence[GridResult], shapes: Sequence[PlotShape]) -> Iterator[dict[str, Any]]:
        """Assess the plots; return their rows, each made when it is asked for."""
        table = assess(self.plan, list(results), np.array([shape.area for shape in shapes], np.float64))
        return rows(table, [shape.uuid for shape in shapes], [shape.flags for shape in shapes])


def plan_statistic(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> DeforestationStatistic:
    """Plan the check: see `plan_deforestation`."""
    return DeforestationStatistic(plan_deforestation(datasets, window, settings, boxes))
