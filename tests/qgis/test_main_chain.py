"""The main job on the sample, by algorithm id as users, models and scripts call it: stage, upload, batch, fetch."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsProcessingContext, QgsProcessingException, QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt.QtCore import QVariant
from qgis.PyQt.QtGui import QImage

from epoch_plugin.bridge.settings import resource

ALERTS = {"critical", "non-critical", "no deforestation", None}
END = "2025-12-31"


@pytest.fixture(scope="module")
def truth():
    with open(resource("sample", "truth.json"), encoding="utf-8") as file:
        return json.load(file)["plots"]


def fingerprint():
    """Return the SHA-256 of every file of the sample."""
    folder = Path(resource("sample"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def chain(plugin, tmp_path_factory):
    """The sample staged, uploaded and checked once: (store path, outputs of the three steps, the sample's files before)."""
    import processing

    before = fingerprint()
    folder = tmp_path_factory.mktemp("chain")
    store = str(folder / "store.gpkg")
    staged = processing.run("epoch:stageplots", {
        "STORE": store, "INPUT_FILE": resource("sample", "plots.geojson"), "COLLECTION_NAME": "sample", "CROP_TYPE": "cocoa", "COUNTRY": "CI",
        "INVALID": str(folder / "invalid.csv"), "REPORT": str(folder / "report.json"),
    })  # fmt: skip
    uploaded = processing.run("epoch:uploadplots", {"STORE": store, "COLLECTION": "sample", "OUTPUT": str(folder / "plots.gpkg")})
    job = processing.run("epoch:batchdeforestationcheck", {
        "STORE": store, "COLLECTION": staged["COLLECTION_ID"], "DATASETS": resource("sample", "datasets.json"), "END_DATE": END,
    })  # fmt: skip
    return store, staged, uploaded, job, before


def fetch(store, name="fetchdeforestationcheck", **parameters):
    import processing

    return processing.run(f"epoch:{name}", {"STORE": store, "COLLECTION": "sample", **parameters})


def test_every_step_hands_on_what_the_next_needs(chain, truth):
    _, staged, uploaded, job, _ = chain
    assert staged["COLLECTION_ID"] == uploaded["COLLECTION_ID"] and staged["COLLECTION_ID"].startswith("0x")
    assert staged["PLOT_COUNT"] == uploaded["PLOT_COUNT"] == job["PROCESSED_COUNT"] == len(truth)
    assert (staged["INVALID_COUNT"], job["FAILED_COUNT"], job["STATUS"]) == (0, 0, "completed")
    assert uploaded["LOCATIONS_CONFIDENCE"] in ("high", "medium", "low") and uploaded["COUNTRY_OVERRIDE_INFO"] == ""
    with open(staged["REPORT"], encoding="utf-8") as file:
        assert json.load(file)["stored"] == len(truth)
    plots = QgsVectorLayer(uploaded["OUTPUT"], "plots", "ogr")
    assert plots.featureCount() == len(truth)
    assert [name for name in plots.fields().names() if name != "fid"] == ["uuid", "plotid", "ingestion_date", "area", "metadata"]


def test_layer_and_ndjson_say_the_same_as_the_truth(chain, truth, tmp_path):
    result = fetch(chain[0], LIMIT=0, OUTPUT=str(tmp_path / "result.gpkg"), NDJSON=str(tmp_path / "result.ndjson"))
    assert result["COUNT"] == result["MATCHED_COUNT"] == len(truth)
    layer = QgsVectorLayer(result["OUTPUT"], "result", "ogr")
    assert layer.wkbType() == QgsWkbTypes.Type.MultiPolygon and layer.crs().authid() == "EPSG:4326"
    rows = {feature["plotid"]: feature for feature in layer.getFeatures()}
    with open(result["NDJSON"], encoding="utf-8") as file:
        lines = {line["properties"]["plotid"]: line["properties"] for line in map(json.loads, file)}
    assert rows.keys() == lines.keys() == truth.keys()
    for plotid, plot in truth.items():
        row, line = rows[plotid], lines[plotid]
        alert = row["deforestation_alert"] if isinstance(row["deforestation_alert"], str) else None
        assert alert == line["deforestation_alert"] == plot["deforestation_alert"], plotid
        assert json.loads(row["annual_defor"]) == line["annual_defor"] and json.loads(row["reasons"]) == line["reasons"]
        assert isinstance(line["metadata"], dict) and row["area"] == line["area"]
    assert {plot["deforestation_alert"] for plot in truth.values()} == ALERTS


def test_flatten_makes_columns_and_ndjson_stays_nested(chain, tmp_path):
    result = fetch(chain[0], LIMIT=5, FLATTEN=True, OUTPUT="memory:", NDJSON=str(tmp_path / "flat.ndjson"))
    names = result["OUTPUT"].fields().names()
    assert {"agreement_glad", "overlap_cocoa", "defor_ha_2021", "metadata_farmerCode"} <= set(names) and "agreement" not in names
    assert result["COUNT"] == 5 and result["MATCHED_COUNT"] > 5
    with open(result["NDJSON"], encoding="utf-8") as file:
        assert all("glad" in json.loads(line)["properties"]["agreement"] for line in file)


def test_layer_arrives_styled_named_and_with_units(chain, feedback, monkeypatch):
    """As in the desktop: the layer is loaded into a project when the algorithm is done."""
    import processing
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingOutputLayerDefinition

    project = QgsProject()
    context = QgsProcessingContext()
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("epoch:fetchdeforestationcheck")
    output = QgsProcessingOutputLayerDefinition("memory:", project)
    parameters = {"STORE": chain[0], "COLLECTION": "sample", "LIMIT": 10, "OUTPUT": output}
    results, ok = algorithm.run(parameters, context, feedback)
    assert ok and processing is not None
    assert any("LIMIT" in text for text in feedback.warnings)
    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # no tree view: what the tests' QGIS has in its place is none to QGIS 3.44
    Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=parameters)
    (layer,) = project.mapLayers().values()
    assert layer.id() == results["OUTPUT"] and layer.name() == "Fetch deforestation check"
    assert layer.renderer().categories()[0].label() == "Forest loss detected"
    assert layer.attributeAlias(layer.fields().indexOf("noncompliance_area")).endswith("(ha)")
    assert project.layerTreeRoot().findLayer(layer.id()).parent().name() == "Epoch / sample"


