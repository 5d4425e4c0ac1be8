#!/usr/bin/env python3
"""Write epoch_plugin/resources/styles/*.qml: run with QGIS's Python and QT_QPA_PLATFORM=offscreen.

Words and colours are those of the user interface's design: Okabe-Ito colours, a second sign (hatch, dots) for print and for
colour-blind readers, the outline's width for confidence, viridis for everything continuous.
"""

import os
import sys
from pathlib import Path

os.environ["QT_HASH_SEED"] = "0"  # attributes in the same order every time

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsFeatureRenderer,
    QgsFillSymbol,
    QgsLinePatternFillSymbolLayer,
    QgsLineSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsRendererCategory,
    QgsRuleBasedRenderer,
    QgsSimpleFillSymbolLayer,
    QgsSymbolLayer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "epoch_plugin" / "resources" / "styles"
sys.path.insert(0, str(ROOT))

from epoch_plugin.bridge.alerts import ALERTS, CONFIDENCE_LABELS, CONFIDENCE_WIDTHS, FILL_ALPHA, NOT_ASSESSED  # noqa: E402
from epoch_plugin.bridge.continuous import CONTINUOUS, Continuous  # noqa: E402
from epoch_plugin.bridge.sentences import first_sentence_expression  # noqa: E402

_CASES = " ".join(f"WHEN \"deforestation_confidence\" = '{word}' THEN {width}" for word, width in CONFIDENCE_WIDTHS.items())
WIDTH = f"CASE {_CASES} ELSE {CONFIDENCE_WIDTHS['low']} END"
INK = "#333333"  # the one colour of the confidence layer: there the width speaks


def fill(colour: str, kind: str, width: float = 0.3) -> QgsFillSymbol:
    """Return a symbol: `kind` is solid, hatch or empty (dotted outline)."""
    area = QgsSimpleFillSymbolLayer()
    area.setStrokeColor(QColor(colour))
    area.setStrokeWidth(width)
    area.setStrokeWidthUnit(QgsUnitTypes.RenderUnit.RenderMillimeters)
    tint = QColor(colour)
    tint.setAlpha(FILL_ALPHA)
    area.setFillColor(tint)
    if kind != "solid":
        area.setBrushStyle(Qt.BrushStyle.NoBrush)
    if kind == "empty":
        area.setStrokeStyle(Qt.PenStyle.DotLine)
    symbol = QgsFillSymbol()
    symbol.changeSymbolLayer(0, area)
    if kind == "hatch":
        hatch = QgsLinePatternFillSymbolLayer()
        hatch.setLineAngle(45)
        hatch.setDistance(2.0)
        hatch.setSubSymbol(QgsLineSymbol.createSimple({"color": colour, "width": "0.3"}))
        symbol.insertSymbolLayer(0, hatch)
    return symbol


def width_by_confidence(symbol: QgsFillSymbol) -> QgsFillSymbol:
    """Return the symbol with its outline's width driven by the plot's confidence."""
    outline = symbol.symbolLayer(symbol.symbolLayerCount() - 1)
    outline.setDataDefinedProperty(QgsSymbolLayer.Property.PropertyStrokeWidth, QgsProperty.fromExpression(WIDTH))
    return symbol


def alert_renderer() -> QgsFeatureRenderer:
    """Return colours by alert."""
    categories = [
        QgsRendererCategory(value or None, width_by_confidence(fill(alert.colour, alert.fill)), alert.label) for value, alert in ALERTS.items()
    ]
    return QgsCategorizedSymbolRenderer("deforestation_alert", categories)


def confidence_renderer() -> QgsFeatureRenderer:
    """Return outline widths by confidence: one colour, no fill."""
    categories = []
    for word, label in CONFIDENCE_LABELS.items():
        symbol = fill(INK, "empty" if word == "" else "solid", CONFIDENCE_WIDTHS.get(word, CONFIDENCE_WIDTHS["low"]))
        symbol.symbolLayer(0).setBrushStyle(Qt.BrushStyle.NoBrush)
        if word == "":
            symbol.symbolLayer(0).setStrokeColor(QColor(ALERTS[""].colour))
        categories.append(QgsRendererCategory(word or None, symbol, label))
    return QgsCategorizedSymbolRenderer("deforestation_confidence", categories)


