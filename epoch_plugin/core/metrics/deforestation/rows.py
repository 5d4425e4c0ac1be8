"""The table as the store's rows: one mapping per plot, nested values as dicts, unknown numbers as None, reasons spelled out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
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
    first, last = _lost_years(table)
    share = np.minimum(np.divide(table.noncompliance, table.area, out=np.full(n, np.nan), where=table.area > 0), 1.0)
    nothing = [None] * n
    return records({
        "uuid": uuids,
        "monitoring_start": [window.start] * n,
        "monitoring_end": [window.end] * n,
        "assessed_end": table.assessed_end.tolist(),
        "forest_area": known_numbers(table.overlap[BASELINE]) if BASELINE in table.overlap else nothing,
        "noncompliance_area": known_numbers(table.noncompliance),
        "noncompliance_area_perc": known_numbers(share),
        "deforestation_start": [dt.date(year, 1, 1) if year else None for year in first],
        "deforestation_end": [dt.date(year, 12, 31) if year else None for year in last],
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
        "reasons": _reasons(table, first, last, flags),
    })  # fmt: skip


def _lost_years(table: DeforestationTable) -> tuple[list[int], list[int]]:
    """Return the first and the last year with loss of each plot; 0 where there is none or it is not known."""
    lost = (table.sums.union_year > 0) & ~np.isnan(table.detected)[:, None]
    years = np.array(table.plan.window.years, np.int64)
    last = np.where(lost, years, 0).max(axis=1)
    return np.where(lost, years, last[:, None]).min(axis=1).tolist(), last.tolist()


def _agreement(table: DeforestationTable) -> Iterator[dict[str, Any]]:
    columns: dict[str, list[Any]] = {"all": known_numbers(table.agreement_all), **dict.fromkeys(AGREEMENT_KEYS, [None] * len(table.area))}
    columns.update({system.name: known_numbers(table.agreement[:, s]) for s, system in enumerate(table.plan.systems)})
    return records(columns)


def _annual(table: DeforestationTable) -> Iterator[dict[str, Any]]:
    columns = {}
    for k, year in enumerate(table.plan.window.years):
        columns[f"defor_ha_{year}"] = known_numbers(table.defor[:, k])
        columns[f"defor_ha_rmse_{year}"] = known_numbers(table.defor_rmse[:, k])
    return records(columns, len(table.area))


def _systems(table: DeforestationTable) -> Iterator[dict[str, Any]]:
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


def _reasons(table: DeforestationTable, first: list[int], last: list[int], flags: Iterable[Sequence[str]]) -> Iterator[list[Reason]]:
    plan, settings = table.plan, table.plan.settings
    record, context = _record_reasons(table), _context_reasons(table)
    cells = np.where(table.clipped, np.nan, table.weight)
    columns = zip(
        first, last, flags, record, context, table.few_seen.tolist(), table.valid_fraction.tolist(), table.single_system.tolist(),
        table.alert.tolist(), table.deciding.tolist(), table.deciding_inside.tolist(), table.area.tolist(), known_numbers(cells),
    )  # fmt: skip
    for began, ended, own_flags, years_missing, layers_missing, few_seen, valid, single, alert, deciding, inside, area, cells_ha in columns:
        found = [reason("missing_layer", name) for name in plan.missing]
        if few_seen:
            found.append(reason("not_assessed:coverage", valid_fraction=valid, minimum=settings.min_valid_fraction))
        found += years_missing
        if single:
            found.append(reason("single_system"))
        if alert == NON_CRITICAL and deciding < settings.min_noncompliance_ha:
            found.append(reason("below_min_area", deciding_ha=deciding, minimum_ha=settings.min_noncompliance_ha))
        if began == ended == BOUNDARY_YEAR:
            found.append(reason("boundary_year"))
        if deciding > 0 and ended and inside == 0:
            found.append(reason("edge_only", share=deciding / area))
        found += layers_missing
        found += [reason("commodity_undated", role) for role in plan.undated]
        yield found + shape_reasons(area, cells_ha, own_flags)


def _record_reasons(table: DeforestationTable) -> Iterator[list[Reason]]:
    """Name each plot's years that nothing covers, or not to their end."""
    years = table.plan.window.years
    wanting = ~table.year_covered | table.year_partly
    for covered, where, some in zip(table.year_covered, wanting, wanting.any(axis=1).tolist()):
        found = np.flatnonzero(where).tolist() if some else ()
        yield [reason("year_partly_covered" if covered[k] else "year_not_covered", years[k]) for k in found]


def _context_reasons(table: DeforestationTable) -> Iterator[list[Reason]]:
    """Name the deciding context layers that are not bound, or that saw too little of the plot."""
    minimum = table.plan.settings.min_valid_fraction
    nothing = np.zeros(len(table.area))
    for shares in zip(*(table.coverage.get(role, nothing).tolist() for role in PROTECTED)):
        yield [reason("context_missing", role, coverage=share) for role, share in zip(PROTECTED, shares) if share < minimum]
