"""What a plot's result means, in words: the first sentence (in Python and as a QGIS expression) and the reasons behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import counted, number, number_expression, percent

INSIDE_SHARE = 0.99  # of the plot in a protected area: from here on any loss in it lies inside
TOGETHER_SHARE = 0.95  # of the loss seen by all sources at the same place: from here on the sentence need not say how much
# What the sentence is made of; a layer without them (flattened) cannot tell it.
SENTENCE_FIELDS = (
    "deforestation_alert", "deforestation_start", "deforestation_end", "assessed_end", "monitoring_end", "agreement", "overlap", "valid_fraction",
    "detected_area", "noncompliance_area", "area",
)  # fmt: skip
_UNITS = {"_ha": "ha", "share": "%", "coverage": "%", "valid_fraction": "%", "minimum": "%", "ratio": ""}


def first_sentence(row: Mapping[str, Any], area: float) -> str:
    """Return the sentence for a row of the deforestation check (JSON parsed; {} where none is stored) and a plot of `area` ha."""
    if not row:
        return tr("Not processed yet: no result is stored for this plot.")
    alert, assessed = row["deforestation_alert"], (row["assessed_end"] or "")[:10]
    if alert == "no deforestation":
        return tr("No forest loss detected with the layers listed, up to {date}.").format(date=assessed)
    if alert is None:
        return _not_assessed(row["valid_fraction"] or 0.0)
    critical = alert == "critical"
    lost = row["noncompliance_area"] if critical and row["noncompliance_area"] else row["detected_area"]
    who, where = _who(row["agreement"] or {}), _where(row["overlap"] or {}, area)
    text = (_loss() if critical else _signal()).format(ha=number(lost), when=_when(row), who=who, where=where)
    late = assessed and assessed < row["monitoring_end"][:10]
    return f"{text} {tr('Assessed up to {date}.').format(date=assessed)}" if late else text


def _loss() -> str:
    return tr("Forest loss of {ha} ha seen {when} by {who}{where}.")


def _signal() -> str:
    return tr("Possible forest loss of {ha} ha seen {when} by {who}{where}: needs a look.")


def _not_assessed(share: float) -> str:
    if share == 0:
        return tr("Not assessed: no data for this plot.")
    return tr("Not assessed: enough data on only {share} % of the plot.").format(share=number(100.0 * share))


def _when(row: Mapping[str, Any]) -> str:
    first, last = str(row["deforestation_start"])[:4], str(row["deforestation_end"])[:4]
    return tr("in {year}").format(year=first) if first == last else tr("from {first} to {last}").format(first=first, last=last)


def _who(agreement: Mapping[str, float | None]) -> str:
    shares = [share for name, share in agreement.items() if name != "all" and share is not None]
    seen = sum(share > 0 for share in shares)
    if len(shares) == 1:
        return tr("the only source with data")
    if seen < len(shares):
        return tr("{seen} of {all} sources").format(seen=seen, all=len(shares))
    who = tr("both sources") if seen == 2 else tr("all {all} sources").format(all=seen)
    together = agreement.get("all")
    if together is None or together >= TOGETHER_SHARE:
        return who
    return who + _not_together().format(share=number(100.0 * together))


def _not_together() -> str:
    return tr(" (at the same place: {share} % of what any of them saw)")


def _where(overlap: Mapping[str, float | None], area: float) -> str:
    protected = overlap.get("wdpa") or 0.0
    if protected <= 0:
        return ""
    return tr(", inside a protected area") if protected >= INSIDE_SHARE * area else tr(", in a plot that touches a protected area")


def first_sentence_expression() -> str:
    """Return the same sentence as a QGIS expression over a layer's fields, so that map tips need no plugin."""
    none = _filled(tr("No forest loss detected with the layers listed, up to {date}."), date=_DATE)
    partly = _filled(tr("Not assessed: enough data on only {share} % of the plot."), share=number_expression('100.0 * "valid_fraction"'))
    return f"""CASE
WHEN "deforestation_alert" = 'no deforestation' THEN {none}
WHEN "deforestation_alert" IS NULL AND "valid_fraction" IS NULL THEN {quoted(tr("Not processed yet: no result is stored for this plot."))}
WHEN "deforestation_alert" IS NULL AND "valid_fraction" = 0 THEN {quoted(tr("Not assessed: no data for this plot."))}
WHEN "deforestation_alert" IS NULL THEN {partly}
ELSE {_loss_expression()} END"""


