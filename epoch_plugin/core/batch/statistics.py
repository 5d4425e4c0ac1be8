"""The statistics that a batch can compute, behind one interface; their tasks merged so that each grid is passed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.entries import Entry
from epoch_plugin.core.datasets.raster import RasterLayer
from epoch_plugin.core.metrics.biodiversity.statistic import plan_statistic as plan_biodiversity
from epoch_plugin.core.metrics.biomass.statistic import plan_statistic as plan_biomass
from epoch_plugin.core.metrics.deforestation.statistic import plan_statistic as plan_deforestation
from epoch_plugin.core.metrics.plot_shape import PlotShape
from epoch_plugin.core.metrics.water.statistic import plan_statistic as plan_water
from epoch_plugin.core.metrics.zonal_stats.statistic import plan_statistic as plan_zonal_stats
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridResult, GridTask
from epoch_plugin.core.zonal.rings import Floats


class Planned(Protocol):
    """Something with tasks for the engine."""

    @property
    def tasks(self) -> tuple[GridTask, ...]:
        """Return kernels by grid."""


class StatisticPlan(Protocol):
    """What one statistic needs from the engine, and how its rows come out of the engine's answers."""

    @property
    def tasks(self) -> tuple[GridTask, ...]:
        """Return kernels by grid."""

    @property
    def layers(self) -> tuple[tuple[Entry, str, RasterLayer], ...]:
        """Return entry, key and layer of everything that is read, for the provenance."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the needed roles that are not bound."""

    @property
    def provenance(self) -> dict[str, Any]:
        """Return what else decided the numbers: the analysis grid, years chosen, ..."""

    def rows(self, results: Sequence[GridResult], shapes: Sequence[PlotShape]) -> Iterator[dict[str, Any]]:
        """Assess the plots; return a row of each for the statistic's table, without collection and job, made when it is asked for."""


PLANNERS: dict[str, Callable[[Datasets, MonitoringWindow, Settings, Floats], StatisticPlan]] = {
    "eudr_deforestation": plan_deforestation,
    "luc_emissions": plan_biomass,
    "biodiversity": plan_biodiversity,
    "water": plan_water,
    "extra": plan_zonal_stats,
}


class MergedTasks:
    """The tasks of several plans, one per grid, and the way back from the engine's results to each plan's own."""

    def __init__(self, plans: Sequence[Planned]) -> None:
        """Join kernels of equal grids, in the order of the plans."""
        merged: dict[Any, list[Any]] = {}
        self._places: list[list[tuple[int, int, int]]] = []
        for plan in plans:
            places = []
            for task in plan.tasks:
                kernels = merged.setdefault((task.grid, task.shape), [])
                places.append((list(merged).index((task.grid, task.shape)), len(kernels), len(kernels) + len(task.kernels)))
                kernels += task.kernels
            self._places.append(places)
        self.tasks = tuple(GridTask(grid, shape, tuple(kernels)) for (grid, shape), kernels in merged.items())

    def results_of(self, plan: int, results: Sequence[GridResult]) -> list[GridResult]:
        """Return the results of one plan's tasks, as if they had been run alone."""
        own = []
        for task, first, last in self._places[plan]:
            result = results[task]
            own.append(GridResult(result.kernels[first:last], result.weight, result.clipped))
        return own
