"""The table as the store's rows: one mapping per plot, unknown numbers as None, reasons spelled out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.aridity import aridity_class
from epoch_plugin.core.metrics.columns import known_numbers, records
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons
from epoch_plugin.core.metrics.water.assess import Floats, Ranked, WaterTable
from epoch_plugin.core.metrics.water.indices import MIN_REFERENCE_YEARS, all_alike
from epoch_plugin.core.metrics.water.layers import ET, PET, PRECIPITATION, SOIL_MOISTURE, STRESS


def rows(table: WaterTable, uuids: Sequence[str], flags: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `stat_water`, in the order of the plots, without collection and job; `flags` are those of staging."""
    n, window, series = len(uuids), table.plan.window, table.plan.series
    nothing: list[Any] = [None] * n
    ratio = known_numbers(table.pet_ratio)
    fields = {
        "water_stress_index": known_numbers(table.stress),
        "precipitation_pet_ratio": ratio,
        "soil_moisture_percentile": known_numbers(table.ranked[SOIL_MOISTURE].field) if SOIL_MOISTURE in table.ranked else nothing,
        "evapotranspiration_anomaly": known_numbers(table.ranked[ET].field) if ET in table.ranked else nothing,
    }
    return records({
        "uuid": uuids,
        "monitoring_start": [window.start] * n,
        "monitoring_end": [window.end] * n,
        "assessed_end": table.assessed_end,
        **fields,
        "aridity_class": [None if value is None else aridity_class(value) for value in ratio],
        "annual_precipitation_pet_ratio": _annual(table, table.yearly_pet_ratio) if {PRECIPITATION, PET} <= set(series) else nothing,
        "annual_soil_moisture_percentile": _annual(table, table.ranked[SOIL_MOISTURE].yearly) if SOIL_MOISTURE in series else nothing,
        "annual_evapotranspiration_anomaly": _annual(table, table.ranked[ET].yearly) if ET in series else nothing,
        "coverage": records({role: share.tolist() for role, share in table.coverage.items()}, n),
        "valid_fraction": _valid_fraction(table, fields, n),
        "reasons": _reasons(table, flags),
    })  # fmt: skip


def _annual(table: WaterTable, yearly: Floats) -> Iterator[dict[str, Any]]:
    return records({str(year): known_numbers(values) for year, values in zip(table.plan.window.years, yearly)}, len(table.area))


_BEHIND = {
    "water_stress_index": (STRESS,), "precipitation_pet_ratio": (PRECIPITATION, PET), "soil_moisture_percentile": (SOIL_MOISTURE,),
    "evapotranspiration_anomaly": (ET,),
}  # fmt: skip


def _valid_fraction(table: WaterTable, fields: dict[str, list[Any]], n: int) -> list[float]:
    """Return the smallest coverage among the indices that are known, 0 if none is."""
    smallest = np.full(n, np.inf)
    for name, values in fields.items():
        there = np.array([value is not None for value in values], bool)
        for role in _BEHIND[name]:
            if there.any():
                smallest[there] = np.minimum(smallest, table.coverage[role])[there]
    found: list[float] = np.where(np.isinf(smallest), 0.0, smallest).tolist()
    return found


def _reasons(table: WaterTable, flags: Sequence[Sequence[str]]) -> Iterator[list[Reason]]:
    columns: list[Iterable[list[Reason]]] = [_pet_reasons(table)]
    for role in (SOIL_MOISTURE, ET):
        columns.append(_ranked_reasons(table, role) if role in table.ranked else repeat([reason("missing_layer", role)]))
    if table.plan.stress is None:
        columns.append(repeat([reason("missing_layer", STRESS)]))
    else:
        columns.append([reason("no_data", STRESS)] if unknown else [] for unknown in np.isnan(table.stress).tolist())
    shapes = zip(table.area.tolist(), known_numbers(table.cells), flags)
    columns.append(shape_reasons(area, cells, flag) for area, cells, flag in shapes)
    return ([*pet, *moisture, *et, *stress, *shape] for pet, moisture, et, stress, shape in zip(*columns))


def _pet_reasons(table: WaterTable) -> Iterator[list[Reason]]:
    rain, demand = ~np.isnan(table.precipitation), ~np.isnan(table.pet)
    missing = [_role_reasons(table, role, there.any(axis=0)) for role, there in ((PRECIPITATION, rain), (PET, demand))]
    years, both, no_ratio = table.plan.window.years, (rain & demand).T, np.isnan(table.pet_ratio).tolist()
    return ([*p, *e] or _ratio_reasons(years, there.tolist(), unknown) for p, e, there, unknown in zip(*missing, both, no_ratio))


def _role_reasons(table: WaterTable, role: str, there: npt.NDArray[np.bool_]) -> Iterator[list[Reason]]:
    if role not in table.plan.series:
        return ([reason("missing_layer", role)] for _ in there)
    return ([] if found else [reason("no_window_year", role)] for found in there.tolist())


def _ratio_reasons(years: Sequence[int], there: Sequence[bool], no_ratio: bool) -> list[Reason]:
    if not any(there):
        return [reason("no_common_year")]
    if no_ratio:
        return [reason("pet_not_positive")]
    return [] if there[-1] else [reason("earlier_year", "precipitation_pet_ratio", years=[year for year, has in zip(years, there) if has])]


def _ranked_reasons(table: WaterTable, role: str) -> Iterator[list[Reason]]:
    ranked: Ranked = table.ranked[role]
    counts = (~np.isnan(ranked.reference)).sum(axis=0).tolist()
    alike = (all_alike(ranked.reference) if role == ET else np.zeros(len(counts), bool)).tolist()
    years, reference = table.plan.window.years, table.plan.references[role]
    for there, n, same, shown in zip(ranked.in_window.tolist(), counts, alike, ranked.shown.tolist()):
        if not there:
            yield [reason("no_window_year", role)]
        elif n < MIN_REFERENCE_YEARS:
            yield [reason("few_reference_years", role, n=n)]
        elif same:
            yield [reason("no_variation", role)]
        else:
            found = [reason("reference_includes_window", role, years=list(reference.years))] if reference.includes_window else []
            if years[shown] != years[-1]:
                found.append(reason("earlier_year", role, year=years[shown]))
            yield found