_LOST = "CASE WHEN \"deforestation_alert\" = 'critical' AND \"noncompliance_area\" > 0 THEN \"noncompliance_area\" ELSE \"detected_area\" END"
_DATE = "format_date(\"assessed_end\", 'yyyy-MM-dd')"
_SHARES = "map_avals(map_delete(from_json(\"agreement\"), 'all'))"
_ALL = f"array_length(array_filter({_SHARES}, @element IS NOT NULL))"
_SEEN = f"array_length(array_filter({_SHARES}, coalesce(@element, 0) > 0))"
_TOGETHER = "map_get(from_json(\"agreement\"), 'all')"
_PROTECTED = "coalesce(map_get(from_json(\"overlap\"), 'wdpa'), 0)"


def _loss_expression() -> str:
    parts = {
        "ha": number_expression(_LOST),
        "when": 'CASE WHEN year("deforestation_start") = year("deforestation_end") THEN '
        + _filled(tr("in {year}"), year='to_string(year("deforestation_start"))')
        + " ELSE "
        + _filled(tr("from {first} to {last}"), first='to_string(year("deforestation_start"))', last='to_string(year("deforestation_end"))')
        + " END",
        "who": f"CASE WHEN {_ALL} = 1 THEN {quoted(tr('the only source with data'))}"
        f" WHEN {_SEEN} < {_ALL} THEN {_filled(tr('{seen} of {all} sources'), seen=f'to_string({_SEEN})', all=f'to_string({_ALL})')}"
        f" ELSE CASE WHEN {_ALL} = 2 THEN {quoted(tr('both sources'))} ELSE {_filled(tr('all {all} sources'), all=f'to_string({_ALL})')} END"
        f" || CASE WHEN coalesce({_TOGETHER}, 1) >= {TOGETHER_SHARE} THEN ''"
        f" ELSE {_filled(_not_together(), share=number_expression(f'100.0 * {_TOGETHER}'))} END END",
        "where": f"CASE WHEN {_PROTECTED} <= 0 THEN '' WHEN {_PROTECTED} >= {INSIDE_SHARE} * \"area\" THEN {quoted(tr(', inside a protected area'))}"
        f" ELSE {quoted(tr(', in a plot that touches a protected area'))} END",
    }
    text = f"CASE WHEN \"deforestation_alert\" = 'critical' THEN {_filled(_loss(), **parts)} ELSE {_filled(_signal(), **parts)} END"
    note = _filled(tr("Assessed up to {date}."), date=_DATE)
    late = f"CASE WHEN {_DATE} < format_date(\"monitoring_end\", 'yyyy-MM-dd') THEN ' ' || {note} ELSE '' END"
    return f"({text}) || {late}"


def quoted(text: str) -> str:
    """Return a text as a literal of QGIS's expressions."""
    return "'" + text.replace("'", "''") + "'"


def _filled(template: str, **parts: str) -> str:
    """Return the expression for a text with {names} replaced by expressions."""
    joined, rest = [], template
    while rest:
        before, brace, after = rest.partition("{")
        if before:
            joined.append(quoted(before))
        if not brace:
            break
        name, _, rest = after.partition("}")
        joined.append(f"({parts[name]})")
    return " || ".join(joined)


