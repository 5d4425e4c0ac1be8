"""From a layer's sums to its statistics per plot (METHODS section 1): weights are covered fraction x true cell area unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.extra_stats import ExtraStat
from epoch_plugin.core.metrics.quantities import Floats
from epoch_plugin.core.metrics.shares import M2_PER_HA
from epoch_plugin.core.metrics.zonal_stats.kernel import ZonalStatsKernel, values_of
from epoch_plugin.core.metrics.zonal_stats.values import by_value, moment
from epoch_plugin.core.zonal.reduce import KeyedSums, Total, ValueSums


def summarise(kernel: ZonalStatsKernel, answers: Sequence[Total], n_plots: int) -> Iterator[dict[str, Any]]:
    """Yield {statistic: value} per plot, by the names of the grammar; all null where no touched cell has data.

    mean = sum(w v) / sum(w); std = population standard deviation with the same weights; sum = sum(covered fraction x v), for rasters
    that hold amounts per cell; min, max, variety, count over touched cells with data; area..., classes in ha.
    """
    values = answers[0]
    if not isinstance(values, ValueSums):
        raise TypeError("the first answer of an extra layer is its values")
    areas = {stat.name: answer for stat, answer in zip(kernel.areas, answers[1:])}
    per_value = answers[-1]
    slices: Iterator[tuple[Floats, Floats]] = iter(())
    if isinstance(per_value, KeyedSums):
        slices = _distributions(per_value, n_plots)
    for i in range(n_plots):
        found, weights = next(slices, (np.zeros(0), np.zeros(0)))
        if values.count[i] == 0:
            yield {stat.name: None for stat in kernel.stats}
            continue
        yield {stat.name: _value(stat, i, values, areas, found, weights) for stat in kernel.stats}


def _distributions(sums: KeyedSums, n_plots: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield per plot its values, ascending, and the area (m2) of each."""
    values = values_of(sums.key)
    ends = np.searchsorted(sums.plot, np.arange(n_plots), side="right").tolist()
    start = 0
    for end in ends:
        yield values[start:end], sums.weighted[start:end]
        start = end


def _value(stat: ExtraStat, i: int, sums: ValueSums, areas: dict[str, Total], values: Floats, weights: Floats) -> Any:
    if stat.kind == "area":
        met = areas[stat.name]
        return float(met.weighted[i]) / M2_PER_HA if isinstance(met, ValueSums) else None
    if stat.kind == "count":
        return int(sums.count[i])
    if stat.kind == "sum":
        return float(sums.fraction_sum[i])
    if stat.kind in ("min", "max"):
        return float(sums.minimum[i] if stat.kind == "min" else sums.maximum[i])
    if stat.kind in ("mean", "std"):
        alike = bool(sums.minimum[i] == sums.maximum[i])
        return moment(stat.kind, float(sums.weight[i]), float(sums.weighted[i]), float(sums.weighted_square[i]), alike)
    return by_value(stat, values, weights)
