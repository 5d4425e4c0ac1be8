"""General zonal statistics as one of the batch's statistics (`extra`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.metrics.columns import known_numbers, records
from epoch_plugin.core.metrics.planned import Planned
from epoch_plugin.core.metrics.plot_shape import PlotShape
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons
from epoch_plugin.core.metrics.shares import M2_PER_HA, share, whole_area
from epoch_plugin.core.metrics.zonal_stats.kernel import ZonalStatsKernel
from epoch_plugin.core.metrics.zonal_stats.layers import ZonalStatsPlan, plan_zonal_stats
from epoch_plugin.core.metrics.zonal_stats.summary import summarise
from epoch_plugin.core.metrics.zonal_stats.table import ValueTableKernel
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridResult
from epoch_plugin.core.zonal.reduce import StateAreas, Total, ValueSums
from epoch_plugin.core.zonal.rings import Floats


@dataclass(frozen=True)
class ZonalStatistic(Planned):
    """Planned zonal statistics of all extra layers."""

    plan: ZonalStatsPlan
    window: MonitoringWindow

    @property
    def missing(self) -> tuple[str, ...]:
        """Return nothing: the plan is refused without an extra layer."""
        return ()

    @property
    def provenance(self) -> dict[str, Any]:
        """Return the statistics asked of each layer."""
        return {"stats": {extra.name: [stat.name for stat in extra.kernel.stats] for extra in self.plan.extras}}

    def rows(self, results: Sequence[GridResult], shapes: Sequence[PlotShape]) -> Iterator[dict[str, Any]]:
        """Assess the plots; return their rows, each made when it is asked for: `extra` = {role (or role_year): {statistic: value}}."""
        area = np.array([shape.area for shape in shapes], np.float64)
        values: dict[str, Iterator[dict[str, Any]]] = {}
        coverage: dict[str, Floats] = {}
        for extra in self.plan.extras:
            result = results[extra.place.task]
            found, seen = _summary(extra.kernel, result.kernels[extra.place.kernel], len(area))
            values[extra.name] = found
            coverage[extra.name] = share(seen / M2_PER_HA, whole_area(area, result))
        shares = {name: found.tolist() for name, found in coverage.items()}
        cells = known_numbers(np.where(results[0].clipped, np.nan, results[0].weight / M2_PER_HA))
        return records({
            "uuid": [shape.uuid for shape in shapes],
            "monitoring_start": repeat(self.window.start),
            "monitoring_end": repeat(self.window.end),
            "assessed_end": repeat(None),  # these layers say nothing of when they were seen
            "extra": records(values),
            "coverage": records(shares),
            "valid_fraction": map(min, zip(*shares.values())),
            "reasons": ([*_no_data(seen), *shape_reasons(shape.area, ha, shape.flags)] for seen, shape, ha in zip(records(shares), shapes, cells)),
        })  # fmt: skip


def _no_data(shares: dict[str, float]) -> Iterator[Reason]:
    return (reason("no_data", name) for name, share in shares.items() if share == 0)


def _summary(kernel: ValueTableKernel | ZonalStatsKernel, answer: Total | tuple[Total, ...], n: int) -> tuple[Iterator[dict[str, Any]], Floats]:
    """Return a layer's statistics per plot, and the area (m2) in which it has data."""
    if isinstance(kernel, ValueTableKernel):
        if not isinstance(answer, StateAreas):
            raise TypeError("a table kernel answers in states")
        return kernel.summarise(answer, n), kernel.seen(answer, n)
    if not isinstance(answer, tuple) or not isinstance(answer[0], ValueSums):
        raise TypeError("an extra layer's kernel gives several answers, the first in values")
    return summarise(kernel, answer, n), answer[0].weight


def plan_statistic(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> ZonalStatistic:
    """Plan the statistics of the extra layers; the window only labels the rows."""
    return ZonalStatistic(plan_zonal_stats(datasets, boxes), window)