def continuous_renderer(style: Continuous) -> QgsFeatureRenderer:
    """Return viridis classes with readable limits and unit, and the plots without a value as in every other layer."""
    root = QgsRuleBasedRenderer.Rule(None)
    for step in style.steps:
        root.appendChild(QgsRuleBasedRenderer.Rule(fill_opaque(step.colour), filterExp=step.expression(style.field), label=step.label))
    missing = QgsRuleBasedRenderer.Rule(fill(ALERTS[""].colour, "empty"), filterExp=f'"{style.field}" IS NULL', label=NOT_ASSESSED)
    root.appendChild(missing)
    return QgsRuleBasedRenderer(root)


def fill_opaque(colour: str) -> QgsFillSymbol:
    """Return a full fill with a thin dark outline: viridis is read by its lightness, which a tint would change."""
    return QgsFillSymbol.createSimple({"color": colour, "outline_color": INK, "outline_width": "0.2"})


def labels() -> QgsVectorLayerSimpleLabeling:
    """Return plot ids as labels, from 1:25,000."""
    settings = QgsPalLayerSettings()
    settings.fieldName = "plotid"
    settings.scaleVisibility = True
    settings.minimumScale = 25000
    text = QgsTextFormat()
    text.setSize(8)
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.8)
    text.setBuffer(halo)
    settings.setFormat(text)
    return QgsVectorLayerSimpleLabeling(settings)


def title() -> str:
    """Return the first line of every map tip."""
    return '<b>[% "plotid" %]</b> ([% format_number("area", 2) %] ha)<br>\n'


def value_tip(style: Continuous) -> str:
    """Return what a continuous layer's map tip says of a plot."""
    known = f"format_number(\"{style.field}\", 2) || ' {style.unit}'" if style.unit else f'format_number("{style.field}", 2)'
    return f"[% CASE WHEN \"{style.field}\" IS NULL THEN '{NOT_ASSESSED}' ELSE '{style.title}: ' || {known} END %]"


def play_years(layer: QgsVectorLayer) -> None:
    """Let the temporal controller play the years: a plot with loss appears in its first year and stays, others are there throughout the window.

    Expressions, not the fields themselves: QGIS hands a comparison with a field to SQLite, which compares dates as texts and so
    shows the losses of 2022 already in the frame of 2021.
    """
    if layer.fields().indexOf("deforestation_start") < 0:
        return
    temporal = layer.temporalProperties()
    temporal.setIsActive(True)
    temporal.setMode(Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromExpressions)
    temporal.setStartExpression('to_datetime(coalesce("deforestation_start", "monitoring_start"))')
    temporal.setEndExpression("to_datetime(\"monitoring_end\") + to_interval('1 day')")


def write(name: str, renderer: QgsFeatureRenderer, tip: str, fields: tuple[str, ...]) -> None:
    """Save one style."""
    definition = "&".join(f"field={field}" for field in ("plotid:string", "area:double", *fields))
    layer = QgsVectorLayer(f"MultiPolygon?crs=EPSG:4326&{definition}", name, "memory")
    layer.setRenderer(renderer)
    layer.setLabeling(labels())
    layer.setLabelsEnabled(True)
    layer.setMapTipTemplate(title() + tip)
    play_years(layer)
    category = QgsVectorLayer.StyleCategory
    flags = category.Symbology | category.Labeling | category.MapTips | category.Temporal
    path = TARGET / f"{name}.qml"
    message, saved = layer.saveNamedStyle(str(path), flags)
    if not saved:
        raise SystemExit(message)
    # QGIS gives rules and categories new random ids each time; the file shall only change with its content.
    path.write_text(stable_ids(path.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


def stable_ids(text: str) -> str:
    """Return the text with every UUID replaced by its number in order of appearance."""
    import re

    seen: dict[str, str] = {}
    pattern = re.compile(r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}")
    return pattern.sub(lambda match: seen.setdefault(match.group(0), f"{{00000000-0000-0000-0000-{len(seen):012d}}}"), text)


def main() -> None:
    """Build each style on an empty layer and save it."""
    application = QgsApplication([], False)
    application.initQgis()
    TARGET.mkdir(parents=True, exist_ok=True)
    sentence = f"[% {first_sentence_expression()} %]"
    deforestation = ("deforestation_alert:string", "deforestation_confidence:string", "deforestation_start:date", "deforestation_end:date")
    write("alert", alert_renderer(), sentence, deforestation)
    write("confidence", confidence_renderer(), sentence, deforestation)
    for name, style in CONTINUOUS.items():
        write(name, continuous_renderer(style), value_tip(style), (f"{style.field}:double",))
    application.exitQgis()


if __name__ == "__main__":
    main()