def reason_in_words(reason: Mapping[str, Any]) -> str:
    """Return a reason (code and numbers) as a sentence, with its subject in front and its numbers behind."""
    from epoch_plugin.core.metrics.reasons import SENTENCES, sentence

    code = str(reason["code"])
    return _reason_text(tr(sentence(code)), [] if code in SENTENCES else [code.partition(":")[2]], reason)


def reasons_in_words(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence per reason; those that say the same of several layers or years, without numbers, become one."""
    from epoch_plugin.core.metrics.reasons import SENTENCES, sentence

    groups: dict[tuple[Any, ...], tuple[list[str], Mapping[str, Any]]] = {}
    for reason in reasons:
        code = str(reason["code"])
        subject = "" if code in SENTENCES else code.partition(":")[2]
        numbers = tuple((name, value) for name, value in reason.items() if name != "code")
        subjects, _ = groups.setdefault((sentence(code), str(numbers)), ([], reason))
        if subject:
            subjects.append(subject)
    return [_reason_text(tr(text), subjects, reason) for (text, _), (subjects, reason) in groups.items()]


def _reason_text(text: str, subjects: Sequence[str], reason: Mapping[str, Any]) -> str:
    numbers = [_number_in_words(name, value) for name, value in reason.items() if name != "code" and isinstance(value, (int, float))]
    if numbers:
        text = f"{text.rstrip('.')} ({', '.join(numbers)})."
    if subjects:
        text = f"{', '.join(role_in_words(subject) for subject in subjects)}: {text[0].lower()}{text[1:]}"
    return text


def code_in_words(code: str) -> str:
    """Return a reason code as a sentence."""
    return reason_in_words({"code": code})


def _number_in_words(name: str, value: float) -> str:
    label = _LABELS.get(name, name.replace("_", " "))
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return f"{tr(label)} {percent(value) if unit == '%' else number(value, unit)}"
    return f"{tr(label)} {number(value)}"


_LABELS = {
    "deciding_ha": "deciding area", "minimum_ha": "smallest that counts", "area_ha": "assumed area", "valid_fraction": "seen",
    "minimum": "needed", "coverage": "seen", "share": "share of the plot", "ratio": "ratio",
}  # fmt: skip


def roles_expression(role: str) -> str:
    """Return the QGIS expression that does for the expression `role` what `role_in_words` does for names that it knows, and NULL for others."""
    pairs = ", ".join(f"{quoted(name)}, {quoted(tr(words))}" for name, words in _ROLES.items())
    return f"map_get(map({pairs}), {role})"


def plots_in_words(number_of: int) -> str:
    """Return a number of plots."""
    return counted(number_of, tr("1 plot"), tr("{n} plots"))


def role_in_words(role: str) -> str:
    """Return the name of a role (or a year, or a system) as a reader knows it."""
    return tr(_ROLES[role]) if role in _ROLES else role.replace("_", " ").capitalize()


_ROLES = {
    "forest_2020": "Forest 2020", "glad": "GLAD (Hansen)", "tmf": "Tropical Moist Forest", "dynamic_world": "Dynamic World", "radd": "RADD",
    "jrc_forest": "JRC forest 2020", "tmf_forest": "Tropical moist forest 2020", "natural_forest": "Natural forest", "wdpa": "Protected areas",
    "wdpa_mandate": "Protected areas with legal force", "agb": "Above-ground biomass", "agb_sd": "Biomass, standard deviation",
    "soc": "Soil organic carbon", "lc": "Land cover", "chm": "Canopy height", "tree_mask": "Trees", "pet": "Potential evapotranspiration",
    "et": "Evapotranspiration", "bgb": "Below-ground biomass",
}  # fmt: skip
STATISTICS = {
    "eudr_deforestation": "Deforestation", "luc_emissions": "LUC emissions", "biodiversity": "Diversity", "water": "Water stress",
    "extra": "Further statistics",
}  # fmt: skip


def statistic_in_words(name: str) -> str:
    """Return the name of a statistic as cards and layers call it."""
    return tr(STATISTICS[name])
