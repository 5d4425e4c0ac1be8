"""The table as the store's rows: one mapping per plot, nested values as dicts, unknown numbers as None, reasons spelled out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from epoch_plugin.core.metrics.biomass.assess import Annual, BiomassTable, Change
from epoch_plugin.core.metrics.biomass.kernel import PARTS, BiomassKernel
from epoch_plugin.core.metrics.columns import known_numbers, records
from epoch_plugin.core.metrics.reasons import Reason, reason, shape_reasons

NOTHING_HA = 1e-6


def rows(table: BiomassTable, uuids: Sequence[str], flags: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `stat_luc_emissions`, in the order of the plots, without collection and job; `flags` are those of staging."""
    n, window, kernel = len(uuids), table.plan.window, table.plan.kernel
    pair = None if kernel is None else kernel.pair
    years = None if pair is None else pair.years
    land_cover_reasons = _land_cover_reasons(table)
    return records({
        "uuid": uuids,
        "monitoring_start": [window.start] * n,
        "monitoring_end": [window.end] * n,
        "assessed_end": (_assessed_end(table, i) for i in range(n)),
        **_changes(table, n),
        "luc_amortised_tco2eyear": _column(table.amortised, "total", n),
        "luc_amortised_tco2ehayear": _column(table.amortised, "per_ha", n),
        "amortisation_years": [table.amortisation_years] * n,
        "stock_years": (None if years is None else list(years) for _ in range(n)),
        **{f"annual_{name}": _annual(table.annual.get(name), n) for name in ("agb", "bgb", "soc")},
        "annual_lc": records({str(year): classes for year, classes in table.cover.items()}) if table.cover else [None] * n,
        "coverage": records({role: share.tolist() for role, share in table.coverage.items()}, n),
        "valid_fraction": table.valid_fraction.tolist(),
        "reasons": (_reasons(table, i, flags[i], land_cover_reasons) for i in range(n)),
    })  # fmt: skip


def _changes(table: BiomassTable, n: int) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for name, change in ((part, table.parts.get(part)) for part in PARTS):
        found[f"{name}_tco2eyear"] = _column(change, "total", n)
        found[f"{name}_tco2ehayear"] = _column(change, "per_ha", n)
        found[f"{name}_uncertainty_sd"] = _column(change, "sd", n)
    found["soc_tco2eyear"], found["soc_tco2ehayear"] = _column(table.soc, "total", n), _column(table.soc, "per_ha", n)
    return found


def _column(change: Change | None, column: str, n: int) -> list[float | None]:
    return [None] * n if change is None else known_numbers(getattr(change, column))


def _annual(annual: Annual | None, n: int) -> Iterable[dict[str, Any] | None]:
    if annual is None:
        return [None] * n
    years = {str(year): known_numbers(values) for year, values in annual.years.items()}
    return records({"mean": known_numbers(annual.mean), "std": known_numbers(annual.std), **years})


def _assessed_end(table: BiomassTable, i: int) -> dt.date | None:
    """Return the end of the last counted year that lies between the stocks; None where the first counted year does not."""
    kernel, window = table.plan.kernel, table.plan.window
    if kernel is None or kernel.pair is None or table.assessed[i] == 0:
        return None
    start, end = kernel.pair.years
    return min(dt.date(end, 12, 31), window.end) if start < window.years[0] <= end else None


def _reasons(table: BiomassTable, i: int, flags: Sequence[str], land_cover: list[Reason]) -> list[Reason]:
    kernel = table.plan.kernel
    found = [reason("missing_layer", "agb"), reason("missing_layer", "soc")] if kernel is None else _stock_reasons(table, kernel, i)
    if kernel is not None and table.assessed[i] > 0:
        found += _land_use_reasons(table, i, land_cover)
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


def _land_use_reasons(table: BiomassTable, i: int, land_cover: list[Reason]) -> list[Reason]:
    assessed, known_ha = float(table.assessed[i]), float(table.land_use_known[i])
    if known_ha == 0:
        return [reason("no_land_use")]
    found = []
    if known_ha / assessed < table.plan.settings.min_valid_fraction:
        found.append(reason("land_use_partly", share=known_ha / assessed))
    found += land_cover
    if table.after_last[i] > NOTHING_HA:
        found.append(reason("loss_after_last_stock", ha=float(table.after_last[i])))
    if table.before_first[i] > NOTHING_HA:
        found.append(reason("loss_before_first_stock", ha=float(table.before_first[i])))
    return found


def _land_cover_reasons(table: BiomassTable) -> list[Reason]:
    """Return what every plot's row says of the years of land cover."""
    kernel, window = table.plan.kernel, table.plan.window
    if kernel is None:
        return []
    cover = [kernel.land_use.cover.years[k] for k in kernel.land_use.cover_layers]
    if len(cover) < 2 or (cover[0], cover[-1]) == (window.years[0] - 1, window.years[-1]):
        return []
    return [reason("land_cover_years", years=[cover[0], cover[-1]])]
