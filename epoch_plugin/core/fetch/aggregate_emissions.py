"""Biomass and emissions of many plots in one row (METHODS section 4, "Aggregate")."""

from __future__ import annotations

import json
from typing import Any

from epoch_plugin.core.fetch.area_weighted import AreaWeightedObject, ReasonCounts
from epoch_plugin.core.store.schema import TABLES, Column

_ROW = TABLES["stat_luc_emissions"].by_name
_BIOMASS_TOTALS = ("luc", "biogenic", "removal", "luc_amortised")  # per ha of what has biomass at both ends
_WITH_SD = ("luc", "biogenic", "removal")
_SERIES = ("annual_agb", "annual_bgb", "annual_soc")
_FIELDS = (
    *(f"{name}_{unit}" for name in ("luc", "biogenic", "soc", "removal") for unit in ("tco2eyear", "tco2ehayear", "uncertainty_sd")),
    "luc_amortised_tco2eyear", "luc_amortised_tco2ehayear", "amortisation_years", "stock_years", *_SERIES, "valid_fraction", "reasons",
)  # fmt: skip


class _Total:
    """Sum of a total over the plots that have it, the area it was assessed on, and the sum of its standard deviations."""

    def __init__(self) -> None:
        self._total = self._area = self._sd = 0.0
        self._plots = self._with_sd = 0

    def add(self, assessed_ha: float, total: float | None, sd: float | None = None) -> None:
        if total is None:
            return
        self._plots += 1
        self._total += total
        self._area += assessed_ha
        if sd is not None:
            self._with_sd += 1
            self._sd += sd

    @property
    def total(self) -> float | None:
        return self._total if self._plots else None

    @property
    def per_ha(self) -> float | None:
        return self._total / self._area if self._area > 0 else None

    @property
    def sd(self) -> float | None:
        return self._sd if self._with_sd else None


class EmissionsSums:
    """Sums over plots: totals and standard deviations add up, per ha = total / assessed area, series are weighted by area."""

    columns: tuple[str, ...] = (
        "valid_fraction", "coverage", "reasons", "stock_years", "amortisation_years", *(f"{name}_tco2eyear" for name in _BIOMASS_TOTALS),
        *(f"{name}_uncertainty_sd" for name in _WITH_SD), "soc_tco2eyear", *_SERIES,
    )  # fmt: skip
    fields: tuple[Column, ...] = tuple(_ROW[name] for name in _FIELDS if name in _ROW)

    def __init__(self) -> None:
        self._totals = {name: _Total() for name in (*_BIOMASS_TOTALS, "soc")}
        self._series = {name: AreaWeightedObject() for name in _SERIES}
        self._reasons = ReasonCounts()
        self._stock_years: set[str | None] = set()
        self._amortisation_years: set[int] = set()
        self._assessed_ends: set[str | None] = set()
        self._area = self._assessed = 0.0

    def add(self, area: float, stored: bool, values: tuple[Any, ...]) -> None:
        """Add one plot; `values` = start, end, assessed_end, then `columns`."""
        self._area += area
        if not stored:
            self._reasons.add_not_processed()
            return
        row = dict(zip(("start", "end", "assessed_end", *self.columns), values))
        assessed = area * (row["valid_fraction"] or 0.0)
        soc_share = json.loads(row["coverage"] or "{}").get("soc", 0.0)
        for name in _BIOMASS_TOTALS:
            self._totals[name].add(assessed, row[f"{name}_tco2eyear"], row.get(f"{name}_uncertainty_sd"))
        self._totals["soc"].add(area * soc_share, row["soc_tco2eyear"])
        for name, series in self._series.items():
            series.add(area, row[name])
        self._reasons.add(row["reasons"])
        self._assessed += assessed
        if assessed > 0:
            self._assessed_ends.add(row["assessed_end"])
            self._stock_years.add(row["stock_years"])
            self._amortisation_years.add(row["amortisation_years"] or 0)

    def properties(self) -> dict[str, Any]:
        """Return the row's values; a total that no plot has is null."""
        found: dict[str, Any] = {}
        for name, total in self._totals.items():
            found[f"{name}_tco2eyear"], found[f"{name}_tco2ehayear"] = total.total, total.per_ha
            if name in _WITH_SD:
                found[f"{name}_uncertainty_sd"] = total.sd
        years = next(iter(self._stock_years)) if len(self._stock_years) == 1 else None
        ends = self._assessed_ends
        return {
            **found,
            **{name: series.means for name, series in self._series.items()},
            "amortisation_years": min(self._amortisation_years, default=None),
            "stock_years": None if years is None else json.loads(years),
            "assessed_end": None if None in ends or not ends else min(end for end in ends if end),
            "valid_fraction": self._assessed / self._area if self._area > 0 else None,
            "reasons": self._reasons.reasons,
        }
