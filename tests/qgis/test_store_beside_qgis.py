"""QGIS layers on the store keep telling the truth while another process commits."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("qgis.core")

from qgis.core import QgsFeatureRequest, QgsProject, QgsRectangle, QgsVectorLayer

from epoch_plugin.bridge.store_session import hold, reload_layers
from epoch_plugin.core.store import jobs, results
from epoch_plugin.core.store.keeper import keep_for_process
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, job, result

PLOTS, CHUNK = 2000, 50


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, PLOTS)
    return store


def open_layer(store, name):
    layer = QgsVectorLayer(f"{store.path}|layername={name}", name, "ogr")
    assert layer.isValid()
    return layer


def write(store, root, *, collection="0xabc"):
    return subprocess.Popen([sys.executable, "-m", "tests.core.store_writer", store.path, collection, str(PLOTS), str(CHUNK)], cwd=root)


def test_reading_layers_beside_a_committing_process(store, root, qgis_app):
    # GDAL learns a view's fid from its first row: a view is opened once it has rows, as the plugin does.
    with store.writing() as connection:
        jobs.create(connection, job("older"))
        results.insert(connection, "eudr_deforestation", (result(number + 1, "older", end="2024-12-31", forest_area=0.25) for number in range(PLOTS)))
    keep_for_process(store.path)  # as the plugin does in a QGIS session that shows the store
    plots, view = open_layer(store, "plots"), open_layer(store, "view_eudr_deforestation")
    writer, newer = write(store, root), [0]
    while writer.poll() is None or len(newer) == 1:
        features = list(plots.getFeatures())
        assert len(features) == PLOTS
        assert all(feature["area"] == 1.0 + int(feature["plotid"][1:]) / 4 for feature in features)
        rows = list(view.getFeatures())
        assert len(rows) == PLOTS
        assert {(row["job_id"], row["forest_area"]) for row in rows} <= {("older", 0.25), ("writer", 0.5)}
        newer.append(sum(row["job_id"] == "writer" for row in rows))
        assert newer[-1] % CHUNK == 0 and newer[-1] >= newer[-2]
        # Opening and closing a layer makes QGIS try to put the file back to `delete`.
        assert open_layer(store, "plots").featureCount() == PLOTS
    assert writer.returncode == 0
    view.reload()
    assert {row["job_id"] for row in view.getFeatures()} == {"writer"}


def test_qgis_cannot_turn_wal_off_while_the_store_is_kept(store, qgis_app):
    assert open_layer(store, "plots").featureCount() == PLOTS
    assert journal_mode(store) == "delete"  # what QGIS does, and why the store is kept
    keep_for_process(store.path)
    for _ in range(3):
        assert open_layer(store, "plots").featureCount() == PLOTS
        assert journal_mode(store) == "wal"


def journal_mode(store):
    with open(store.path, "rb") as file:
        return {1: "delete", 2: "wal"}[file.read(20)[18]]


def test_a_view_has_fid_filter_and_spatial_filter_in_qgis(store, root, qgis_app):
    assert write(store, root).wait(60) == 0
    view = open_layer(store, "view_eudr_deforestation")
    assert view.featureCount() == PLOTS
    assert view.getFeature(1234)["plotid"] == "P1234"
    window = QgsFeatureRequest().setFilterRect(QgsRectangle(-4.9979, 6.0001, -4.9973, 6.0002))
    assert [feature["plotid"] for feature in view.getFeatures(window)] == ["P1"]
    assert view.setSubsetString("plotid IN ('P7', 'P9')")
    assert view.featureCount() == 2
    assert [feature["plotid"] for feature in view.getFeatures()] == ["P7", "P9"]
    assert view.fields().field("monitoring_end").typeName() == "Date"


def test_layers_opened_before_the_plugin_are_read_anew(store, qgis_new_project):
    early = open_layer(store, "plots")
    QgsProject.instance().addMapLayer(early)
    assert len(list(early.getFeatures())) == PLOTS  # without locks, as QGIS reads a file in `delete` mode
    hold(store.path)
    reload_layers(store.path)
    assert len(list(early.getFeatures())) == PLOTS
