"""Weighted sums over a plot's cells: the same few formulas everywhere, written once and without arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Optional

Weighted = list[tuple[float, float]]  # (weight in ha, value)
Known = Optional[float]


def known(pairs: Iterable[tuple[float, Known]]) -> Weighted:
    """Return the pairs that have a value."""
    return [(weight, value) for weight, value in pairs if value is not None]


def weight_of(pairs: Weighted) -> float:
    """Return the sum of the weights."""
    return math.fsum(weight for weight, _ in pairs)


def total(pairs: Weighted) -> float:
    """Return the sum of weight × value."""
    return math.fsum(weight * value for weight, value in pairs)


def mean(pairs: Weighted) -> Known:
    """Return the weighted mean, None of nothing."""
    return total(pairs) / weight_of(pairs) if pairs else None


def deviation(pairs: Weighted) -> Known:
    """Return the weighted population standard deviation, in two passes, None of nothing."""
    if not pairs:
        return None
    if len({value for _, value in pairs}) == 1:
        return 0.0
    centre = total(pairs) / weight_of(pairs)
    return math.sqrt(math.fsum(weight * (value - centre) ** 2 for weight, value in pairs) / weight_of(pairs))


def plain_mean(values: Sequence[Known]) -> Known:
    """Return the mean of those that are known, None of nothing."""
    found = [value for value in values if value is not None]
    return math.fsum(found) / len(found) if found else None


def share(part: float, whole: float) -> float:
    """Return part / whole, at most 1."""
    return min(part / whole, 1.0)
