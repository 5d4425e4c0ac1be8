"""Biomass and emissions from land-use change as one of the batch's statistics (`luc_emissions`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.metrics.biomass.assess import assess
from epoch_plugin.core.metrics.biomass.layers import BiomassPlan, plan_biomass
from epoch_plugin.core.metrics.biomass.rows import rows
from epoch_plugin.core.metrics.grid_tasks import describe_grid
from epoch_plugin.core.metrics.planned import Planned
from epoch_plugin.core.metrics.plot_shape import PlotShape
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridResult
from epoch_plugin.core.zonal.rings import Floats


@dataclass(frozen=True)
class BiomassStatistic(Planned):
    """Planned biomass and emissions."""

    plan: BiomassPlan

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the needed roles that are not bound: biomass, unless soil carbon can be assessed alone."""
        kernel = self.plan.kernel
        return () if kernel is not None and (kernel.agb or kernel.soc) else ("agb",)

    @property
    def provenance(self) -> dict[str, Any]:
        """Return the analysis grid, the years compared, and where root-to-shoot ratios came from."""
        kernel = self.plan.kernel
        if kernel is None:
            return {"analysis_grid": None}
        cover = [kernel.land_use.cover.years[k] for k in kernel.land_use.cover_layers]
        ratios = "setting root_shoot" if kernel.root_shoot.constant else "role root_shoot" if kernel.root_shoot.raster else "role ecological_zone"
        return {
            "analysis_grid": describe_grid(self.plan.analysis_role, kernel.grid),
            "stock_years": list(kernel.pair.years) if kernel.pair else None,
            "soc_years": list(kernel.soc_pair.years) if kernel.soc_pair else None,
            "land_cover_years": cover,
            "root_shoot_from": ratios,
        }

    def rows(self, results: Sequence[GridResult], shapes: Sequence[PlotShape]) -> Iterator[dict[str, Any]]:
        """Assess the plots; return their rows, each made when it is asked for."""
        table = assess(self.plan, list(results), np.array([shape.area for shape in shapes], np.float64))
        return rows(table, [shape.uuid for shape in shapes], [shape.flags for shape in shapes])


def plan_statistic(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> BiomassStatistic:
    """Plan the statistic: see `plan_biomass`."""
    return BiomassStatistic(plan_biomass(datasets, window, settings, boxes))
