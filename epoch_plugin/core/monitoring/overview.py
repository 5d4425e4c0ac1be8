"""A supply base at a glance: one figure per card with its reference, and the series behind the charts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from epoch_plugin.core.fetch.request import FetchRequest
from epoch_plugin.core.fetch.run import fetch
from epoch_plugin.core.monitoring.plot_columns import AlertCounts, PlotColumns
from epoch_plugin.core.monitoring.scope import SUPPLY_SHED, Scope, statistics_with_rows
from epoch_plugin.core.store.current import COMPLETED
from epoch_plugin.core.store.store import Store

NOT_PROCESSED = "not_processed"
NO_REFERENCE = "no_reference"


@dataclass(frozen=True)
class FigureSpec:
    """One compared number: its field in the aggregate row, the statistic it belongs to, and the unit."""

    name: str
    statistic: str
    unit: str


FIGURES = (
    FigureSpec("noncompliance_area_perc", "eudr_deforestation", "share"),
    FigureSpec("luc_tco2ehayear", "luc_emissions", "tCO2e/ha/year"),
    FigureSpec("diversity_score", "biodiversity", "0-1"),
    FigureSpec("water_stress_index", "water", "0-5"),
)

# statistic -> the field of a supply shed's row without which the row does not hold that statistic
_SERIES = {
    "eudr_deforestation": "annual_defor_ha", "luc_emissions": "annual_agb", "biodiversity": "diversity_score", "water": "water_stress_index",
}  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """A reference area's value beside a figure: standard error, number of cells and year of the layer, each None where unknown."""

    value: float
    error: float | None
    cells: int | None
    year: int | None


@dataclass(frozen=True)
class Figure:
    """A figure over the plots in scope: `value` None = not known, then `why` is the commonest reason code among the plots."""

    spec: FigureSpec
    value: float | None
    assessed: int
    total: int
    why: str = ""
    reference: Reference | None = None


@dataclass(frozen=True)
class Overview:
    """What the dock shows of a scope; years ascending, ha and tCO2e/ha, None = not known."""

    plots: int
    area: float
    counts: AlertCounts
    noncompliance_area: float | None
    assessed_end: str | None
    figures: dict[str, Figure]
    annual: dict[int, tuple[float | None, float | None]]  # year -> ha of loss, its rmse
    stocks: dict[str, dict[int, float]] = field(default_factory=dict)  # agb, bgb, soc -> year -> plot mean
    reasons: dict[str, int] = field(default_factory=dict)  # deforestation: reason code -> plots
    missing: dict[str, str] = field(default_factory=dict)  # statistic -> reason code why nothing of it is shown


def overview(store: Store, scope: Scope, columns: PlotColumns) -> Overview:
    """Return the overview of a scope whose plots were read into `columns`."""
    shed = supply_shed_row(store, scope)
    row = _aggregate(store, scope, shed) if scope.region is None else {}
    row = {**shed, **{name: value for name, value in row.items() if value is not None}}
    counts = columns.counts()
    why = _why(store, scope, columns)
    figures = {spec.name: _figure(spec, row, shed, columns, counts, why) for spec in FIGURES}
    known = columns.known("noncompliance_area")
    return Overview(
        plots=len(columns),
        area=sum(columns.known("area")),
        counts=counts,
        noncompliance_area=sum(known) if known and counts.assessed else None,
        assessed_end=(row.get("assessed_end") or "")[:10] or None,
        figures=figures,
        annual=annual_loss(row.get("annual_defor_ha")),
        stocks={name: yearly(row.get(f"annual_{name}")) for name in ("agb", "bgb", "soc") if yearly(row.get(f"annual_{name}"))},
        reasons=reason_counts(columns),
        missing=why,
    )


def supply_shed_row(store: Store, scope: Scope) -> dict[str, Any]:
    """Return the stored row of the scope's region (of the collection itself without one), {} where a batch wrote none."""
    kind, uuid = (scope.region.stat_type, scope.region.uuid) if scope.region else (SUPPLY_SHED, scope.collection_id)
    window, values = "", []
    if scope.window is not None:
        window, values = " AND r.monitoring_start = ? AND r.monitoring_end = ?", [scope.window.start, scope.window.end]
    sql = (
        "SELECT r.* FROM stat_supply_shed r LEFT JOIN batch_jobs j ON j.job_id = r.job_id"  # nosec B608
        f" WHERE r.collection_id = ? AND r.stat_type = ? AND r.uuid = ?{window}"
        f" ORDER BY coalesce(j.status = '{COMPLETED}', 0) DESC, j.created DESC, r.fid DESC LIMIT 1"
    )
    with store.reading() as connection:
        row = connection.execute(sql, [scope.collection_id, kind, uuid, *values]).fetchone()
    return {} if row is None else {name: row[name] for name in row.keys() if name != "geom"}


