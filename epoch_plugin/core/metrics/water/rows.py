"""The table as the store's rows: one mapping per plot, unknown numbers as None, reasons spelled out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from epoch_plugin.core.aridity import aridity_class
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons
from epoch_plugin.core.metrics.shares import known
from epoch_plugin.core.metrics.water.assess import Ranked, WaterTable
from epoch_plugin.core.metrics.water.indices import MIN_REFERENCE_YEARS, all_alike
from epoch_plugin.core.metrics.water.layers import ET, PET, PRECIPITATION, SOIL_MOISTURE, STRESS


def rows(table: WaterTable, uuids: Sequence[str], flags: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `stat_water`, in the order of the plots, without collection and job; `flags` are those of staging."""
    window, series = table.plan.window, table.plan.series
    for i, uuid in enumerate(uuids):
        ratio = known(table.pet_ratio[i])
        fields = {
            "water_stress_index": known(table.stress[i]),
            "precipitation_pet_ratio": ratio,
            "soil_moisture_percentile": _field(table, SOIL_MOISTURE, i),
            "evapotranspiration_anomaly": _field(table, ET, i),
        }
        yield {
            "uuid": uuid,
            "monitoring_start": window.start,
            "monitoring_end": window.end,
            "assessed_end": table.assessed_end[i],
            **fields,
            "aridity_class": None if ratio is None else aridity_class(ratio),
            "annual_precipitation_pet_ratio": _annual(table, table.yearly_pet_ratio, i) if {PRECIPITATION, PET} <= set(series) else None,
            "annual_soil_moisture_percentile": _annual(table, table.ranked[SOIL_MOISTURE].yearly, i) if SOIL_MOISTURE in series else None,
            "annual_evapotranspiration_anomaly": _annual(table, table.ranked[ET].yearly, i) if ET in series else None,
            "coverage": {role: float(share[i]) for role, share in table.coverage.items()},
            "valid_fraction": _valid_fraction(table, fields, i),
            "reasons": _reasons(table, i, flags[i]),
        }


def _field(table: WaterTable, role: str, i: int) -> float | None:
    return known(table.ranked[role].field[i]) if role in table.ranked else None


def _annual(table: WaterTable, yearly: Any, i: int) -> dict[str, float | None]:
    return {str(year): known(values[i]) for year, values in zip(table.plan.window.years, yearly)}


_BEHIND = {
    "water_stress_index": (STRESS,), "precipitation_pet_ratio": (PRECIPITATION, PET), "soil_moisture_percentile": (SOIL_MOISTURE,),
    "evapotranspiration_anomaly": (ET,),
}  # fmt: skip


def _valid_fraction(table: WaterTable, fields: dict[str, float | None], i: int) -> float:
    """Return the smallest coverage among the indices that are known, 0 if none is."""
    shares = [float(table.coverage[role][i]) for name, value in fields.items() if value is not None for role in _BEHIND[name]]
    return min(shares, default=0.0)


def _reasons(table: WaterTable, i: int, flags: Sequence[str]) -> list[Reason]:
    found = _pet_reasons(table, i)
    for role in (SOIL_MOISTURE, ET):
        found += _ranked_reasons(table, role, i) if role in table.ranked else [reason("missing_layer", role)]
    if table.plan.stress is None:
        found.append(reason("missing_layer", STRESS))
    elif np.isnan(table.stress[i]):
        found.append(reason("no_data", STRESS))
    return found + shape_reasons(float(table.area[i]), None if np.isnan(table.cells[i]) else float(table.cells[i]), flags)


def _pet_reasons(table: WaterTable, i: int) -> list[Reason]:
    rain, demand = ~np.isnan(table.precipitation[:, i]), ~np.isnan(table.pet[:, i])
    found = []
    for role, there in ((PRECIPITATION, rain), (PET, demand)):
        if role not in table.plan.series:
            found.append(reason("missing_layer", role))
        elif not there.any():
            found.append(reason("no_window_year", role))
    if found:
        return found
    if not (rain & demand).any():
        return [reason("no_common_year")]
    if np.isnan(table.pet_ratio[i]):
        return [reason("pet_not_positive")]
    used = [year for year, there in zip(table.plan.window.years, rain & demand) if there]
    return [reason("earlier_year", "precipitation_pet_ratio", years=used)] if used[-1] != table.plan.window.years[-1] else []


def _ranked_reasons(table: WaterTable, role: str, i: int) -> list[Reason]:
    ranked: Ranked = table.ranked[role]
    if not ranked.in_window[i]:
        return [reason("no_window_year", role)]
    n = int((~np.isnan(ranked.reference[:, i])).sum())
    if n < MIN_REFERENCE_YEARS:
        return [reason("few_reference_years", role, n=n)]
    if role == ET and all_alike(ranked.reference[:, i : i + 1])[0]:
        return [reason("no_variation", role)]
    found = []
    if table.plan.references[role].includes_window:
        found.append(reason("reference_includes_window", role, years=list(table.plan.references[role].years)))
    year = table.plan.window.years[int(ranked.shown[i])]
    if year != table.plan.window.years[-1]:
        found.append(reason("earlier_year", role, year=year))
    return found
