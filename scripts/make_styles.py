#!/usr/bin/env python3
"""Write epoch_plugin/resources/styles/alert.qml: run with QGIS's Python and QT_QPA_PLATFORM=offscreen.

Words and colours are those of the user interface's design: Okabe-Ito colours, a second sign (hatch, dots) for print and for
colour-blind readers, the outline's width for confidence.
"""

from pathlib import Path

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

TARGET = Path(__file__).resolve().parents[1] / "epoch_plugin" / "resources" / "styles" / "alert.qml"
WIDTH = "CASE WHEN \"deforestation_confidence\" = 'high' THEN 1.0 WHEN \"deforestation_confidence\" = 'medium' THEN 0.6 ELSE 0.3 END"
FILL_ALPHA = 90  # the same for all: the picture below stays visible, and opacity means nothing
# value, label, colour, how it is filled
ALERTS = (
    ("critical", "Forest loss detected", "#D55E00", "solid"),
    ("non-critical", "Signal, needs a look", "#E69F00", "hatch"),
    ("no deforestation", "None detected", "#009E73", "solid"),
    ("", "Not assessed: no data", "#999999", "empty"),
)


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
    categories = [QgsRendererCategory(value or None, fill(colour, kind), label) for value, label, colour, kind in ALERTS]
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
