#!/usr/bin/env python3
"""Write epoch_plugin/resources/styles/alert.qml: run with QGIS's Python and QT_QPA_PLATFORM=offscreen.

Words and colours are those of the user interface's design: Okabe-Ito colours, a second sign (hatch, dots) for print and for
colour-blind readers, the outline's width for confidence.
"""

import os
import sys
from pathlib import Path

os.environ["QT_HASH_SEED"] = "0"  # attributes in the same order every time

from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLinePatternFillSymbolLayer,
    QgsLineSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsRendererCategory,
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
TARGET = ROOT / "epoch_plugin" / "resources" / "styles" / "alert.qml"
sys.path.insert(0, str(ROOT))

from epoch_plugin.bridge.alerts import ALERTS, CONFIDENCE_WIDTHS, FILL_ALPHA  # noqa: E402

_CASES = " ".join(f"WHEN \"deforestation_confidence\" = '{word}' THEN {width}" for word, width in CONFIDENCE_WIDTHS.items())
WIDTH = f"CASE {_CASES} ELSE {CONFIDENCE_WIDTHS['low']} END"


def fill(colour: str, kind: str) -> QgsFillSymbol:
    """Return the symbol of one alert."""
    area = QgsSimpleFillSymbolLayer()
    area.setStrokeColor(QColor(colour))
    area.setStrokeWidth(0.3)
    area.setStrokeWidthUnit(QgsUnitTypes.RenderUnit.RenderMillimeters)
    area.setDataDefinedProperty(QgsSymbolLayer.Property.PropertyStrokeWidth, QgsProperty.fromExpression(WIDTH))
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


MAP_TIP = """<b>[% "plotid" %]</b> ([% format_number("area", 2) %] ha)<br>
[% CASE WHEN "deforestation_alert" IS NULL THEN 'Not assessed: no data'
 WHEN "deforestation_alert" = 'no deforestation' THEN 'No forest loss detected with the layers listed, up to ' || left("assessed_end", 10)
 WHEN "deforestation_alert" = 'critical' THEN 'Forest loss detected: '
 || format_number("noncompliance_area", 3) || ' ha, confidence ' || "deforestation_confidence"
 ELSE 'Signal, needs a look: confidence ' || "deforestation_confidence" END %]"""


def main() -> None:
    """Build the style on an empty layer and save it."""
    application = QgsApplication([], False)
    application.initQgis()
    fields = "&".join(f"field={name}" for name in ("plotid:string", "deforestation_alert:string", "deforestation_confidence:string"))
    layer = QgsVectorLayer(f"MultiPolygon?crs=EPSG:4326&{fields}", "alert", "memory")
    categories = [QgsRendererCategory(value or None, fill(alert.colour, alert.fill), alert.label) for value, alert in ALERTS.items()]
    layer.setRenderer(QgsCategorizedSymbolRenderer("deforestation_alert", categories))
    layer.setLabeling(labels())
    layer.setLabelsEnabled(True)
    layer.setMapTipTemplate(MAP_TIP)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    flags = QgsVectorLayer.StyleCategory.Symbology | QgsVectorLayer.StyleCategory.Labeling | QgsVectorLayer.StyleCategory.MapTips
    message, saved = layer.saveNamedStyle(str(TARGET), flags)
    if not saved:
        raise SystemExit(message)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
    application.exitQgis()


if __name__ == "__main__":
    main()
