"""The bridge: layers in and out, settings, feedback, styles."""

from __future__ import annotations

import pytest
from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsSettings,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QByteArray, QDate, QDateTime, QTime, QVariant

from epoch_plugin.bridge import compat, layers, settings, styles
from epoch_plugin.bridge import feedback as bridge_feedback
from epoch_plugin.bridge.borders import world_map


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (QVariant(), None),
        (QVariant(QVariant.Int), None),
        (QVariant(3), 3),
        (0, 0),
        ("é", "é"),
        (QDate(2020, 12, 31), "2020-12-31"),
        (QDate(), None),
        (QDateTime(QDate(2020, 12, 31), QTime(1, 2, 3)), "2020-12-31T01:02:03"),
        (QTime(4, 5, 6), "04:05:06"),
        (QByteArray(b"ab"), "YWI="),
        ([1, QVariant(QVariant.Int)], [1, None]),
        ({"a": QDate(2021, 1, 1)}, {"a": "2021-01-01"}),
    ],
)
def test_attributes_become_plain_values(value, expected):
    assert layers.python_value(value) == expected


def plots_layer(*geometries):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32630&field=plotid:string&field=area:double&field=day:date", "my plots", "memory")
    features = []
    for number, geometry in enumerate(geometries, start=1):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([f"P{number}", QVariant(), QDate(2024, 5, number)])
        if geometry:
            feature.setGeometry(QgsGeometry.fromWkt(geometry))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    return layer


def test_layer_becomes_a_plot_source_with_every_feature():
    bow_tie = "POLYGON((0 0, 10 10, 10 0, 0 10, 0 0))"
    layer = plots_layer("POLYGON((0 0, 10 0, 10 10, 0 0))", bow_tie, None)
    source = layers.plot_source(layer)
    found = list(source.features)
    assert (source.name, source.crs, source.sha256) == ("my plots", "EPSG:32630", None)
    assert [feature.row for feature in found] == [1, 2, 3]
    assert found[0].attributes == {"plotid": "P1", "area": None, "day": "2024-05-01"}
    assert QgsGeometry.fromWkt(bow_tie).asWkb().data() == found[1].geometry
    assert found[2].geometry is None and all(feature.problem is None for feature in found)


def test_curved_geometry_becomes_straight():
    curved = QgsGeometry.fromWkt("CURVEPOLYGON(CIRCULARSTRING(0 0, 10 10, 20 0, 10 -10, 0 0))")
    geometry = QgsGeometry()
    geometry.fromWkb(layers.straight_wkb(curved))
    assert geometry.wkbType() == QgsWkbTypes.Type.Polygon
    assert geometry.area() == pytest.approx(314.159, rel=1e-3)


class _RefusingSink:
    def __init__(self, refuse_add=False, refuse_flush=False):
        self.refuse_add, self.refuse_flush = refuse_add, refuse_flush

    def addFeature(self, feature, flags):
        return not self.refuse_add

    def flushBuffer(self):
        return not self.refuse_flush

    def lastError(self):
        return "disk full"


def test_a_refused_feature_is_an_error():
    fields = layers.qgs_fields([("a", "TEXT", "")])
    with pytest.raises(QgsProcessingException, match=r"OUTPUT.*feature 1.*disk full"):
        layers.FeatureWriter(_RefusingSink(refuse_add=True), fields, "OUTPUT").add(["x"])
    writer = layers.FeatureWriter(_RefusingSink(refuse_flush=True), fields, "OUTPUT")
    writer.add(["x"])
    with pytest.raises(QgsProcessingException, match="disk full"):
        writer.close()
    with pytest.raises(QgsProcessingException, match="cannot be written"):
        layers.FeatureWriter(None, fields, "OUTPUT")


def test_a_field_cannot_appear_twice():
    with pytest.raises(QgsProcessingException, match="'a'"):
        layers.qgs_fields([("a", "TEXT", ""), ("a", "REAL", "")])


@pytest.mark.parametrize("kind", ["TEXT", "JSON", "INTEGER", "REAL", "DATE", "DATETIME"])
def test_every_column_type_makes_a_field_that_a_layer_keeps(kind):
    layer = QgsVectorLayer("Point?crs=EPSG:4326", "t", "memory")
    assert layer.dataProvider().addAttributes([compat.field("a", kind)])


