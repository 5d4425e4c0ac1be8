"""The table as the store's rows: one mapping per plot, nested values as dicts, unknown numbers as None, reasons spelled out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.roles import COMMODITIES
from epoch_plugin.core.metrics.columns import known_numbers, records
from epoch_plugin.core.metrics.deforestation.assess import NON_CRITICAL, DeforestationTable
from epoch_plugin.core.metrics.deforestation.bindings import BASELINE
from epoch_plugin.core.metrics.deforestation.layers import CONTEXT, PROTECTED
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons

AGREEMENT_KEYS = ("dynamic_world", "glad", "tmf", "radd")
BOUNDARY_YEAR = 2021


def rows(table: DeforestationTable, uuids: Sequence[str], flags: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `stat_eudr_deforestation`, in the order of the plots, without collection and job; `flags` are those of staging."""
    n, window = len(uuids), table.plan.window
    lost = _lost_years(table)
    share = np.minimum(np.divide(table.noncompliance, table.area, out=np.full(n, np.nan), where=table.area > 0), 1.0)
    nothing = [None] * n
    yield from records({
        "uuid": uuids,
        "monitoring_start": [window.start] * n,
        "monitoring_end": [window.end] * n,
        "assessed_end": table.assessed_end.tolist(),
        "forest_area": known_numbers(table.overlap[BASELINE]) if BASELINE in table.overlap else nothing,
        "noncompliance_area": known_numbers(table.noncompliance),
        "noncompliance_area_perc": known_numbers(share),
        "deforestation_start": [dt.date(years[0], 1, 1) if years else None for years in lost],
        "deforestation_end": [dt.date(years[-1], 12, 31) if years else None for years in lost],
        "uncertainty_rrmse": known_numbers(table.rrmse),
        "deforestation_confidence": table.confidence.tolist(),
        "deforestation_alert": table.alert.tolist(),
        "agreement": _agreement(table),
        "overlap": records({role: known_numbers(table.overlap[role]) if role in table.overlap else nothing for role in (*CONTEXT, *COMMODITIES)}),
        "annual_defor": _annual(table),
        "detected_area": known_numbers(table.detected),
        "system_defor": _systems(table),
        "tmf_degraded_ha": _degraded(table),
        "coverage": records({role: shares.tolist() for role, shares in table.coverage.items()}, n),
        "valid_fraction": table.valid_fraction.tolist(),
        "reasons": _reasons(table, lost, flags),
    })  # fmt: skip


def _lost_years(table: DeforestationTable) -> list[Sequence[int]]:
    """Return the years with loss, ascending, of each plot; none where it is not known."""
    years = table.plan.window.years
    lost: dict[int, list[int]] = {}
    for i, k in np.argwhere((table.sums.union_year > 0) & ~np.isnan(table.detected)[:, None]).tolist():
        lost.setdefault(i, []).append(years[k])
    return [lost.get(i, ()) for i in range(len(table.area))]


def _agreement(table: DeforestationTable) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {"all": known_numbers(table.agreement_all), **dict.fromkeys(AGREEMENT_KEYS, [None] * len(table.area))}
    columns.update({system.name: known_numbers(table.agreement[:, s]) for s, system in enumerate(table.plan.systems)})
    return records(columns)


def _annual(table: DeforestationTable) -> list[dict[str, Any]]:
    columns = {}
    for k, year in enumerate(table.plan.window.years):
        columns[f"defor_ha_{year}"] = known_numbers(table.defor[:, k])
        columns[f"defor_ha_rmse_{year}"] = known_numbers(table.defor_rmse[:, k])
    return records(columns, len(table.area))


def _systems(table: DeforestationTable) -> list[dict[str, Any]]:
    """Each system's own area per year; None for a year that it could not speak for anywhere in the plot, or in which nothing could be judged."""
    years, sums, n = table.plan.window.years, table.sums, len(table.area)
    spoke = (sums.system_year_seen > 0) & (sums.judged_year > 0)[:, None]
    areas = np.where(spoke, sums.system_year, np.nan)
    return records({
        system.name: records({str(year): known_numbers(areas[:, s, k]) for k, year in enumerate(years)}, n)
        for s, system in enumerate(table.plan.systems)
    }, n)  # fmt: skip


def _degraded(table: DeforestationTable) -> list[float | None]:
    tells = np.array([system.tells_degradation for system in table.plan.systems], bool)
    return known_numbers(np.where(table.system_there[:, tells].any(axis=1), table.sums.degraded, np.nan))


def _reasons(table: DeforestationTable, lost: Sequence[Sequence[int]], flags: Sequence[Sequence[str]]) -> list[list[Reason]]:
    plan, settings = table.plan, table.plan.settings
    record, context = _record_reasons(table), _context_reasons(table)
    cells = np.where(table.clipped, np.nan, table.weight)
    columns = zip(
        lost, flags, record, context, table.few_seen.tolist(), table.valid_fraction.tolist(), table.single_system.tolist(), table.alert.tolist(),
        table.deciding.tolist(), table.deciding_inside.tolist(), table.area.tolist(), known_numbers(cells),
    )  # fmt: skip
    every = []
    for years, own_flags, years_missing, layers_missing, few_seen, valid, single, alert, deciding, inside, area, cells_ha in columns:
        found = [reason("missing_layer", name) for name in plan.missing]
        if few_seen:
            found.append(reason("not_assessed:coverage", valid_fraction=valid, minimum=settings.min_valid_fraction))
        found += years_missing
        if single:
            found.append(reason("single_system"))
        if alert == NON_CRITICAL and deciding < settings.min_noncompliance_ha:
            found.append(reason("below_min_area", deciding_ha=deciding, minimum_ha=settings.min_noncompliance_ha))
        if years == [BOUNDARY_YEAR]:
            found.append(reason("boundary_year"))
        if deciding > 0 and years and inside == 0:
            found.append(reason("edge_only", share=deciding / area))
        found += layers_missing
        found += [reason("commodity_undated", role) for role in plan.undated]
        every.append(found + shape_reasons(area, cells_ha, own_flags))
    return every


def _record_reasons(table: DeforestationTable) -> list[list[Reason]]:
    """Name each plot's years that nothing covers, or not to their end."""
    found: list[list[Reason]] = [[] for _ in range(len(table.area))]
    years = table.plan.window.years
    for i, k in np.argwhere(~table.year_covered | table.year_partly).tolist():
        found[i].append(reason("year_partly_covered" if table.year_covered[i, k] else "year_not_covered", years[k]))
    return found


def _context_reasons(table: DeforestationTable) -> list[list[Reason]]:
    """Name the deciding context layers that are not bound, or that saw too little of the plot."""
    found: list[list[Reason]] = [[] for _ in range(len(table.area))]
    for role in PROTECTED:
        shares = table.coverage[role] if role in table.coverage else np.zeros(len(table.area))
        for i in np.flatnonzero(shares < table.plan.settings.min_valid_fraction).tolist():
            found[i].append(reason("context_missing", role, coverage=float(shares[i])))
    return found
