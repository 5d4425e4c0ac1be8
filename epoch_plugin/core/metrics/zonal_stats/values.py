"""Statistics of a distribution: values, ascending, with the area (m2) of each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.extra_stats import ExtraStat
from epoch_plugin.core.metrics.quantities import Floats
from epoch_plugin.core.metrics.shares import M2_PER_HA

REACHED = 1 - 1e-12  # a cumulative weight that equals q x total but for rounding has reached it


def moment(kind: str, weight: float, weighted: float, weighted_square: float, alike: bool) -> float:
    """Return mean or (population) standard deviation from sum(w), sum(w v) and sum(w v v); `alike`: all values are one, their SD is 0."""
    mean = weighted / weight
    if kind == "mean":
        return mean
    return 0.0 if alike else math.sqrt(max(weighted_square / weight - mean * mean, 0.0))


def by_value(stat: ExtraStat, values: Floats, weights: Floats) -> Any:
    """Return variety, classes, a quantile, majority or minority; ties of the last two go to the larger and the smaller value."""
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
