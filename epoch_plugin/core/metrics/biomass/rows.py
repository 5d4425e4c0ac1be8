"""The table as the store's rows: one mapping per plot, nested values as dicts, unknown numbers as None, reasons spelled out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from epoch_plugin.core.metrics.biomass.assess import Annual, BiomassTable, Change
from epoch_plugin.core.metrics.biomass.kernel import PARTS, BiomassKernel
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons
from epoch_plugin.core.metrics.shares import known

NOTHING_HA = 1e-6


def rows(table: BiomassTable, uuids: Sequence[str], flags: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `stat_luc_emissions`, in the order of the plots, without collection and job; `flags` are those of staging."""
    window, kernel = table.plan.window, table.plan.kernel
    pair = None if kernel is None else kernel.pair
    for i, uuid in enumerate(uuids):
        yield {
            "uuid": uuid,
            "monitoring_start": window.start,
            "monitoring_end": window.end,
            "assessed_end": _assessed_end(table, i),
            **_changes(table, i),
            "luc_amortised_tco2eyear": _at(table.amortised, "total", i),
            "luc_amortised_tco2ehayear": _at(table.amortised, "per_ha", i),
            "amortisation_years": table.amortisation_years,
            "stock_years": None if pair is None else list(pair.years),
            **{f"annual_{name}": _annual(table.annual.get(name), i) for name in ("agb", "bgb", "soc")},
            "annual_lc": {str(year): classes[i] for year, classes in table.cover.items()} or None,
            "coverage": {role: float(share[i]) for role, share in table.coverage.items()},
            "valid_fraction": float(table.valid_fraction[i]),
            "reasons": _reasons(table, i, flags[i]),
        }


def _changes(table: BiomassTable, i: int) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, change in ((part, table.parts.get(part)) for part in PARTS):
        found[f"{name}_tco2eyear"] = _at(change, "total", i)
        found[f"{name}_tco2ehayear"] = _at(change, "per_ha", i)
        found[f"{name}_uncertainty_sd"] = _at(change, "sd", i)
    found["soc_tco2eyear"], found["soc_tco2ehayear"] = _at(table.soc, "total", i), _at(table.soc, "per_ha", i)
    return found


def _at(change: Change | None, column: str, i: int) -> float | None:
    return None if change is None else known(getattr(change, column)[i])


def _annual(annual: Annual | None, i: int) -> dict[str, float | None] | None:
    if annual is None:
        return None
    years = {str(year): known(values[i]) for year, values in annual.years.items()}
    return {"mean": known(annual.mean[i]), "std": known(annual.std[i]), **years}


def _assessed_end(table: BiomassTable, i: int) -> dt.date | None:
    """Return the end of the last counted year that lies between the stocks; None where the first counted year does not."""
    kernel, window = table.plan.kernel, table.plan.window
    if kernel is None or kernel.pair is None or table.assessed[i] == 0:
        return None
    start, end = kernel.pair.years
    return min(dt.date(end, 12, 31), window.end) if start < window.years[0] <= end else None


def _reasons(table: BiomassTable, i: int, flags: Sequence[str]) -> list[Reason]:
    kernel = table.plan.kernel
    found = [reason("missing_layer", "agb"), reason("missing_layer", "soc")] if kernel is None else _stock_reasons(table, kernel, i)
    if kernel is not None and table.assessed[i] > 0:
        found += _land_use_reasons(table, kernel, i)
    return found + shape_reasons(float(table.area[i]), None if np.isnan(table.cells[i]) else float(table.cells[i]), flags)


def _stock_reasons(table: BiomassTable, kernel: BiomassKernel, i: int) -> list[Reason]:
    found = []
    if not kernel.agb:
        found.append(reason("missing_layer", "agb"))
    elif kernel.pair is None:
        found.append(reason("one_stock_year", years=[stock.year for stock in kernel.agb]))
    elif table.assessed[i] == 0:
        found.append(reason("no_data", "agb"))
    elif kernel.sd is None:
        found.append(reason("missing_layer", "agb_sd", years=list(kernel.pair.years)))
    elif table.parts and table.sd_share[i] < table.plan.settings.min_valid_fraction:
        found.append(reason("sd_coverage", share=float(table.sd_share[i]), minimum=table.plan.settings.min_valid_fraction))
    return found + _soil_reasons(table, kernel, i)


def _soil_reasons(table: BiomassTable, kernel: BiomassKernel, i: int) -> list[Reason]:
    if not kernel.soc:
        return [reason("missing_layer", "soc")]
    if kernel.soc_pair is None:
        return [reason("one_stock_year", "soc")]
    if table.coverage["soc"][i] == 0:
        return [reason("no_data", "soc")]
    if kernel.pair is None or kernel.soc_pair.years != kernel.pair.years:
        return [reason("stock_years_differ", "soc", years=list(kernel.soc_pair.years))]
    return []


def _land_use_reasons(table: BiomassTable, kernel: BiomassKernel, i: int) -> list[Reason]:
    assessed, known_ha = float(table.assessed[i]), float(table.land_use_known[i])
    if known_ha == 0:
        return [reason("no_land_use")]
    found = []
    if known_ha / assessed < table.plan.settings.min_valid_fraction:
        found.append(reason("land_use_partly", share=known_ha / assessed))
    reader, window = kernel.land_use, table.plan.window
    cover = [reader.cover.years[k] for k in reader.cover_layers]
    if len(cover) > 1 and (cover[0], cover[-1]) != (window.years[0] - 1, window.years[-1]):
        found.append(reason("land_cover_years", years=[cover[0], cover[-1]]))
    if table.after_last[i] > NOTHING_HA:
        found.append(reason("loss_after_last_stock", ha=float(table.after_last[i])))
    if table.before_first[i] > NOTHING_HA:
        found.append(reason("loss_before_first_stock", ha=float(table.before_first[i])))
    return found
