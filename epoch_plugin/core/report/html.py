"""The summary as one page of HTML, plain enough for a browser, a mail and Qt's text documents (PDF)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from epoch_plugin.core.metrics.reasons import sentence
from epoch_plugin.core.report.background import SourceLayer
from epoch_plugin.core.report.comparison import DEFORESTATION, Comparison
from epoch_plugin.core.report.lines import assessed_to, causes
from epoch_plugin.core.report.numbers import hectares, plots, significant
from epoch_plugin.core.report.summary import CONFIDENCES, CRITICAL, LISTED, NON_CRITICAL, NONE_DETECTED, NOT_ASSESSED, Summary

ORDER = (CRITICAL, NON_CRITICAL, NONE_DETECTED, NOT_ASSESSED)
PICTURE_WIDTH = 680  # for Qt's text documents, which know no per cent
LAYER_REASONS = ("commodity_undated", "context_missing")  # these say something of the datasets file, not of a plot
Look = tuple[str, str]  # label and colour (#rrggbb) of an alert

_STYLE = """
body { font-family: 'Open Sans', 'Segoe UI', Arial, sans-serif; color: #222; background: #fff; font-size: 9.5pt; line-height: 1.3; }
#page { max-width: 62em; margin: 1.5em auto; padding: 0 1em; }
h1 { font-size: 16pt; margin: 0 0 2pt 0; } h2 { font-size: 11pt; margin: 9pt 0 3pt 0; } ul { margin: 0 0 0 1.2em; padding: 0; }
p { margin: 3pt 0; } .quiet { color: #595959; font-size: 8.5pt; }
table { border-collapse: collapse; }
td, th { padding-top: 2px; padding-right: 11px; padding-bottom: 2px; padding-left: 0px; text-align: left; vertical-align: top; }
th { color: #595959; font-weight: normal; border-bottom: 1px solid #bbb; } .number { text-align: right; }
.cards td { padding-top: 8px; padding-right: 12px; padding-bottom: 8px; padding-left: 14px; }
.big { font-size: 15pt; font-weight: bold; } .list td { border-bottom: 1px solid #e4e4e4; }
img { max-width: 100%; height: auto; border: 1px solid #bbb; } .wide { width: 100%; }
@page { size: A4; margin: 12mm; } @media print { #page { margin: 0; padding: 0; max-width: none; font-size: 8.5pt; }
  img { width: auto !important; max-height: 95mm; } .list tr, li, img { page-break-inside: avoid; } }
"""


def page(summary: Summary, looks: Mapping[str, Look], picture: str) -> str:
    """Return the page; `looks` are label and colour per alert ('' = not assessed), `picture` the address of the map ('' = none)."""
    more = any(family.statistic != DEFORESTATION for family in summary.comparison.families)
    name = f"{'Collection report' if more else 'Deforestation check'}: {escape(summary.collection.collection_name)}"
    body = [
        f"<h1>{name}</h1>",
        f"<p class='quiet'>{_head(summary)}</p>",
        f"<p><b>{_verdict(summary)}</b></p>",
        _cards(summary, looks),
        f"<h2>Map</h2>{_legend(looks)}<p><img src='{picture}' alt='Plots coloured by alert' width='{PICTURE_WIDTH}' style='width: 100%'></p>"
        if picture
        else "",
        _halves(_confidence(summary, looks) + _worst(summary), _years(summary) + _unknown(summary)),
        _comparison(summary.comparison),
        _sources(summary),
        f"<p class='quiet'>{_foot(summary)}</p>",
    ]
    return (
        f"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><title>{name}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head>\n"
        f"<body><div id='page'>\n{chr(10).join(filter(None, body))}\n</div></body></html>\n"
    )


def _head(summary: Summary) -> str:
    collection = summary.collection
    window = f"Losses after {summary.start} and up to {summary.end}." if summary.start else "Nothing was processed yet."
    facts = [collection.detected_country or collection.country, collection.crop_type]
    facts.append(f"locations: {collection.locations_confidence} confidence" if collection.locations_confidence else None)
    return f"{escape(', '.join(filter(None, facts)))}{'. ' if any(facts) else ''}{window}"


def _verdict(summary: Summary) -> str:
    critical, silent = summary.alerts[CRITICAL], summary.alerts[NONE_DETECTED]
    if not summary.assessed:
        return "No plot could be assessed."
    losses = f"Forest loss detected on {plots(critical)} ({hectares(summary.critical_ha)})." if critical else "No forest loss detected."
    return f"{losses} None detected on {plots(silent)} with the layers listed, {assessed_to(summary)}."


def _cards(summary: Summary, looks: Mapping[str, Look]) -> str:
    cells = [_card("Plots", f"{len(summary.plots):,}", hectares(summary.area), "#444444")]
    notes = {CRITICAL: hectares(summary.critical_ha) + " lost", NOT_ASSESSED: hectares(summary.alert_area[NOT_ASSESSED]) + " of plots"}
    for alert in ORDER:
        label, colour = looks[alert]
        note = notes.get(alert, hectares(summary.alert_area[alert]) + " of plots")
        cells.append(_card(label, f"{summary.alerts[alert]:,}", note, colour))
    return f"<table class='cards wide' width='100%' cellpadding='14' cellspacing='0'><tr>{''.join(cells)}</tr></table>"


def _card(label: str, number: str, note: str, colour: str) -> str:
    return (
        f"<td style='border-left: 5px solid {colour}; background-color: #f5f5f5' width='20%'>"
        f"{escape(label)}<br><span class='big'>{number}</span><br><span class='quiet'>{note}</span></td>"
    )


def _legend(looks: Mapping[str, Look]) -> str:
    marks = " &nbsp; ".join(f"<span style='color: {colour}'>&#9632;</span> {escape(label)}" for label, colour in (looks[alert] for alert in ORDER))
    return f"<p class='quiet'>{marks} &nbsp; Outlines grow with confidence. Pale green: forest in the baseline. Violet lines: protected areas.</p>"


def _halves(left: str, right: str) -> str:
    return f"<table class='wide' width='100%'><tr><td width='50%'>{left}</td><td width='50%'>{right}</td></tr></table>"


def _confidence(summary: Summary, looks: Mapping[str, Look]) -> str:
    columns = (CRITICAL, NON_CRITICAL)
    rows = [[name, *(f"{summary.confidences[name, alert]:,}" for alert in columns)] for name in CONFIDENCES]
    return f"<h2>How sure</h2>{_table(['Confidence', *(looks[alert][0] for alert in columns)], rows, numbers=(1, 2))}"


def _years(summary: Summary) -> str:
    most = max((area for area in summary.annual.values() if area), default=0.0)
    rows = []
    for year, area in sorted(summary.annual.items()):
        length = round(170 * area / most) if area and most else 0
        bar = f"<span style='background-color: #777777; color: #777777'>{'&nbsp;' * max(1, length // 5)}</span>" if length else ""
        rows.append(f"<tr><td>{year}</td><td class='number'>{'not covered' if area is None else significant(area)}</td><td>{bar}</td></tr>")
    return f"<h2>Forest loss by year (ha)</h2><table cellpadding='8' cellspacing='0'>{''.join(rows)}</table>" if rows else ""


def _worst(summary: Summary) -> str:
    found = summary.worst()
    if not found:
        return ""
    rows = [[p.plotid, hectares(p.area), hectares(p.noncompliance_ha), p.since, p.confidence] for p in found]
    more = summary.alerts[CRITICAL] - len(found)
    title = f"Largest detections{f' ({LISTED} of {summary.alerts[CRITICAL]:,} plots)' if more else ''}"
    return f"<h2>{title}</h2>{_table(['Plot', 'Area', 'Loss', 'Since', 'Confidence'], rows, numbers=(1, 2))}"


def _unknown(summary: Summary) -> str:
    all_reasons = summary.reasons + summary.unknown_reasons
    general = sorted(code for code in all_reasons if code.startswith(LAYER_REASONS))
    texts = [f"Not assessed: {cause}." for cause in causes(summary)]
    texts += [f"{code.partition(':')[2]} ({plots(all_reasons[code])}): {sentence(code)}" for code in general]
    return f"<h2>What was not seen or not used</h2><ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>" if texts else ""


def _comparison(comparison: Comparison) -> str:
    """One table per statistic, this collection beside other land of its commodity; forest loss alone only where there is a reference."""
    parts = []
    for family in comparison.families:
        if family.statistic == DEFORESTATION and not comparison.columns:
            continue
        rows = [[row.label, row.own, *row.references] for row in family.rows]
        notes = "" if family.statistic == DEFORESTATION else "".join(f"<li>{escape(note)}</li>" for note in family.notes)
        parts.append(f"<h2>{escape(family.title)}</h2>{_table(['', 'this collection', *comparison.columns], rows, width='24%')}")
        parts.append(f"<ul class='quiet'>{notes}</ul>" if notes else "")
    return "".join(parts)


def _sources(summary: Summary) -> str:
    parts = [f"<b>{escape(s.role)}</b> {escape(s.title + _version(s))}, {escape(s.years)}" for s in summary.sources]
    return f"<h2>Layers used</h2><p class='quiet'>{'; '.join(parts)}.</p>" if parts else ""


def _version(source: SourceLayer) -> str:
    """A profile's version, unless it is only a hint where to find it or part of the title."""
    return f" ({source.version})" if source.version and " " not in source.version and source.version not in source.title else ""


def _foot(summary: Summary) -> str:
    made = f"Epoch for QGIS {summary.provenance['plugin_version']}, method {summary.provenance['method_version']}. " if summary.provenance else ""
    return (
        made + "Alert and confidence follow this plugin's own published rules and thresholds. "
        "Areas are ellipsoidal and count the exact share of each cell. "
        "This page reports what the layers show; it decides no legal question."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = (), width: str = "") -> str:
    """Return a table; `width`: that of every column but the first, so that tables below each other line up."""

    def cells(values: Sequence[str], tag: str) -> str:
        wide = [f" width='{width}'" if width and i else "" for i in range(len(values))]
        return "".join(f"<{tag}{wide[i]}{' class=number' if i in numbers else ''}>{escape(value)}</{tag}>" for i, value in enumerate(values))

    lines = [cells(head, "th"), *(cells(row, "td") for row in rows)]
    look = "class='list wide' width='100%'" if width else "class='list'"
    return f"<table {look} cellpadding='8' cellspacing='0'>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
