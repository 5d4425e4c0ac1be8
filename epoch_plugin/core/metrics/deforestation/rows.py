"""The table as the store's rows: one mapping per plot, nested values as dicts, unknown numbers as None, reasons spelled out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import Any

from epoch_plugin.core.datasets.roles import COMMODITIES
from epoch_plugin.core.metrics.deforestation.assess import NON_CRITICAL, DeforestationTable
from epoch_plugin.core.metrics.deforestation.bindings import BASELINE
from epoch_plugin.core.metrics.deforestation.layers import CONTEXT, PROTECTED
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons

AGREEMENT_KEYS = ("dynamic_world", "glad", "tmf", "radd")
BOUNDARY_YEAR = 2021


def rows(table: DeforestationTable, uuids: Sequence[str], flags: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `stat_eudr_deforestation`, in the order of the plots, without collection and job; `flags` are those of staging."""
    window = table.plan.window
    for i, uuid in enumerate(uuids):
        lost = [year for year, ha in zip(window.years, table.sums.union_year[i]) if ha > 0] if _known(table.detected[i]) is not None else []
        yield {
            "uuid": uuid,
            "monitoring_start": window.start,
            "monitoring_end": window.end,
            "assessed_end": table.assessed_end[i],
            "forest_area": _known(table.overlap[BASELINE][i]) if BASELINE in table.overlap else None,
            "noncompliance_area": _known(table.noncompliance[i]),
            "noncompliance_area_perc": _known(min(table.noncompliance[i] / table.area[i], 1.0)) if table.area[i] > 0 else None,
            "deforestation_start": dt.date(lost[0], 1, 1) if lost else None,
            "deforestation_end": dt.date(lost[-1], 12, 31) if lost else None,
            "uncertainty_rrmse": _known(table.rrmse[i]),
            "deforestation_confidence": table.confidence[i],
            "deforestation_alert": table.alert[i],
            "agreement": _agreement(table, i),
            "overlap": {role: _known(table.overlap[role][i]) if role in table.overlap else None for role in (*CONTEXT, *COMMODITIES)},
            "annual_defor": _annual(table, i),
            "detected_area": _known(table.detected[i]),
            "system_defor": _systems(table, i),
            "tmf_degraded_ha": _degraded(table, i),
            "coverage": {role: float(share[i]) for role, share in table.coverage.items()},
            "valid_fraction": float(table.valid_fraction[i]),
            "reasons": _reasons(table, i, lost, flags[i]),
        }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _agreement(table: DeforestationTable, i: int) -> dict[str, float | None]:
    shares: dict[str, float | None] = {"all": _known(table.agreement_all[i]), **dict.fromkeys(AGREEMENT_KEYS)}
    shares.update({system.name: _known(table.agreement[i, s]) for s, system in enumerate(table.plan.systems)})
    return shares


def _annual(table: DeforestationTable, i: int) -> dict[str, float | None]:
    annual: dict[str, float | None] = {}
    for k, year in enumerate(table.plan.window.years):
        annual[f"defor_ha_{year}"] = _known(table.defor[i, k])
        annual[f"defor_ha_rmse_{year}"] = _known(table.defor_rmse[i, k])
    return annual


def _systems(table: DeforestationTable, i: int) -> dict[str, dict[str, float | None]]:
    """Each system's own area per year; None for a year that it could not speak for anywhere in the plot, or in which nothing could be judged."""
    years, sums = table.plan.window.years, table.sums
    spoke = (sums.system_year_seen[i] > 0) & (sums.judged_year[i] > 0)
    return {
        system.name: {str(year): float(sums.system_year[i, s, k]) if spoke[s, k] else None for k, year in enumerate(years)}
        for s, system in enumerate(table.plan.systems)
    }


def _degraded(table: DeforestationTable, i: int) -> float | None:
    there = any(system.tells_degradation and table.system_there[i, s] for s, system in enumerate(table.plan.systems))
    return float(table.sums.degraded[i]) if there else None


def _reasons(table: DeforestationTable, i: int, lost: list[int], flags: Sequence[str]) -> list[Reason]:
    plan, settings = table.plan, table.plan.settings
    found = [reason("missing_layer", name) for name in plan.missing]
    if table.few_seen[i]:
        found.append(reason("not_assessed:coverage", valid_fraction=float(table.valid_fraction[i]), minimum=settings.min_valid_fraction))
    found += _record_reasons(table, i)
    if table.single_system[i]:
        found.append(reason("single_system"))
    deciding = float(table.deciding[i])
    if table.alert[i] == NON_CRITICAL and deciding < settings.min_noncompliance_ha:
        found.append(reason("below_min_area", deciding_ha=deciding, minimum_ha=settings.min_noncompliance_ha))
    if lost == [BOUNDARY_YEAR]:
        found.append(reason("boundary_year"))
    if deciding > 0 and lost and table.deciding_inside[i] == 0:
        found.append(reason("edge_only", share=deciding / float(table.area[i])))
    found += _context_reasons(table, i)
    found += [reason("commodity_undated", role) for role in plan.undated]
    return found + shape_reasons(float(table.area[i]), None if table.clipped[i] else float(table.weight[i]), flags)


def _record_reasons(table: DeforestationTable, i: int) -> list[Reason]:
    found = []
    for k, year in enumerate(table.plan.window.years):
        if not table.year_covered[i, k]:
            found.append(reason("year_not_covered", year))
        elif table.year_partly[i, k]:
            found.append(reason("year_partly_covered", year))
    return found


def _context_reasons(table: DeforestationTable, i: int) -> list[Reason]:
    """Name the deciding context layers that are not bound, or that saw too little of the plot."""
    found = []
    for role in PROTECTED:
        share = float(table.coverage[role][i]) if role in table.coverage else 0.0
        if share < table.plan.settings.min_valid_fraction:
            found.append(reason("context_missing", role, coverage=share))
    return found
