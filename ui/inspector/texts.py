"""What the inspector's tables say of a plot, as texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from epoch_plugin.bridge.alerts import ALERTS, CONFIDENCE_LABELS
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import number, percent, quantity, whole
from epoch_plugin.bridge.sentences import code_in_words, reasons_in_words, role_in_words, statistic_in_words

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_details import LayerUse, PlotDetails

_LEFT_OUT = ("uuid", "collection_id", "job_id", "coverage", "reasons", "overlap", "annual_defor", "monitoring_start", "monitoring_end")


def heading(details: PlotDetails) -> str:
    """Return the plot's name and area."""
    return f"{details.plotid or tr('Drawn plot')} · {number(details.area, 'ha')}"


def badge(details: PlotDetails) -> tuple[str, str, str]:
    """Return alert (its key), its words with the confidence, and its colour."""
    row = details.deforestation
    alert = row.get("deforestation_alert") or ""
    if not row:
        return "", tr("Not processed"), ALERTS[""].colour
    confidence = row.get("deforestation_confidence") or ""
    words = tr(ALERTS[alert].label)
    if confidence in ("low", "medium", "high"):
        words = f"{words} · {tr(CONFIDENCE_LABELS[confidence]).lower()}"
    return alert, words, ALERTS[alert].colour


def reasons(details: PlotDetails) -> list[str]:
    """Return how the alert came about, then the reasons stored with it."""
    row = details.deforestation
    if not row:
        return []
    lines = []
    agreement = row.get("agreement") or {}
    if row.get("detected_area"):
        shares = sorted(((share, name) for name, share in agreement.items() if name != "all" and share), reverse=True)
        seen = [f"{role_in_words(name)} {percent(share)}" for share, name in shares]
        lines.append(tr("Share of the loss that each source saw: {shares}.").format(shares=", ".join(seen)))
        decided = row.get("noncompliance_area")
        if decided and decided < row["detected_area"]:
            words = tr("Seen by at least one source: {any}. Seen by enough sources to count: {decided}; this area decides.")
            lines.append(words.format(any=number(row["detected_area"], "ha"), decided=number(decided, "ha")))
        if agreement.get("all") is not None:
            lines.append(tr("Seen by all sources with data at the same place: {share} of the loss.").format(share=percent(agreement["all"])))
    if row.get("tmf_degraded_ha"):
        lines.append(tr("Degraded, not deforested, according to Tropical Moist Forest: {ha}.").format(ha=number(row["tmf_degraded_ha"], "ha")))
    return [*lines, *reasons_in_words([reason for reason in row.get("reasons") or () if not _says_missing(reason["code"])])]


def _says_missing(code: str) -> bool:
    from epoch_plugin.core.monitoring.plot_details import says_not_assessed

    return says_not_assessed(code)


def not_assessed(details: PlotDetails) -> list[str]:
    """Return what could not be judged and why, statistic by statistic."""
    from epoch_plugin.core.monitoring.plot_details import STATISTICS

    lines = []
    for name in STATISTICS[:4]:
        codes = [code for statistic, code in details.not_assessed if statistic == name]
        stored = {reason["code"]: reason for reason in details.statistics.get(name, {}).get("reasons") or ()}
        if codes == ["not_processed"]:
            lines.append(f"{statistic_in_words(name)}: {_lower(code_in_words('not_processed'))}")
        else:
            lines += [f"{statistic_in_words(name)}: {_lower(text)}" for text in reasons_in_words([stored[code] for code in codes if code in stored])]
    row = details.deforestation
    unbound = [role_in_words(role) for role, value in (row.get("overlap") or {}).items() if value is None]
    if unbound:
        lines.append(tr("No layer for the overlap with: {roles}.").format(roles=", ".join(unbound)))
    return lines


def _lower(text: str) -> str:
    return text[0].lower() + text[1:] if text[1:2].islower() else text


def overlaps(details: PlotDetails) -> list[tuple[str, float]]:
    """Return the layers that the plot overlaps, the largest first."""
    found = {role: value for role, value in (details.deforestation.get("overlap") or {}).items() if value}
    return [(role_in_words(role), value) for role, value in sorted(found.items(), key=lambda item: -item[1])]


def number_rows(details: PlotDetails) -> list[tuple[str, list[Any]]]:
    """Return every metric with its unit, below its statistic; objects have their parts below them."""
    from epoch_plugin.core.store.schema import TABLES

    groups = []
    for name, row in details.statistics.items():
        if row:
            columns = [column for column in TABLES[f"stat_{name}"].columns if column.name not in _LEFT_OUT]
            rows = [_row(tr(column.alias), row.get(column.name), column.unit) for column in columns]
            window = f"{row['monitoring_start']} → {row['monitoring_end']}"
            groups.append((f"{statistic_in_words(name)}, {window}", rows))
    return groups


def _row(label: str, value: Any, unit: str) -> tuple[Any, ...]:
    if isinstance(value, dict) and value:
        return (label, [(role_in_words(key), _value(item, unit)) for key, item in value.items()])
    return (label, _value(value, unit))


def _value(value: Any, unit: str) -> str:
    if value is None:
        return tr("not known")
    if isinstance(value, bool) or isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return "; ".join(f"{key} {_value(item, '')}" for key, item in value.items()) + (f" {unit}" if unit else "")
    if isinstance(value, list):
        return ", ".join(_value(item, "") for item in value)
    if isinstance(value, int):
        return f"{value if unit == 'year' else whole(value)} {unit if unit not in ('class', 'year') else ''}".strip()
    return quantity(value, unit)


def metadata_rows(details: PlotDetails) -> list[tuple[str, str]]:
    """Return the plot's own attributes and what was assumed when it was staged."""
    rows = [(str(key), _value(value, "")) for key, value in details.metadata.items()]
    return rows + ([(tr("Noticed when staged"), ", ".join(flag.replace("_", " ") for flag in details.flags))] if details.flags else [])


def layer_rows(details: PlotDetails) -> list[tuple[str, str, str, str]]:
    """Return the layers used: role, coverage of the plot, years, title with release."""
    return [
        (
            role_in_words(use.role),
            percent(use.coverage) if use.coverage is not None else tr("not told"),
            use.years or tr("undated"),
            use.title + _release(use),
        )
        for use in details.layers
    ]


def _release(use: LayerUse) -> str:
    """Return a layer's version in brackets, unless it is a hint where to find it, or part of the title."""
    return f" ({use.version})" if use.version and " " not in use.version and use.version not in use.title else ""
