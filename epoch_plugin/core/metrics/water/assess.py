"""From sums to the indices of every plot."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.grid_tasks import Place
from epoch_plugin.core.metrics.shares import M2_PER_HA, ratio, share, whole_area
from epoch_plugin.core.metrics.water.indices import anomaly, last_known, percentile, precipitation_pet
from epoch_plugin.core.metrics.water.layers import ET, PET, PRECIPITATION, ROLES, SOIL_MOISTURE, STRESS, WaterPlan
from epoch_plugin.core.zonal.engine import GridResult
from epoch_plugin.core.zonal.reduce import ValueSums

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranked:
    """An index against reference years: one row per counted year, and per plot which of them the field shows (-1: none)."""

    yearly: Floats
    field: Floats
    shown: Ints
    in_window: npt.NDArray[np.bool_]  # has any year of the window data in the plot
    reference: Floats  # (reference years, plots)


@dataclass(frozen=True)
class WaterTable:
    """The statistic of n plots; yearly arrays have one row per counted year; NaN = not known."""

    plan: WaterPlan
    area: Floats
    cells: Floats  # ha of cells on the first grid; NaN where the plot reaches outside it
    stress: Floats
    precipitation: Floats  # yearly plot means, mm
    pet: Floats
    pet_ratio: Floats
    yearly_pet_ratio: Floats
    ranked: dict[str, Ranked]  # soil_moisture: percentiles, et: anomalies
    coverage: dict[str, Floats]
    assessed_end: list[dt.date | None]


def assess(plan: WaterPlan, results: list[GridResult], area: Floats) -> WaterTable:
    """Make the statements from the engine's results; `area` is the plots' geodesic area in ha."""
    n, years = len(area), plan.window.years
    reader = _Reader(plan, results, area)
    precipitation, pet = reader.means(PRECIPITATION, years), reader.means(PET, years)
    pet_ratio, yearly = precipitation_pet(precipitation, pet)
    ranked = {}
    for role, index in ((SOIL_MOISTURE, percentile), (ET, anomaly)):
        if role in plan.series:
            values, reference = reader.means(role, years), reader.means(role, plan.references[role].years)
            found = index(values, reference)
            shown = last_known(found)
            field = np.where(shown >= 0, found[np.maximum(shown, 0), np.arange(n)], np.nan)
            ranked[role] = Ranked(found, field, shown, ~np.isnan(values).all(axis=0), reference)
    stress = _mean(reader.sums(plan.stress)) if plan.stress is not None else np.full(n, np.nan)
    told = (~np.isnan(precipitation) & ~np.isnan(pet)) | _any([~np.isnan(reader.means(role, years)) for role in ranked], yearly.shape)
    first = results[0] if results else None
    return WaterTable(
        plan=plan, area=area, stress=stress, precipitation=precipitation, pet=pet, pet_ratio=pet_ratio, yearly_pet_ratio=yearly, ranked=ranked,
        cells=np.full(n, np.nan) if first is None else np.where(first.clipped, np.nan, first.weight / M2_PER_HA),
        coverage={role: reader.coverage(role) for role in ROLES if role in plan.series or (role == STRESS and plan.stress)},
        assessed_end=_assessed_end(plan, told),
    )  # fmt: skip


class _Reader:
    """Plot means and shares by role and year."""

    def __init__(self, plan: WaterPlan, results: list[GridResult], area: Floats) -> None:
        self._plan, self._results, self._area = plan, results, area

    def sums(self, place: Place) -> ValueSums:
        found = self._results[place.task].kernels[place.kernel]
        if not isinstance(found, ValueSums):
            raise TypeError("a quantity's kernel answers in values")
        return found

    def means(self, role: str, years: tuple[int, ...]) -> Floats:
        """Return the area-weighted plot means (years, plots), NaN for a year that is not bound or has no data."""
        places = self._plan.series.get(role, {})
        unknown = np.full(len(self._area), np.nan)
        rows = [_mean(self.sums(places[year])) if year in places else unknown for year in years]
        return np.stack(rows) if rows else np.zeros((0, len(self._area)))

    def coverage(self, role: str) -> Floats:
        """Return the smallest share with data among the window's years that have any, 0 without one."""
        if role == STRESS:
            places = [self._plan.stress]
        else:
            places = [place for year, place in self._plan.series[role].items() if year in self._plan.window.years]
        found = np.full(len(self._area), np.inf)
        for place in places:
            if place is not None:
                covered = share(self.sums(place).weight / M2_PER_HA, whole_area(self._area, self._results[place.task]))
                found = np.where(covered > 0, np.minimum(found, covered), found)
        return np.where(np.isfinite(found), found, 0.0)


def _mean(sums: ValueSums) -> Floats:
    return ratio(sums.weighted, sums.weight)


def _any(columns: list[npt.NDArray[np.bool_]], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    found = np.zeros(shape, bool)
    for column in columns:
        found |= column
    return found


def _assessed_end(plan: WaterPlan, told: npt.NDArray[np.bool_]) -> list[dt.date | None]:
    """Return the end of the unbroken run of counted years, from the first, in which some yearly index has data in the plot."""
    run = np.logical_and.accumulate(told, axis=0).sum(axis=0) if len(told) else np.zeros(told.shape[1], np.int64)
    years = plan.window.years
    return [min(dt.date(years[int(k) - 1], 12, 31), plan.window.end) if k else None for k in run]
