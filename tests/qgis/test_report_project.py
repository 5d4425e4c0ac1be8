"""The report and the project of a collection: pictures that show what is there, inputs that stay as they are, files that move together."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest
from qgis.core import QgsProcessingException, QgsProject
from qgis.PyQt.QtGui import QColor, QImage

from epoch_plugin.bridge.alerts import ALERTS
from epoch_plugin.bridge.map_picture import round_length


def fingerprint(folder):
    """Return the SHA-256 of every file below a folder."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def world(plugin, root, tmp_path_factory):
    """A copy of the sample, processed, and the layer with its results: (folder, store, layer, fingerprint of the sample before)."""
    import processing

    folder = tmp_path_factory.mktemp("report")
    sample = Path(shutil.copytree(root / "epoch_plugin" / "resources" / "sample", folder / "sample"))
    before = fingerprint(sample)
    store = str(folder / "store.gpkg")
    processing.run("epoch:stageplots", {"STORE": store, "INPUT_FILE": str(sample / "plots.geojson"), "COLLECTION_NAME": "s", "CROP_TYPE": "cocoa"})
    processing.run("epoch:uploadplots", {"STORE": store, "COLLECTION": "s"})
    processing.run(
        "epoch:batchdeforestationcheck", {"STORE": store, "COLLECTION": "s", "DATASETS": str(sample / "datasets.json"), "END_DATE": "2025-12-31"}
    )  # fmt: skip
    layer = str(folder / "plots.gpkg")
    processing.run("epoch:fetchdeforestationcheck", {"STORE": store, "COLLECTION": "s", "LIMIT": 0, "OUTPUT": layer})
    return folder, store, layer, before


def colours(image):
    """Return the colours of every third pixel."""
    return {QColor(image.pixel(x, y)).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}


def test_report_holds_lines_and_a_picture_of_plots_forest_and_protected_areas(world):
    import processing

    folder, store, _, before = world
    result = processing.run("epoch:collectionreport", {"STORE": store, "COLLECTION": "s", "OUTPUT": str(folder / "report.html")})
    assert len(result["SUMMARY"].splitlines()) == 10 and "80 plots" in result["SUMMARY"]
    html = Path(result["OUTPUT"]).read_text(encoding="utf-8")
    assert "compliant" not in html.lower() and all(look.label in html for look in ALERTS.values())
    picture = QImage.fromData(base64.b64decode(re.search(r"base64,([^']+)'", html).group(1)))
    shown = colours(picture)
    wanted = {ALERTS[alert].colour.lower() for alert in ("critical", "no deforestation")} | {"#d3e6c8", "#7b5ea7"}
    assert picture.width() == 1380 and wanted <= shown
    assert fingerprint(folder / "sample") == before, "a report must not touch its inputs"


def test_report_as_pdf_and_names_that_are_refused(world):
    import processing

    folder, store, _, _ = world
    path = Path(processing.run("epoch:collectionreport", {"STORE": store, "COLLECTION": "s", "OUTPUT": str(folder / "report.pdf")})["OUTPUT"])
    assert path.read_bytes().startswith(b"%PDF-") and path.stat().st_size > 50_000
    for output, words in (
        (folder / "report.txt", "html or .pdf"),
        (folder / "no" / "report.html", "cannot be written"),
        (folder / "no" / "r.pdf", "written"),
    ):
        with pytest.raises(QgsProcessingException, match=words):
            processing.run("epoch:collectionreport", {"STORE": store, "COLLECTION": "s", "OUTPUT": str(output)})
    with pytest.raises(QgsProcessingException, match="MONITORING_END"):
        window = {"MONITORING_START": "2020-12-31", "OUTPUT": str(folder / "r.html")}
        processing.run("epoch:collectionreport", {"STORE": store, "COLLECTION": "s", **window})


def test_project_opens_styled_after_it_was_moved(world, tmp_path):
    import processing

    folder, store, layer, before = world
    path = processing.run("epoch:collectionproject", {"STORE": store, "COLLECTION": "s", "LAYER": layer, "PROJECT": str(folder / "s.qgz")})["PROJECT"]
    assert fingerprint(folder / "sample") == before, "a project must not touch its sources"
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in (path, layer):
        shutil.copy(name, moved)
    shutil.copytree(folder / "sample", moved / "sample")
    project = QgsProject()
    assert project.read(str(moved / "s.qgz"))
    layers = list(project.mapLayers().values())
    assert len(layers) == 8 and all(one.isValid() and str(moved) in one.source() for one in layers)
    results = project.mapLayersByName("Deforestation alert")[0]
    assert [category.label() for category in results.renderer().categories()] == [look.label for look in ALERTS.values()]
    assert results.featureCount() == 301 and results.fields().field("noncompliance_area").alias()
    shown = {node.name(): node.isVisible() for node in project.layerTreeRoot().findGroup("Epoch / s").findLayers()}
    assert shown == {"Deforestation alert": True, "Confidence": False}
    areas = "protected_areas.gpkg"  # QGIS writes side files for rasters when a person opens them, but must not rewrite a GeoPackage
    assert fingerprint(moved / "sample")[areas] == before[areas]


def test_project_refuses_a_layer_without_alerts(world):
    import processing

    folder, store, _, _ = world
    plots = str(folder / "sample" / "plots.geojson")
    with pytest.raises(QgsProcessingException, match="deforestation_alert"):
        processing.run("epoch:collectionproject", {"STORE": store, "COLLECTION": "s", "LAYER": plots, "PROJECT": str(folder / "x.qgz")})


@pytest.mark.parametrize(("metres", "length"), [(999, 500), (1000, 1000), (2.5, 2), (47000, 20000), (0.7, 0.5)])
def test_scale_bars_have_round_lengths(metres, length):
    assert round_length(metres) == pytest.approx(length)
