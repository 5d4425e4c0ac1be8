"""The first tab of the attribute form: a plot's result to be read, numbers as the inspector writes them.

QGIS's own widgets show a stored number with all its digits, or greyed out where the layer is read-only. What is shown here is written by
expressions, so that a project needs no plugin, and the stored values stay as they are, in a tab of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from qgis.core import QgsVectorLayer
from qgis.PyQt.QtCore import QVariant

from epoch_plugin.bridge.alerts import ALERTS
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import number_expression
from epoch_plugin.bridge.sentences import SENTENCE_FIELDS, first_sentence_expression, quoted, roles_expression

_SHARES = ("agreement", "coverage")
_WHOLE = (QVariant.Int, QVariant.LongLong)  # a GeoPackage has no others
_NO_UNIT = ("class", "year")


def sheet_rows(layer: QgsVectorLayer, names: Iterable[str]) -> list[str]:
    """Return the first sentence and a row per field that can be read as a line, or as a line per part: expressions that give HTML."""
    told = set(SENTENCE_FIELDS) <= set(layer.fields().names())
    sentence = [f"'<tr><td colspan=2><b>' || ({first_sentence_expression()}) || '</b></td></tr>'"] if told else []
    return sentence + [row for row in (_row(layer, name) for name in names) if row]


def is_number(layer: QgsVectorLayer, name: str) -> bool:
    """Tell whether a field holds numbers with decimals."""
    return layer.fields().field(name).type() == QVariant.Double


def _row(layer: QgsVectorLayer, name: str) -> str:
    index = layer.fields().indexOf(name)
    kind, title, column = layer.fields().at(index).type(), layer.attributeDisplayName(index), f'"{name}"'
    label, unit = _unit_of(title)
    if kind == QVariant.Double:
        return _line(quoted(escape(label)), _number(column, unit))
    if kind in _WHOLE:
        text = f"to_string({column})" if unit in _NO_UNIT else f"format_number({column}, 0)"
        return _line(quoted(escape(label)), _known(column, f"{text} || {quoted(_suffix(unit))}"))
    if kind in (QVariant.Date, QVariant.DateTime):
        return _line(quoted(escape(title)), _known(column, f"format_date({column}, 'yyyy-MM-dd')"))
    if _holds_numbers(name):
        unit = unit or ("0-1" if name.endswith(_SHARES) else "")
        return _object(column, label, unit)
    if name == "deforestation_alert":
        words = ", ".join(f"{quoted(value)}, {quoted(tr(alert.label))}" for value, alert in ALERTS.items())
        return _line(quoted(escape(title)), f"map_get(map({words}), coalesce({column}, ''))")
    return "" if _is_object(name) else _line(quoted(escape(title)), _known(column, _escaped(column)))


def _holds_numbers(name: str) -> bool:
    """Tell whether a text field holds a JSON object of plain numbers."""
    return name.endswith((*_SHARES, "overlap")) or (name.startswith("annual_") and name != "annual_lc")


def _is_object(name: str) -> bool:
    return name in ("annual_lc", "system_defor", "stock_years", "extra", "cft", "centroid") or name.endswith(("reasons", "metadata"))


def _unit_of(title: str) -> tuple[str, str]:
    """Return name and unit of a field's readable name, `Area (ha)`."""
    label, bracket, unit = title.rpartition(" (")
    return (label, unit[:-1]) if bracket and unit.endswith(")") else (title, "")


def _suffix(unit: str) -> str:
    """Return what stands behind a number; a scale's limits as the inspector writes them."""
    if not unit or unit in _NO_UNIT:
        return ""
    return f" ({unit.replace('-', '–')})" if unit in ("0-1", "0-5", "0-100") else f" {unit}"


def _number(value: str, unit: str) -> str:
    return _known(value, f"replace({number_expression(value)}, '-', '−') || {quoted(_suffix(unit))}")


def _known(value: str, text: str) -> str:
    return f"CASE WHEN {value} IS NULL THEN {quoted(tr('not known'))} ELSE {text} END"


def _escaped(value: str) -> str:
    return f"replace(replace({value}, '&', '&amp;'), '<', '&lt;')"


def _object(column: str, label: str, unit: str) -> str:
    """Return a line for the object's name and one below it for each of its numbers."""
    words = "replace(replace(replace(@element, 'defor_ha_rmse_', 'RMSE '), 'defor_ha_', ''), '_', ' ')"
    plain = f"with_variable('words', {words}, upper(left(@words, 1)) || substr(@words, 2))"
    key = f"'&nbsp;&nbsp;' || coalesce({roles_expression('@element')}, {plain})"
    part = _line(key, _number("map_get(@parts, @element)", unit))
    lines = f"array_to_string(array_foreach(map_akeys(@parts), {part}), '')"
    heading = _line(quoted(escape(label)), _known(column, quoted("")))
    return f"with_variable('parts', from_json({column}), {heading} || coalesce({lines}, ''))"


def _line(label: str, value: str) -> str:
    return f"'<tr><td>' || {label} || '</td><td>' || ({value}) || '</td></tr>'"
