"""Biodiversity of many plots in one row (METHODS section 5, "Aggregate"): area-weighted score and heights, summed standard deviation."""

from __future__ import annotations

from typing import Any

from epoch_plugin.core.fetch.area_weighted import AreaWeighted, AreaWeightedObject
from epoch_plugin.core.store.schema import BIODIVERSITY, Column


class BiodiversitySums:
    """Means and sums over the plots that have a value."""

    columns: tuple[str, ...] = ("diversity_score", "uncertainty_sd", "annual_chm")
    fields: tuple[Column, ...] = BIODIVERSITY

    def __init__(self) -> None:
        self._score = AreaWeighted()
        self._sd: float | None = None
        self._heights = AreaWeightedObject()
        self._assessed_ends: set[str] = set()

    def add(self, area: float, stored: bool, values: tuple[Any, ...]) -> None:
        """Add one plot; `values` = start, end, assessed_end, then `columns`."""
        if not stored:
            return
        _start, _end, assessed_end, score, sd, heights = values
        self._score.add(area, score)
        if sd is not None:
            self._sd = (self._sd or 0.0) + sd
        self._heights.add(area, heights)
        if score is not None and assessed_end is not None:
            self._assessed_ends.add(assessed_end)

    def properties(self) -> dict[str, Any]:
        """Return the row's values; null where no plot has one. `assessed_end` is the earliest of the scored plots."""
        return {
            "diversity_score": self._score.mean,
            "uncertainty_sd": self._sd,
            "annual_chm": self._heights.means,
            "assessed_end": min(self._assessed_ends, default=None),
        }
