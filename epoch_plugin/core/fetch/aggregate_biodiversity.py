"""Biodiversity of many plots in one row (METHODS section 5, "Aggregate"): area-weighted score and heights, summed standard deviation."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from epoch_plugin.core.store.schema import BIODIVERSITY, Column


class WeightedMean:
    """An area-weighted mean of the values that are known."""

    def __init__(self) -> None:
        self._area = self._sum = 0.0

    def add(self, area: float, value: float | None) -> None:
        """Add one plot's value."""
        if value is not None:
            self._area += area
            self._sum += area * value

    @property
    def value(self) -> float | None:
        """Return the mean, None where no plot has a value."""
        return self._sum / self._area if self._area > 0 else None


class BiodiversitySums:
    """Means and sums over the plots that have a value."""

    columns: tuple[str, ...] = ("diversity_score", "uncertainty_sd", "annual_chm")
    fields: tuple[Column, ...] = BIODIVERSITY

    def __init__(self) -> None:
        self._score = WeightedMean()
        self._sd: float | None = None
        self._heights: dict[str, WeightedMean] = defaultdict(WeightedMean)
        self._assessed_ends: set[str] = set()

    def add(self, area: float, stored: bool, values: tuple[Any, ...]) -> None:
        """Add one plot; `values` = start, end, assessed_end, then `columns`."""
        if not stored:
            return
        _start, _end, assessed_end, score, sd, heights = values
        self._score.add(area, score)
        if sd is not None:
            self._sd = (self._sd or 0.0) + sd
        for key, height in json.loads(heights or "{}").items():
            self._heights[key].add(area, height)
        if score is not None and assessed_end is not None:
            self._assessed_ends.add(assessed_end)

    def properties(self) -> dict[str, Any]:
        """Return the row's values; null where no plot has one. `assessed_end` is the earliest of the scored plots."""
        first = [key for key in ("mean", "std") if key in self._heights]
        keys = [*first, *sorted(key for key in self._heights if key not in first)]
        return {
            "diversity_score": self._score.value,
            "uncertainty_sd": self._sd,
            "annual_chm": {key: self._heights[key].value for key in keys} or None,
            "assessed_end": min(self._assessed_ends, default=None),
        }