def test_thumbnails_are_drawn_and_named_in_the_field(chain, tmp_path):
    result = fetch(chain[0], LIMIT=3, THUMBNAILS=str(tmp_path / "pictures"), OUTPUT="memory:")
    for feature in result["OUTPUT"].getFeatures():
        assert feature["thumbnail_url"] == f"{feature['uuid']}.png"
        picture = QImage(str(tmp_path / "pictures" / feature["thumbnail_url"]))
        assert (picture.width(), picture.height()) == (256, 320)
        colours = {picture.pixelColor(x, 140).name() for x in range(256)}
        assert len(colours) > 1, "an empty picture"
    without = fetch(chain[0], LIMIT=1, OUTPUT="memory:")["OUTPUT"]
    assert next(without.getFeatures())["thumbnail_url"] in (None, QVariant())


def test_outputs_say_what_they_cannot_hold(chain, tmp_path, feedback):
    import processing

    def warned(**parameters):
        feedback.warnings.clear()
        processing.run("epoch:fetchdeforestationcheck", {"STORE": chain[0], "COLLECTION": "sample", **parameters}, feedback=feedback)
        return " ".join(feedback.warnings)

    assert "Shapefile" in warned(LIMIT=0, OUTPUT=str(tmp_path / "cut.shp"))
    assert "THUMBNAILS" in warned(AGGREGATE=True, THUMBNAILS=str(tmp_path / "none")) and not (tmp_path / "none").exists()
    assert warned(LIMIT=0, OUTPUT=str(tmp_path / "whole.gpkg")) == ""


def test_an_aggregate_is_one_row_over_all_matching_plots(chain, truth):
    result = fetch(chain[0], AGGREGATE=True, OUTPUT="memory:")
    (row,) = result["OUTPUT"].getFeatures()
    assert (result["COUNT"], result["MATCHED_COUNT"], row["commodity_plot_no"]) == (1, len(truth), len(truth))
    critical = [plot for plot in truth.values() if plot["deforestation_alert"] == "critical"]
    assert row["noncompliance_plot_count"] == len(critical)
    assert row["noncompliance_area_ha"] == pytest.approx(sum(plot["noncompliance_area"] for plot in critical), rel=1e-6)


