"""A collection's layers in the project: group, legends, temporal playing, map tips, labels, reloading."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape

import pytest
from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsFeatureRequest,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
)
from qgis.gui import QgsAttributeForm
from qgis.PyQt.QtCore import QDate, QDateTime, QTime
from qgis.PyQt.QtWidgets import QLabel

from epoch_plugin.bridge.collection_layers import SPECS, add_layers, layers_of, open_layers, reload_layers, remove_layers, show_only
from epoch_plugin.bridge.compat import tab_layout
from epoch_plugin.bridge.numbers import number
from epoch_plugin.bridge.sentences import first_sentence
from epoch_plugin.bridge.settings import resource
from epoch_plugin.core.monitoring.scope import collection_choices
from epoch_plugin.core.store import jobs, results
from epoch_plugin.core.store.store import Store


@pytest.fixture(scope="module")
def truth():
    with open(resource("sample", "truth.json"), encoding="utf-8") as file:
        return json.load(file)["plots"]


@pytest.fixture
def sample(processed_sample, tmp_path):
    """A copy of the processed sample: (store, collection)."""
    shutil.copy(processed_sample, tmp_path / "store.gpkg")
    store = Store(tmp_path / "store.gpkg")
    return store, collection_choices(store)[0]


@pytest.fixture
def project(plugin):
    project = QgsProject.instance()
    yield project
    project.clear()


@pytest.fixture
def loaded(sample, project):
    """The layers in the project, by style."""
    store, choice = sample
    add_layers(project, choice.name, open_layers(store.path, choice.collection_id)(None))
    return layers_of(project, choice.collection_id)


def add_rows(store, choice, **rows):
    """Store one row per plot and statistic under the job that is there: statistic -> field values."""
    with store.writing() as connection:
        job = jobs.for_collection(connection, choice.collection_id)[0]
        uuids = [row[0] for row in connection.execute("SELECT uuid FROM plots ORDER BY fid")]
        for name, values in rows.items():
            common = {"collection_id": choice.collection_id, "job_id": job.job_id, "monitoring_start": "2020-12-31", "monitoring_end": "2025-12-31"}
            results.insert(connection, name, ({**common, "uuid": uuid, **values(number)} for number, uuid in enumerate(uuids)))


def test_only_views_with_rows_become_layers_in_one_group(loaded, project, sample):
    assert list(loaded) == ["alert", "confidence"] or set(loaded) == {"alert", "confidence"}
    group = project.layerTreeRoot().findGroup("Epoch / sample")
    assert [node.name() for node in group.findLayers()] == ["Alert", "Confidence"]
    assert [node.itemVisibilityChecked() for node in group.findLayers()] == [True, False]
    for layer in loaded.values():
        assert layer.isValid() and layer.featureCount() == 301 and layer.readOnly()
    _, choice = sample
    show_only(project, choice.collection_id, "confidence")
    assert [node.itemVisibilityChecked() for node in group.findLayers()] == [False, True]
    remove_layers(project, choice.collection_id, choice.name)
    assert project.layerTreeRoot().findGroup("Epoch / sample") is None and not layers_of(project, choice.collection_id)


def test_a_new_statistic_joins_the_group_in_its_place(loaded, project, sample):
    store, choice = sample
    add_rows(
        store, choice, biodiversity=lambda n: {"diversity_score": n / 300}, water=lambda n: {"water_stress_index": None if n == 0 else n % 6 * 0.99},
        luc_emissions=lambda n: {"luc_tco2ehayear": -0.01 * n},
    )  # fmt: skip
    add_layers(project, choice.name, open_layers(store.path, choice.collection_id, frozenset(loaded))(None))
    group = project.layerTreeRoot().findGroup("Epoch / sample")
    assert [node.name() for node in group.findLayers()] == [spec.title for spec in SPECS]
    layers = layers_of(project, choice.collection_id)
    for style, unit in (("luc_emissions", "tCO2e/ha/year"), ("water_stress", "0 to 1"), ("diversity", "0 to 0.2")):
        rules = layers[style].renderer().rootRule().children()
        assert unit in rules[0].label() and rules[-1].label() == "Not assessed: no data"
        matches = [sum(1 for _ in layers[style].getFeatures(QgsFeatureRequest(QgsExpression(rule.filterExpression())))) for rule in rules]
        assert sum(matches) == 301, "every plot is in exactly one class"
    assert matches[-1] == 0 and layers["water_stress"].renderer().rootRule().children()[-1].filterExpression().endswith("IS NULL")
    colours = [rule.symbol().color().name() for rule in layers["diversity"].renderer().rootRule().children()[:-1]]
    assert colours[0] == "#440154" and colours[-1] == "#fde725"


def test_legend_is_in_plain_words_and_the_agreed_colours(loaded):
    categories = {category.label(): category.symbol().clone() for category in loaded["alert"].renderer().categories()}
    assert list(categories) == ["Forest loss detected", "Signal, needs a look", "None detected", "Not assessed: no data"]
    strokes = [symbol.symbolLayer(symbol.symbolLayerCount() - 1).strokeColor().name() for symbol in categories.values()]
    assert [colour.upper() for colour in strokes] == ["#D55E00", "#E69F00", "#009E73", "#999999"]
    symbols = {category.value(): category.symbol().clone() for category in loaded["confidence"].renderer().categories()}
    confidence = {word: symbol.symbolLayer(0) for word, symbol in symbols.items()}
    assert [confidence[word].strokeWidth() for word in ("low", "medium", "high")] == [0.3, 0.6, 1.0]
    assert len({confidence[word].strokeColor().name() for word in ("low", "medium", "high")}) == 1, "never by colour"


def test_labels_from_25000_and_aliases_with_units(loaded):
    layer = loaded["alert"]
    settings = layer.labeling().settings()
    assert layer.labelsEnabled() and settings.fieldName == "plotid" and settings.scaleVisibility and settings.minimumScale == 25000
    for name, alias in (("area", "Area (ha)"), ("noncompliance_area", "Non-compliance area (ha)"), ("deforestation_alert", "Alert")):
        assert layer.attributeDisplayName(layer.fields().indexOf(name)) == alias
    assert all(layer.attributeAlias(i) for i, name in enumerate(layer.fields().names()) if name not in ("fid", "job_id"))


def test_map_tip_is_the_inspectors_first_sentence(loaded, truth):
    layer, seen = loaded["alert"], set()
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    for feature in layer.getFeatures():
        context.setFeature(feature)
        row = {name: feature[name] for name in ("deforestation_alert", "noncompliance_area", "detected_area", "valid_fraction")}
        row = {name: None if value in (None,) or str(value) == "NULL" else value for name, value in row.items()}
        for name in ("assessed_end", "monitoring_end", "deforestation_start", "deforestation_end"):
            row[name] = feature[name].toString("yyyy-MM-dd") if isinstance(feature[name], QDate) else None
        row.update(agreement=json.loads(feature["agreement"]), overlap=json.loads(feature["overlap"]))
        sentence = first_sentence(row, feature["area"])
        tip = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context)
        assert tip.rstrip().endswith(sentence) and feature["plotid"] in tip
        if truth[feature["plotid"]]["deforestation_alert"] == "no deforestation":
            assert sentence == f"No forest loss detected with the layers listed, up to {row['assessed_end']}."
        together = row["agreement"].get("all")
        if "all 4 sources" in sentence:  # all saw some of it, which is not to say that all saw all of it
            assert ("at the same place" in sentence) == (together is not None and together < 0.95)
        seen.add(sentence.split(" ")[0])
    assert {"Forest", "Possible", "No", "Not"} <= seen


def test_the_temporal_controller_plays_the_years(loaded, truth):
    layer = loaded["alert"]
    temporal = layer.temporalProperties()
    assert temporal.isActive()
    context = QgsVectorLayerTemporalContext()
    context.setLayer(layer)
    first = {plotid: (plot["deforestation_start"] or "2020")[:4] for plotid, plot in truth.items()}
    for year in range(2020, 2026):
        begin, end = (QDateTime(QDate(y, 1, 1), QTime(0, 0)) for y in (year, year + 1))
        text = temporal.createFilterString(context, QgsDateTimeRange(begin, end, True, False))
        drawn = {feature["plotid"] for feature in layer.getFeatures(QgsFeatureRequest(QgsExpression(text)))}
        assert drawn == {plotid for plotid, start in first.items() if int(start) <= year}, year


def test_layers_show_what_a_later_job_stored(loaded, project, sample):
    store, choice = sample
    with store.writing() as connection:
        connection.execute("UPDATE stat_eudr_deforestation SET deforestation_alert = 'critical'")
    reload_layers(project, choice.collection_id)
    assert {feature["deforestation_alert"] for feature in loaded["alert"].getFeatures()} == {"critical"}


def test_fetched_layers_get_the_same_style(processed_sample, tmp_path):
    from epoch_plugin.bridge.styles import apply_style

    fields = "field=plotid:string&field=area:double&field="
    for field, style, label in (
        ("diversity_score:double", "diversity", "0 to 0.2 (uniform, open)"),
        ("luc_tco2ehayear:double", "luc_emissions", "Loss of more than 10 tCO2e/ha/year"),
    ):
        layer = QgsVectorLayer(f"MultiPolygon?crs=EPSG:4326&{fields}{field}", style, "memory")
        apply_style(layer, {"area": "Area (ha)"})
        assert layer.renderer().rootRule().children()[0].label() == label and layer.attributeAlias(1) == "Area (ha)"


def test_shipped_styles_are_those_of_the_script(root):
    from epoch_plugin.bridge.continuous import CONTINUOUS

    names = {path.stem for path in (root / "epoch_plugin" / "resources" / "styles").glob("*.qml")}
    assert {"alert", "confidence", *CONTINUOUS} <= names


def test_the_attribute_form_has_tabs_and_every_number_its_unit(loaded):
    layer = loaded["alert"]
    form = layer.editFormConfig()
    tabs = {tab.name(): [element.name() for element in tab.children()] for tab in form.tabs()}
    assert list(tabs) == ["Result", "Stored values", "Evidence", "Plot"] and form.layout() == tab_layout()
    assert tabs["Stored values"][:2] == ["area", "forest_area"] and "noncompliance_area" in tabs["Stored values"] and "reasons" in tabs["Evidence"]
    assert {name for names in list(tabs.values())[1:] for name in names} == set(layer.fields().names()) - {"fid"}
    form = QgsAttributeForm(layer, next(layer.getFeatures()))
    assert {"Area (ha)", "Forest loss seen by any system (ha)"} <= {label.text().rstrip(":") for label in form.findChildren(QLabel)}


def sheet_of(layer, feature, qtbot):
    """Open the attribute form and return the lines of its first tab: name -> what stands beside it."""
    form = QgsAttributeForm(layer, feature)
    qtbot.addWidget(form)
    form.show()
    if Qgis.QGIS_VERSION_INT < 33000:
        from PyQt5.QtWebKitWidgets import QWebView

        (view,) = form.findChildren(QWebView)
        qtbot.waitUntil(lambda: "Alert" in view.page().mainFrame().toPlainText(), timeout=10_000)
        html = re.sub("<script>.*?</script>", "", view.page().mainFrame().toHtml(), flags=re.DOTALL)
    else:
        (html,) = [label.text() for label in form.findChildren(QLabel) if label.text().startswith("<table>")]
    sentence = re.search(r"<td colspan=\"?2\"?><b>(.*?)</b>", html)
    lines = [("", sentence[1])] if sentence else []
    lines += re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td></tr>", html)
    return {unescape(name).strip(): unescape(value).replace("\u00a0", " ") for name, value in reversed(lines)}  # the first of each name


def test_the_form_shows_numbers_as_the_inspector_does_and_keeps_what_is_stored(loaded, qtbot, truth):
    layer = loaded["alert"]
    plotid = next(name for name, plot in truth.items() if plot["deforestation_alert"] == "critical" and plot["deforestation_confidence"] == "high")
    feature = next(layer.getFeatures(f"plotid = '{plotid}'"))
    sheet, plot = sheet_of(layer, feature, qtbot), truth[plotid]
    assert sheet[""].startswith(f"Forest loss of {number(plot['noncompliance_area'], 'ha')} seen in ")
    assert sheet["Plot"] == plotid and sheet["Alert"] == "Forest loss detected" and sheet["Last loss"] == plot["deforestation_end"][:10]
    assert sheet["Area"] == number(plot["area"], "ha") and sheet["Non-compliance area"] == number(plot["noncompliance_area"], "ha")
    assert sheet["Non-compliance share of the plot"] == f"{number(feature['noncompliance_area_perc'])} (0–1)"
    assert sheet["Cocoa"].endswith(" ha") and sheet["JRC forest 2020"] == number(plot["overlap"]["jrc_forest"], "ha")
    year = plot["deforestation_start"][:4]
    assert sheet[year] == number(plot["annual_defor"][f"defor_ha_{year}"], "ha") and sheet[f"RMSE {year}"].endswith(" ha")
    assert not any(re.search(r"\d\.\d{5}", value) for value in sheet.values()), "no number with all its digits"
    assert feature["noncompliance_area"] != round(feature["noncompliance_area"], 6), "what is stored is not rounded"


def test_the_form_of_a_plot_that_was_not_assessed_has_no_numbers(loaded, qtbot, truth):
    layer = loaded["alert"]
    plotid = next(name for name, plot in truth.items() if plot["deforestation_alert"] is None)
    sheet = sheet_of(layer, next(layer.getFeatures(f"plotid = '{plotid}'")), qtbot)
    assert sheet["Alert"] == "Not assessed: no data" and sheet["Non-compliance area"] == "not known"


def test_a_fetched_layer_has_the_same_form_and_texts_of_users_stay_texts(plugin, qtbot):
    from epoch_plugin.bridge.styles import apply_style

    kinds = {"plotid": "string", "area": "double(0,0)", "deforestation_alert": "string", "luc_tco2ehayear": "double(0,0)", "plot_count": "int8"}
    fields = "&".join(f"field={name}:{kind}" for name, kind in kinds.items())
    layer = QgsVectorLayer(f"MultiPolygon?crs=EPSG:4326&{fields}", "fetched", "memory")
    names = {"plotid": "Plot", "area": "Area (ha)", "deforestation_alert": "Alert", "luc_tco2ehayear": "Change (a, b) (tCO2e/ha/year)"}
    apply_style(layer, {**names, "plot_count": "Plots (plots)"})
    feature = QgsFeature(layer.fields())
    feature.setAttributes(["<b>O'Neill & \"sons\"</b>", 1.6385273612, None, -1234.5678, 301])
    layer.dataProvider().addFeature(feature)
    sheet = sheet_of(layer, next(layer.getFeatures()), qtbot)
    assert sheet["Plot"] == "<b>O'Neill & \"sons\"</b>" and sheet["Area"] == "1.64 ha" and sheet["Plots"] == "301 plots"
    assert sheet["Change (a, b)"] == f"{number(-1234.5678)} tCO2e/ha/year" and sheet["Change (a, b)"].startswith("−1")
    assert next(layer.getFeatures())["area"] == 1.6385273612


def test_two_that_open_the_layers_at_once_add_them_once(sample, project):
    store, choice = sample
    mine, yours = (open_layers(store.path, choice.collection_id)(None) for _ in range(2))
    first, second = (add_layers(project, choice.name, layers) for layers in (mine, yours))
    assert first == second == mine and len(project.mapLayers()) == len(mine) == 2
