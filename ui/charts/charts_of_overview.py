"""The dock's charts, from an overview and the plots' counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from epoch_plugin.bridge.alerts import ALERTS
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import number, whole
from epoch_plugin.bridge.sentences import code_in_words
from epoch_plugin.ui.charts.chart import BARS, LINES, PAIRS, STACKED, Chart, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from epoch_plugin.core.monitoring.overview import Overview

LOSS = ALERTS["critical"].colour
OWN, REFERENCE = "#0072B2", "#999999"
STOCKS = {"agb": ("Above ground", "#009E73"), "bgb": ("Below ground", "#E69F00"), "soc": ("Soil", "#0072B2")}
TITLES = {
    "noncompliance_area_perc": ("Detected", "% of area"),
    "luc_tco2ehayear": ("LUC emissions", "tCO2e/ha/year, loss is negative"),
    "diversity_score": ("Diversity", "0–1"),
    "water_stress_index": ("Water stress", "0–5"),
}


def annual_chart(annual: Mapping[int, tuple[float | None, float | None]], detected: float | None, empty: str) -> Chart:
    """Return loss by year with its error bars, and in words how it relates to the area (ha) that counts as detected.

    A year that nothing covers shows a question mark.
    """
    years = tuple(annual)
    values = tuple(annual[year][0] for year in years)
    errors = tuple(annual[year][1] for year in years)
    notes = []
    if any(values):
        notes.append(_seen_and_detected(sum(value for value in values if value), detected))
    if any(value is not None for value in values) and not any(error is not None for error in errors):
        notes.append(tr("No error bars: too few sources cover the whole area."))
    elif any(errors):
        notes.append(tr("Error bars: how far the sources differ (RMS)."))
    if any(value is None for value in values):
        notes.append(tr("“?”: no source covers the year."))
    note = " ".join(notes)
    texts = {(0, i): number(value) for i, value in enumerate(values) if value}
    loss = Series(tr("Forest loss seen by at least one source"), values, LOSS, errors)
    names = tuple(str(year) for year in years)
    return Chart(tr("Deforestation by year"), BARS, "ha", names, (loss,), years, note=note, empty=empty, texts=texts)


def _seen_and_detected(seen: float, detected: float | None) -> str:
    """Return what the bars are; where less counts as detected, which figure is which."""
    if not detected or number(detected) == number(seen):
        return tr("Bars: loss seen by at least one source.")
    words = tr("Bars: loss seen by at least one source, {seen}; {detected} of it counts as detected.")
    return words.format(seen=number(seen, "ha"), detected=number(detected, "ha"))


def stocks_chart(stocks: Mapping[str, Mapping[int, float]], empty: str) -> Chart:
    """Return the carbon stocks per year."""
    known = sorted({year for series in stocks.values() for year in series})
    years = range(known[0], known[-1] + 1) if known else range(0)
    series = tuple(
        Series(tr(STOCKS[name][0]), tuple(values.get(year) for year in years), STOCKS[name][1]) for name, values in stocks.items() if values
    )
    return Chart(tr("Stocks"), LINES, "tCO2e/ha", tuple(str(year) for year in years), series, empty=empty)


def confidence_chart(overview: Overview) -> Chart:
    """Return the plots with a detection by confidence and alert; a click filters by confidence."""
    words = ("high", "medium", "low")
    counts = overview.counts.plots
    alerts = ("critical", "non-critical")
    series = tuple(
        Series(tr(ALERTS[alert].label), tuple(float(counts.get((alert, word), 0)) for word in words), ALERTS[alert].colour,
               hatched=ALERTS[alert].fill == "hatch")
        for alert in alerts
    )  # fmt: skip
    totals = [sum(counts.get((alert, word), 0) for alert in alerts) for word in words]
    if not any(totals):
        series = ()
    empty = tr("No signal in any of the {n} assessed plots.").format(n=whole(overview.counts.assessed))
    texts = {(1, i): whole(total) for i, total in enumerate(totals) if total}
    names = tuple(tr(word.capitalize()) for word in words)
    return Chart(tr("Alerts by confidence"), STACKED, tr("plots"), names, series, words, empty=empty, texts=texts)


def reference_chart(overview: Overview) -> Chart:
    """Return the supply base beside its reference, each figure on a scale of its own."""
    compared = [figure for figure in overview.figures.values() if figure.value is not None and figure.reference is not None]

    def shown(name: str, value: float) -> float:
        return value * 100.0 if name == "noncompliance_area_perc" else value

    own = tuple(shown(figure.spec.name, figure.value) for figure in compared)
    other = tuple(shown(figure.spec.name, figure.reference.value) for figure in compared)
    errors = tuple(None if figure.reference.error is None else shown(figure.spec.name, figure.reference.error) for figure in compared)
    series = (Series(tr("Plots"), own, OWN), Series(tr("Region"), other, REFERENCE, errors, hatched=True)) if compared else ()
    titles = [TITLES[figure.spec.name] for figure in compared]
    empty = tr("No reference area is stored for these plots. Process the collection with a layer of regions to compare it.")
    return Chart(
        tr("Against the region"), PAIRS, "", tuple(tr(title) for title, _ in titles), series, units=tuple(unit for _, unit in titles), empty=empty
    )


def why_empty(overview: Overview, statistic: str) -> str:
    """Return why a statistic has nothing to show."""
    code = overview.missing.get(statistic)
    return code_in_words(code) if code else tr("No values for these plots.")