@pytest.mark.parametrize(
    ("outputs", "words"), [({"REPORT": "/nowhere/report.json"}, "REPORT: there is no folder"), ({"INVALID": "/nowhere/bad.gpkg"}, "bad.gpkg")]
)
def test_staging_stores_nothing_where_its_outputs_cannot_be_written(run, store, outputs, words):
    with pytest.raises(QgsProcessingException, match=words):
        run("stageplots", INPUT=live_layer(), COLLECTION_NAME="x", **outputs)
    assert not Path(store).exists()


def test_cancelling_is_an_error_and_keeps_the_store_readable(run, store, feedback):
    import processing

    run("stageplots", INPUT_FILE=resource("sample", "plots.geojson"), COLLECTION_NAME="sample")
    run("uploadplots", COLLECTION="sample")
    feedback.cancel()
    with pytest.raises(QgsProcessingException, match=r"(?i)stopped|cancel"):
        processing.run("epoch:batchdeforestationcheck", {
            "STORE": store, "COLLECTION": "sample", "DATASETS": resource("sample", "datasets.json"), "END_DATE": END,
        }, feedback=feedback)  # fmt: skip
    assert run("batchdeforestationcheck", COLLECTION="sample", DATASETS=resource("sample", "datasets.json"), END_DATE=END)["STATUS"] == "completed"


def test_fetchplots_puts_the_statistics_name_before_shared_fields(chain):
    layer = fetch(chain[0], "fetchplots", STATS="eudr_deforestation", LIMIT=2, OUTPUT="memory:")["OUTPUT"]
    assert {"eudr_deforestation_assessed_end", "deforestation_alert"} <= set(layer.fields().names())
    only = fetch(chain[0], "fetchplots", LIMIT=2, OUTPUT="memory:")["OUTPUT"]
    assert only.fields().names() == ["uuid", "plotid", "ingestion_date", "area", "metadata"]


def test_the_same_job_is_done_once(chain, run):
    import processing

    store, staged, _, job, _ = chain
    parameters = {"STORE": store, "COLLECTION": "sample", "DATASETS": resource("sample", "datasets.json"), "END_DATE": END}
    assert processing.run("epoch:batchdeforestationcheck", parameters)["JOB_ID"] == job["JOB_ID"]
    other = processing.run("epoch:batchdeforestationcheck", {**parameters, "MIN_VALID_FRACTION": 0.9})
    assert other["JOB_ID"] != job["JOB_ID"], "another setting is another job"
    progress = processing.run("epoch:batchprogress", {"STORE": store, "TRACKING_ID": job["JOB_ID"]})
    assert json.loads(progress["RESPONSE"])["collection_id"] == staged["COLLECTION_ID"] and progress["PROGRESS"] == 100


def test_checkdatasets_reports_every_entry(run, chain):
    result = run("checkdatasets", STORE=chain[0], DATASETS=resource("sample", "datasets.json"), COLLECTION="sample")
    response = json.loads(result["RESPONSE"])
    assert result["OK_COUNT"] == len(response["entries"])
    assert all(0 <= entry["coverage"] <= 1 for entry in response["entries"])


def live_layer():
    layer = QgsVectorLayer("Polygon?crs=EPSG:32630&field=farmer:string&field=code:integer", "field survey", "memory")
    good, bow_tie, none = QgsFeature(layer.fields()), QgsFeature(layer.fields()), QgsFeature(layer.fields())
    good.setAttributes(["Awa", 7])
    good.setGeometry(QgsGeometry.fromWkt("POLYGON((200000 800000, 200100 800000, 200100 800100, 200000 800100, 200000 800000))"))
    bow_tie.setAttributes(["Koffi", 8])
    bow_tie.setGeometry(QgsGeometry.fromWkt("POLYGON((201000 800000, 201100 800100, 201100 800000, 201000 800100, 201000 800000))"))
    none.setAttributes(["Yao", QVariant()])
    layer.dataProvider().addFeatures([good, bow_tie, none])
    return layer