def _aggregate(store: Store, scope: Scope, shed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the aggregates, as one mapping, of the statistics that have rows and that the batch's own row says nothing of."""
    found: dict[str, Any] = {}
    start, end = (scope.window.start, scope.window.end) if scope.window else (None, None)
    for name in statistics_with_rows(store, scope.collection_id):
        if name not in _SERIES or shed.get(_SERIES[name]) is not None:
            continue
        request = FetchRequest(scope.collection_id, (name,), start, end, aggregate=True)
        with fetch(store, request) as result:
            for feature in result.features:
                found = {**{key: value for key, value in feature.properties.items() if value is not None}, **found}
    return found


def _figure(spec: FigureSpec, row: Mapping[str, Any], shed: Mapping[str, Any], columns: PlotColumns, counts: AlertCounts,
            why: Mapping[str, str]) -> Figure:  # fmt: skip
    if spec.statistic == "eudr_deforestation":
        assessed = counts.assessed
    else:
        assessed = len(columns.known(spec.name))
    value = row.get(spec.name) if assessed else None
    return Figure(spec, value, assessed, len(columns), why.get(spec.statistic, ""), _reference(spec, shed))


def _reference(spec: FigureSpec, shed: Mapping[str, Any]) -> Reference | None:
    value = shed.get(f"{spec.name}_ref")
    if value is None:
        return None
    return Reference(value, shed.get(f"{spec.name}_ref_se"), shed.get(f"{spec.name}_ref_n"), shed.get(f"{spec.name}_ref_year"))


def _why(store: Store, scope: Scope, columns: PlotColumns) -> dict[str, str]:
    """Return per statistic the commonest reason code of the plots in which its figure is not known; `not_processed` where no row is stored."""
    found = {}
    for spec in FIGURES:
        field_name = "deforestation_alert" if spec.statistic == "eudr_deforestation" else spec.name
        query = scope.query((spec.statistic,))
        query.where(f"s0.{field_name} IS NULL", [])
        codes: Counter[str] = Counter()
        with store.reading() as connection:
            sql = query.sql("s0.fid IS NULL, s0.reasons, count(*)", "GROUP BY 1, 2 LIMIT 1000")
            for missing, reasons, number in connection.execute(sql, query.parameters):
                for code in [NOT_PROCESSED] if missing else [reason["code"] for reason in json.loads(reasons or "[]")]:
                    codes[code] += number
        if codes:
            found[spec.statistic] = _first_cause(codes)
    return found


def _first_cause(codes: Counter[str]) -> str:
    """Return the commonest code; a layer that was not bound explains what follows from it."""
    bound = {code: number for code, number in codes.items() if code.startswith("missing_layer")}
    return Counter(bound or codes).most_common(1)[0][0]


def annual_loss(text: str | None) -> dict[int, tuple[float | None, float | None]]:
    """Return year -> (ha, rmse) of an `annual_defor` or `annual_defor_ha` object (JSON text)."""
    values = json.loads(text or "{}")
    years = sorted(int(key[9:]) for key in values if key[9:].isdigit())
    return {year: (values[f"defor_ha_{year}"], values.get(f"defor_ha_rmse_{year}")) for year in years}


def yearly(text: str | None) -> dict[int, float]:
    """Return the years of a series object (JSON text), without its mean and spread and without unknown years."""
    values = json.loads(text or "{}") or {}
    return {int(key): value for key, value in sorted(values.items()) if key.isdigit() and value is not None}


def reason_counts(columns: PlotColumns) -> dict[str, int]:
    """Return how many plots carry each reason code of the deforestation check, the commonest first."""
    texts = Counter(columns.reasons)
    codes: Counter[str] = Counter()
    for text, number in texts.items():
        for reason in json.loads(text or "[]"):
            codes[reason["code"]] += number
    return dict(codes.most_common())
