"""Statistics of the user's own layers over many plots in one row: what the plots' values tell exactly, and nothing else."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from epoch_plugin.core.fetch.area_weighted import AreaWeighted, ReasonCounts
from epoch_plugin.core.store.schema import EXTRA, TABLES, Column

_ROW = TABLES["stat_extra"].by_name


class ExtraSums:
    """Sums over plots of each layer's statistics; a statistic that does not follow from those of the plots is null, reason `not_additive`."""

    columns: tuple[str, ...] = ("extra", "coverage", "valid_fraction", "reasons")
    fields: tuple[Column, ...] = (*EXTRA, _ROW["valid_fraction"], _ROW["reasons"])

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}
        self._valid = AreaWeighted()
        self._reasons = ReasonCounts()

    def add(self, area: float, stored: bool, values: tuple[Any, ...]) -> None:
        """Add one plot; `values` = start, end, assessed_end, then `columns`."""
        if not stored:
            self._reasons.add_not_processed()
            self._valid.add(area, 0.0)
            return
        _start, _end, _assessed_end, extra, coverage, valid, reasons = values
        shares = json.loads(coverage or "{}")
        for name, statistics in json.loads(extra or "{}").items():
            self._layers.setdefault(name, _Layer()).add(area * shares.get(name, 0.0), statistics)
        self._valid.add(area, valid)
        self._reasons.add(reasons)

    def properties(self) -> dict[str, Any]:
        """Return the row's values; these layers have no `assessed_end`."""
        lacking = [
            {"code": f"not_additive:{name}.{statistic}", "plots": plots}
            for name, layer in sorted(self._layers.items()) for statistic, plots in sorted(layer.lacking.items())
        ]  # fmt: skip
        return {
            "extra": {name: layer.values() for name, layer in self._layers.items()} or None,
            "valid_fraction": self._valid.mean,
            "reasons": [*self._reasons.reasons, *lacking],
        }


class _Layer:
    """One layer: amounts, areas and counts add up, means are weighted by the area with data, deviations are pooled with the means."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._weight = self._weighted = self._weighted_square = 0.0
        self.lacking: Counter[str] = Counter()  # statistic -> plots that have it, of those that cannot be added up

    def add(self, data_ha: float, found: dict[str, Any]) -> None:
        """Add one plot's {statistic: value} of this layer and the area (ha) of the plot in which it has data."""
        for name, value in found.items():
            known = self._values.setdefault(name, None)
            if value is not None and name not in ("mean", "std"):
                self._values[name] = self._joined(name, known, value)
        mean, deviation = found.get("mean"), found.get("std")
        if mean is not None and data_ha > 0:
            self._weight += data_ha
            self._weighted += data_ha * mean
            self._weighted_square += data_ha * (mean * mean + (deviation or 0.0) ** 2)
        elif deviation is not None:
            self.lacking["std"] += 1

    def _joined(self, name: str, known: Any, value: Any) -> Any:
        if name in ("count", "sum") or name.startswith("area"):
            return (known or 0) + value
        if name in ("min", "max"):
            return value if known is None else (min if name == "min" else max)(known, value)
        if name == "classes":
            areas = Counter(known or {})
            areas.update(value)
            return dict(sorted(areas.items(), key=lambda item: float(item[0])))
        self.lacking[name] += 1
        return None

    def values(self) -> dict[str, Any]:
        """Return {statistic: value}; null where no plot has it, or where it cannot be told from those of the plots."""
        found = dict(self._values)
        if self._weight > 0:
            mean = self._weighted / self._weight
            spread = math.sqrt(max(self._weighted_square / self._weight - mean * mean, 0.0))
            told = {"mean": mean, "std": None if self.lacking["std"] else spread}
            found.update({name: value for name, value in told.items() if name in found})
        return found