def test_a_live_layer_is_staged_and_bad_plots_go_back_as_csv(run, tmp_path):
    result = run("stageplots", INPUT=live_layer(), COLLECTION_NAME="survey", PLOT_ID_FIELD="code", INVALID=str(tmp_path / "bad.csv"))
    assert (result["PLOT_COUNT"], result["INVALID_COUNT"]) == (1, 2)
    with open(result["INVALID"], encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows] == ["2", "3"] and all(row["reason"] and row["reason_code"] for row in rows)
    plot = next(run("uploadplots", COLLECTION="survey", OUTPUT="memory:")["OUTPUT"].getFeatures())
    assert plot["plotid"] == "7" and json.loads(plot["metadata"])["farmer"] == "Awa"
    assert plot["area"] == pytest.approx(1.0, rel=0.01)
    mended = run("stageplots", INPUT=live_layer(), COLLECTION_NAME="mended", FIX_GEOMETRIES=True, INVALID="memory:")
    assert (mended["PLOT_COUNT"], mended["INVALID_COUNT"]) == (2, 1) and mended["INVALID"].featureCount() == 1


def test_all_whisp_plots_come_back_with_their_attributes(run, shared, tmp_path):
    source = shared / "data" / "plots" / "whisp_example_50.geojson"
    run("stageplots", INPUT_FILE=str(source), COLLECTION_NAME="whisp")
    run("uploadplots", COLLECTION="whisp")
    fetched = run("fetchdeforestationcheck", COLLECTION="whisp", PLOTS_ONLY=True, OUTPUT="memory:", NDJSON=str(tmp_path / "whisp.ndjson"))
    lines = [json.loads(line) for line in (tmp_path / "whisp.ndjson").read_text(encoding="utf-8").splitlines()]
    wanted = json.loads(source.read_text(encoding="utf-8"))["features"]
    assert fetched["COUNT"] == fetched["MATCHED_COUNT"] == fetched["OUTPUT"].featureCount() == len(lines) == len(wanted) == 50
    assert [line["properties"]["metadata"] for line in lines] == [feature["properties"] for feature in wanted]
    assert {tuple(line["properties"]) for line in lines} == {("uuid", "plotid", "ingestion_date", "area", "metadata")}
    assert all(line["properties"]["area"] > 0 for line in lines)


def test_a_fetch_of_what_is_not_processed_warns_and_is_not_empty(run, store, feedback):
    import processing

    staged = run("stageplots", INPUT=live_layer(), COLLECTION_NAME="new")
    result = processing.run("epoch:fetchdeforestationcheck", {"STORE": store, "COLLECTION": "new", "OUTPUT": "memory:"}, feedback=feedback)
    (feature,) = result["OUTPUT"].getFeatures()
    assert staged["PLOT_COUNT"] == result["COUNT"] == 1
    assert json.loads(feature["reasons"])[0]["code"] == "not_processed"
    assert any("no stored result" in text for text in feedback.warnings)


def test_a_batch_of_a_staged_collection_is_refused_with_the_way_out(run):
    run("stageplots", INPUT=live_layer(), COLLECTION_NAME="raw")
    with pytest.raises(QgsProcessingException, match="uploadplots"):
        run("batchdeforestationcheck", COLLECTION="raw", DATASETS=resource("sample", "datasets.json"), END_DATE=END)


def test_the_model_runs_the_whole_chain(plugin, store, tmp_path, truth):
    import processing

    result = processing.run("epoch:deforestation_check", {
        "STORE": store, "INPUT_FILE": resource("sample", "plots.geojson"), "COLLECTION_NAME": "by model", "END_DATE": END,
        "DATASETS": resource("sample", "datasets.json"), "stageplots:INVALID": str(tmp_path / "bad.csv"),
        "fetchdeforestationcheck:OUTPUT": str(tmp_path / "m.gpkg"), "fetchdeforestationcheck:NDJSON": str(tmp_path / "m.ndjson"),
    })  # fmt: skip
    layer = QgsVectorLayer(result["fetchdeforestationcheck:OUTPUT"], "m", "ogr")
    found = {feature["plotid"]: feature["deforestation_alert"] for feature in layer.getFeatures()}
    assert {key: value if isinstance(value, str) else None for key, value in found.items()} == {
        plotid: plot["deforestation_alert"] for plotid, plot in truth.items()
    }


def test_a_run_leaves_the_users_data_as_it_was(chain):
    assert fingerprint() == chain[4]
