"""Water of many plots in one row: every index is the area-weighted mean of the plots that have it."""

from __future__ import annotations

from typing import Any

from epoch_plugin.core.aridity import aridity_class
from epoch_plugin.core.fetch.area_weighted import AreaWeighted, AreaWeightedObject, ReasonCounts
from epoch_plugin.core.store.schema import TABLES, WATER, Column

_ROW = TABLES["stat_water"].by_name
_NUMBERS = tuple(column.name for column in WATER if column.type == "REAL")
_SERIES = tuple(column.name for column in WATER if column.type == "JSON")


class WaterSums:
    """Area-weighted means over plots; the aridity class is that of the mean ratio."""

    columns: tuple[str, ...] = ("valid_fraction", "reasons", *_NUMBERS, *_SERIES)
    fields: tuple[Column, ...] = (*WATER, _ROW["valid_fraction"], _ROW["reasons"])

    def __init__(self) -> None:
        self._numbers = {name: AreaWeighted() for name in ("valid_fraction", *_NUMBERS)}
        self._series = {name: AreaWeightedObject() for name in _SERIES}
        self._reasons = ReasonCounts()
        self._assessed_ends: set[str | None] = set()

    def add(self, area: float, stored: bool, values: tuple[Any, ...]) -> None:
        """Add one plot; `values` = start, end, assessed_end, then `columns`."""
        if not stored:
            self._reasons.add_not_processed()
            self._numbers["valid_fraction"].add(area, 0.0)
            return
        row = dict(zip(("start", "end", "assessed_end", *self.columns), values))
        for name, mean in self._numbers.items():
            mean.add(area, row[name])
        for name, series in self._series.items():
            series.add(area, row[name])
        self._reasons.add(row["reasons"])
        if row["valid_fraction"]:
            self._assessed_ends.add(row["assessed_end"])

    def properties(self) -> dict[str, Any]:
        """Return the row's values; an index that no plot has is null."""
        ratio, ends = self._numbers["precipitation_pet_ratio"].mean, self._assessed_ends
        return {
            **{name: mean.mean for name, mean in self._numbers.items()},
            **{name: series.means for name, series in self._series.items()},
            "aridity_class": None if ratio is None else aridity_class(ratio),
            "assessed_end": None if None in ends or not ends else min(end for end in ends if end),
            "reasons": self._reasons.reasons,
        }
