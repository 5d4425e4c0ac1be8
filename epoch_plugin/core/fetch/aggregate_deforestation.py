"""Deforestation of many plots in one row (METHODS section 3, "Aggregates")."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import defaultdict
from typing import Any

from epoch_plugin.core.settings import Settings
from epoch_plugin.core.store.schema import SUPPLY_SHED_DEFORESTATION, TABLES, Column

_DAYS_PER_YEAR = 365.25
_ROW = TABLES["stat_eudr_deforestation"].by_name


class DeforestationSums:
    """Sums over plots; a plot is assessed when its alert is not null."""

    columns: tuple[str, ...] = ("noncompliance_area", "forest_area", "deforestation_alert", "annual_defor", "system_defor")
    fields: tuple[Column, ...] = (
        *SUPPLY_SHED_DEFORESTATION,
        Column("deforestation_thumbnail_url", "TEXT", "Thumbnail"),
        Column("noncompliance_area", "REAL", "Non-compliance area", "ha"),
        _ROW["reasons"],
    )

    def __init__(self) -> None:
        self._noncompliance: float | None = None
        self._forest: float | None = None
        self._assessed_area, self._assessed, self._critical, self._missing = 0.0, 0, 0, 0
        self._start: str | None = None
        self._assessed_ends: set[str | None] = set()
        self._years = AnnualSums()

    def add(self, area: float, stored: bool, values: tuple[Any, ...]) -> None:
        """Add one plot; `values` = start, end, assessed_end, then `columns`."""
        if not stored:
            self._missing += 1
            return
        start, _end, assessed_end, noncompliance, forest, alert, annual, systems = values
        if forest is not None:
            self._forest = (self._forest or 0.0) + forest
        if noncompliance is not None:
            self._noncompliance = (self._noncompliance or 0.0) + noncompliance
        if alert is not None:
            self._assessed_area += area
            self._assessed += 1
            self._assessed_ends.add(assessed_end)
            self._start = start if self._start is None else min(self._start, start)
            self._critical += alert == "critical"
        self._years.add(area, json.loads(annual or "{}"), json.loads(systems or "{}"))

    def properties(self) -> dict[str, Any]:
        """Return the row's values; shares and rate are null while no plot is assessed."""
        noncompliance = self._noncompliance if self._assessed else None
        share = None if noncompliance is None else noncompliance / self._assessed_area
        assessed_end = None if None in self._assessed_ends or not self._assessed_ends else min(end for end in self._assessed_ends if end)
        reasons: list[dict[str, Any]] = [{"code": "not_processed", "plots": self._missing}] if self._missing else []
        annual, not_covered = self._years.annual()
        reasons += [{"code": f"year_not_covered:{year}", "plots": plots} for year, plots in not_covered]
        without_error = [year for year in self._years.known if annual[f"defor_ha_rmse_{year}"] is None]
        if without_error:
            reasons.append({"code": "single_system", "years": without_error})
        return {
            "noncompliance_area_ha": noncompliance,
            "noncompliance_area": noncompliance,
            "noncompliance_area_perc": share,
            "noncompliance_area_rate": yearly_rate(share, self._start, assessed_end),
            "noncompliance_plot_count": self._critical if self._assessed else None,
            "annual_defor_ha": annual,
            "assessed_area_ha": self._assessed_area,
            "assessed_plot_no": self._assessed,
            "assessed_end": assessed_end,
            "area_ha_forest": self._forest,
            "reasons": reasons,
        }


def yearly_rate(share: float | None, start: str | None, assessed_end: str | None) -> float | None:
    """Return share / years from `start` to `assessed_end` (ISO dates, years of 365.25 days; linear, not compound); None if any is unknown."""
    if share is None or start is None or assessed_end is None:
        return None
    days = (dt.date.fromisoformat(assessed_end) - dt.date.fromisoformat(start)).days
    return share / (days / _DAYS_PER_YEAR) if days > 0 else None


class AnnualSums:
    """Loss per year (ha), and per system and year over the plots for which that system could speak."""

    def __init__(self) -> None:
        self._loss: dict[int, float] = defaultdict(float)
        self._area: dict[int, float] = defaultdict(float)
        self._unknown: dict[int, int] = defaultdict(int)
        # year -> system -> [the system's own ha, the union's ha in the same plots, area of these plots]
        self._systems: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0, 0.0]))

    def add(self, area: float, annual: dict[str, float | None], systems: dict[str, dict[str, float | None]]) -> None:
        """Add one plot's `annual_defor` and `system_defor`."""
        for key, loss in annual.items():
            if not key[9:].isdigit():  # defor_ha_YYYY, not defor_ha_rmse_YYYY
                continue
            year = int(key[9:])
            if loss is None:
                self._unknown[year] += 1
                continue
            self._loss[year] += loss
            self._area[year] += area
            for name, by_year in systems.items():
                own = by_year.get(str(year))
                if own is not None:
                    sums = self._systems[year][name]
                    sums[0] += own
                    sums[1] += loss
                    sums[2] += area

    @property
    def known(self) -> list[int]:
        """Years that at least one plot knows."""
        return sorted(self._loss)

    def annual(self) -> tuple[dict[str, float | None], list[tuple[int, int]]]:
        """Return `annual_defor_ha` (a year that no plot knows is null) and, per year, the plots that lack it."""
        found: dict[str, float | None] = {}
        for year in sorted({*self._loss, *self._unknown}):
            found[f"defor_ha_{year}"] = self._loss.get(year)
            found[f"defor_ha_rmse_{year}"] = self._rmse(year)
        return found, [(year, plots) for year, plots in sorted(self._unknown.items()) if plots]

    def _rmse(self, year: int) -> float | None:
        """Root of the mean over systems of (system - union)^2, each over the plots that the system covers.

        As for a plot, only systems that cover at least `min_valid_fraction` of the area count, and one alone has no error.
        """
        least = Settings().min_valid_fraction * self._area.get(year, 0.0)
        squares = [(own - union) ** 2 for own, union, area in self._systems.get(year, {}).values() if area >= least]
        return math.sqrt(sum(squares) / len(squares)) if len(squares) > 1 else None
