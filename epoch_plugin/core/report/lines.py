"""The ten lines that an analyst wants to read after a run."""

from __future__ import annotations

from collections.abc import Mapping

from epoch_plugin.core.metrics.reasons import sentence
from epoch_plugin.core.report.numbers import hectares, plots, significant
from epoch_plugin.core.report.summary import CONFIDENCES, CRITICAL, NON_CRITICAL, NONE_DETECTED, NOT_ASSESSED, Summary

_CAUSES = ("not_assessed", "missing_layer", "year_not_covered", "not_processed")


def lines(summary: Summary, labels: Mapping[str, str]) -> list[str]:
    """Return the summary as lines of `what: finding`; `labels` are the words for the alerts ('' = not assessed)."""
    found = summary.collection
    detections = sum(summary.confidences.values())
    by_confidence = ", ".join(f"{name} {sum(n for (c, _), n in summary.confidences.items() if c == name)}" for name in CONFIDENCES)
    years = ", ".join(f"{year} {'not covered' if area is None else significant(area)}" for year, area in sorted(summary.annual.items()))
    pairs = [
        ("Collection", f"{found.collection_name}, {plots(len(summary.plots))}, {hectares(summary.area)}{_where(summary)}"),
        ("Window", f"{summary.start} to {summary.end}; {assessed_to(summary)}" if summary.start else "nothing was processed yet"),
        ("Assessed", f"{plots(summary.assessed)} of {len(summary.plots):,}"),
        (labels[CRITICAL], f"{plots(summary.alerts[CRITICAL])}, {hectares(summary.critical_ha)}"),
        (labels[NON_CRITICAL], plots(summary.alerts[NON_CRITICAL])),
        (labels[NONE_DETECTED], f"{plots(summary.alerts[NONE_DETECTED])}, with the layers listed"),
        (labels[NOT_ASSESSED], plots(summary.alerts[NOT_ASSESSED])),
        ("  because", "; ".join(causes(summary)) or "–"),
        ("Confidence", f"{by_confidence} (of {plots(detections)} with a signal)"),
        ("Loss by year (ha)", f"{years or '–'}; {hectares(summary.detected_ha)} in all"),
    ]
    width = max(len(name) for name, _ in pairs)
    return [f"{name:<{width}}  {text}" for name, text in pairs]


def assessed_to(summary: Summary) -> str:
    """Return in words up to when the assessed plots were looked at."""
    ends = sorted(summary.assessed_ends.items(), reverse=True)
    if not ends:
        return "no plot was assessed"
    earlier = ", ".join(f"{plots(count)} only to {end}" for end, count in ends[1:])
    return f"assessed to {ends[0][0]}" + (f" ({earlier})" if earlier else "")


def causes(summary: Summary) -> list[str]:
    """Return why plots were not assessed, the most frequent first, with the number of plots."""
    telling = {code: n for code, n in summary.unknown_reasons.items() if code.startswith(_CAUSES)}
    by_sentence: dict[str, int] = {}
    for code, count in telling.items():
        by_sentence[sentence(code)] = max(by_sentence.get(sentence(code), 0), count)
    return [f"{text[0].lower()}{text[1:].rstrip('.')} ({plots(count)})" for text, count in sorted(by_sentence.items(), key=lambda item: -item[1])]


def _where(summary: Summary) -> str:
    country = summary.collection.detected_country or summary.collection.country
    confidence = summary.collection.locations_confidence
    return (f", {country}" if country else "") + (f" (locations: {confidence})" if confidence else "")