def test_store_path_takes_the_first_that_is_given(monkeypatch, tmp_path):
    monkeypatch.delenv("EPOCH_STORE", raising=False)
    QgsSettings().remove(settings.STORE_SETTING)
    assert settings.store_path() == QgsApplication.qgisSettingsDirPath().rstrip("/") + "/epoch/collections.gpkg"
    QgsSettings().setValue(settings.STORE_SETTING, str(tmp_path / "setting.gpkg"))
    assert settings.store_path() == str(tmp_path / "setting.gpkg")
    monkeypatch.setenv("EPOCH_STORE", str(tmp_path / "environment.gpkg"))
    assert settings.store_path() == str(tmp_path / "environment.gpkg")
    assert settings.store_path(str(tmp_path / "parameter.gpkg")) == str(tmp_path / "parameter.gpkg")
    QgsSettings().remove(settings.STORE_SETTING)


def test_feedback_shows_progress_and_texts(feedback):
    progress = bridge_feedback.FeedbackProgress(feedback)
    progress.step(0.25, "reading")
    assert feedback.progress() == 25
    progress.step(7.0, "reading")
    assert feedback.progress() == 100
    progress.warn("careful")
    progress.info("done")
    assert (feedback.warnings, feedback.infos) == (["careful"], ["done"])
    assert not progress.cancelled()
    feedback.cancel()
    assert progress.cancelled()


def test_world_map_is_where_qgis_keeps_it():
    assert world_map().endswith("world_map.gpkg")


ALERTS = {
    "critical": ("Forest loss detected", "#d55e00", "solid"),
    "non-critical": ("Signal, needs a look", "#e69f00", "hatch"),
    "no deforestation": ("None detected", "#009e73", "solid"),
    None: ("Not assessed: no data", "#999999", "dotted"),
}


@pytest.fixture
def alert_layer():
    fields = "field=plotid:string&field=area:double&field=deforestation_alert:string&field=deforestation_confidence:string"
    layer = QgsVectorLayer(f"MultiPolygon?crs=EPSG:4326&{fields}", "result", "memory")
    for alert in ALERTS:
        for confidence in ("low", "medium", "high"):
            feature = QgsFeature(layer.fields())
            feature.setAttributes(["P", 1.0, alert if alert else QVariant(), confidence])
            layer.dataProvider().addFeature(feature)
    styles.apply_style(layer, {"area": "Area (ha)"})
    return layer


def test_alert_style_has_words_colours_and_widths(alert_layer):
    from qgis.core import QgsRenderContext

    context = QgsRenderContext()
    context.setExpressionContext(alert_layer.createExpressionContext())
    renderer = alert_layer.renderer().clone()
    renderer.startRender(context, alert_layer.fields())
    for feature in alert_layer.getFeatures():
        symbol = renderer.originalSymbolForFeature(feature, context)
        alert = feature["deforestation_alert"] if isinstance(feature["deforestation_alert"], str) else None
        label, colour, kind = ALERTS[alert]
        outline = symbol.symbolLayer(symbol.symbolLayerCount() - 1)
        assert outline.strokeColor().name() == colour
        assert next(c.label() for c in renderer.categories() if c.symbol().dump() == symbol.dump()) == label
        assert (symbol.symbolLayerCount() == 2) == (kind == "hatch")
        assert (outline.strokeStyle().name if hasattr(outline.strokeStyle(), "name") else int(outline.strokeStyle())) in (
            ("DotLine", 3) if kind == "dotted" else ("SolidLine", 1)
        )
        context.expressionContext().setFeature(feature)
        width = outline.dataDefinedProperties().property(outline.Property.PropertyStrokeWidth)
        assert width.isActive()
        millimetres = QgsExpression(width.expressionString()).evaluate(context.expressionContext())
        assert millimetres == {"low": 0.3, "medium": 0.6, "high": 1.0}[feature["deforestation_confidence"]]
    renderer.stopRender(context)
    assert alert_layer.attributeDisplayName(1) == "Area (ha)"
    assert alert_layer.labelsEnabled() and alert_layer.labeling().settings().minimumScale == 25000
