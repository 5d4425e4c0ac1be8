"""From a layer's sums to its statistics per plot (METHODS section 1): weights are covered fraction x true cell area unless said otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.extra_stats import ExtraStat
from epoch_plugin.core.metrics.quantities import Floats
from epoch_plugin.core.metrics.shares import M2_PER_HA
from epoch_plugin.core.metrics.zonal_stats.kernel import ZonalStatsKernel, values_of
from epoch_plugin.core.zonal.reduce import KeyedSums, Total, ValueSums

REACHED = 1 - 1e-12  # a cumulative weight that equals q x total but for rounding has reached it


def summarise(kernel: ZonalStatsKernel, answers: Sequence[Total], n_plots: int) -> Iterator[dict[str, Any]]:
    """Yield {statistic: value} per plot, by the names of the grammar; all null where no touched cell has data.

    mean = sum(w v) / sum(w); std = population standard deviation with the same weights; sum = sum(covered fraction x v), for rasters
    that hold amounts per cell; min, max, variety, count over touched cells with data; area..., classes in ha.
    """
    values = answers[0]
    if not isinstance(values, ValueSums):
        raise TypeError("the first answer of an extra layer is its values")
    areas = {stat.name: answer for stat, answer in zip(kernel.areas, answers[1:])}
    by_value = answers[-1]
    slices: Iterator[tuple[Floats, Floats]] = iter(())
    if isinstance(by_value, KeyedSums):
        slices = _distributions(by_value, n_plots)
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
        return _moment(stat.kind, float(sums.weight[i]), float(sums.weighted[i]), float(sums.weighted_square[i]))
    return _by_value(stat, values, weights)


def _moment(kind: str, weight: float, weighted: float, weighted_square: float) -> float:
    mean = weighted / weight
    return mean if kind == "mean" else math.sqrt(max(weighted_square / weight - mean * mean, 0.0))


def _by_value(stat: ExtraStat, values: Floats, weights: Floats) -> Any:
    if stat.kind == "variety":
        return len(values)
    if stat.kind == "classes":
        return {_key(float(value)): float(weight) / M2_PER_HA for value, weight in zip(values, weights)}
    if stat.kind == "quantile":
        return quantile(values, weights, stat.q)
    if stat.kind == "majority":
        return float(values[np.flatnonzero(weights == weights.max())[-1]])
    return float(values[np.flatnonzero(weights == weights.min())[0]])


def _key(value: float) -> str:
    """Return a class as the key of a JSON object: 40, not 40.0."""
    return str(int(value)) if value.is_integer() else repr(value)


def quantile(values: Floats, weights: Floats, q: float) -> float:
    """Return the smallest of the (ascending) values whose cumulative weight reaches q x total."""
    reached = np.cumsum(weights)
    return float(values[min(int(np.searchsorted(reached, q * reached[-1] * REACHED)), len(values) - 1)])
