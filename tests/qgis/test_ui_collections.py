"""The Collections dock driven as a user drives it, on QGIS's own task machinery."""

from __future__ import annotations

import json
import os

import pytest
from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QMimeData, QPointF, Qt, QUrl
from qgis.PyQt.QtGui import QDropEvent
from qgis.PyQt.QtWidgets import QMessageBox, QPushButton

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.runs import Runs
from epoch_plugin.bridge.settings import resource
from epoch_plugin.ui.collections import controller as controller_module
from tests.qgis.desktop_iface import DesktopIface

WAIT = 60_000
DATASETS = resource("sample", "datasets.json")


@pytest.fixture
def iface(plugin):
    iface = DesktopIface()
    iface.window.show()
    yield iface
    iface.window.close()
    iface.window.deleteLater()


@pytest.fixture
def dock(iface, store, monkeypatch, qtbot):
    """The dock, shown, on a store that does not exist yet."""
    from epoch_plugin.ui.collections.dock import CollectionsDock

    monkeypatch.setenv("EPOCH_STORE", store)
    preferences.put(preferences.DATASETS, "")
    runs = Runs()
    dock = CollectionsDock(iface, runs)
    iface.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    qtbot.waitUntil(lambda: dock.controller is not None and dock.controller.loaded, timeout=WAIT)
    yield dock
    runs.stop_all()
    dock.stop()
    qtbot.waitUntil(lambda: not QgsApplication.taskManager().countActiveTasks(), timeout=WAIT)
    QgsProject.instance().clear()
    dock.deleteLater()


@pytest.fixture
def plots_file(tmp_path):
    """The sample's first 40 plots, and one whose boundary crosses itself."""
    with open(resource("sample", "plots.geojson"), encoding="utf-8") as file:
        collection = json.load(file)
    collection["features"] = collection["features"][:40]
    bow = [[-6.5, 7.5], [-6.4, 7.6], [-6.4, 7.5], [-6.5, 7.6], [-6.5, 7.5]]
    bad = {"type": "Feature", "properties": {"plotId": "BOW"}, "geometry": {"type": "Polygon", "coordinates": [bow]}}
    collection["features"].append(bad)
    path = tmp_path / "cocoa farms.geojson"
    path.write_text(json.dumps(collection), encoding="utf-8")
    return str(path)


def drop(widget, mime):
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    widget.dropEvent(event)
    return event


def drop_file(dock, path):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path)])
    drop(dock.content, mime)
    return dock.content.stack.currentPanel()


def click(qtbot, button):
    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def row(dock, status, job=False):
    """Return the first collection (or job) row with this status."""
    model = dock.content.main.model
    items = [model.item(i) for i in range(model.rowCount())]
    if job:
        items = [item.child(i) for item in items for i in range(item.rowCount())]
    from epoch_plugin.ui.collections.tree_model import ROW

    return next((item.data(ROW) for item in items if item.data(ROW).tone == status), None)


def staged(dock, qtbot, path, upload):
    panel = drop_file(dock, path)
    qtbot.waitUntil(lambda: panel.preview is not None, timeout=WAIT)
    click(qtbot, panel.upload_button if upload else panel.stage_button)
    wanted = "uploaded" if upload else "staged"
    qtbot.waitUntil(lambda: row(dock, wanted) is not None, timeout=WAIT)
    return row(dock, wanted)


def started(dock, qtbot):
    """Open Process as a user, bind the sample's datasets, and press Start."""
    main = dock.content.main
    main.select(main.model.item(0).data(Qt.ItemDataRole.UserRole + 2))
    main.actions_of_row["process"].trigger()
    panel = dock.content.stack.currentPanel()
    panel.datasets.setFilePath(DATASETS)
    qtbot.waitUntil(lambda: panel._response is not None, timeout=WAIT)
    panel.end.setDate(panel.end.date().fromString("2025-12-31", "yyyy-MM-dd"))
    click(qtbot, panel.start_button)
    return panel


def bar_text(iface):
    item = iface.bar.currentItem()
    return f"{item.title()}: {item.text()}" if item else ""


def test_empty_dock_says_what_to_do_next(dock, store):
    empty = dock.content.main.empty
    assert dock.content.main.pages.currentWidget() is empty
    assert "sample" in empty.links.text() and "howto" in empty.links.text()
    assert store in empty.place.text() and not os.path.exists(store), "looking at a store must not create it"


def test_drop_preview_stage_upload_process_layers(dock, iface, qtbot, plots_file):
    panel = drop_file(dock, plots_file)
    qtbot.waitUntil(lambda: panel.preview is not None, timeout=WAIT)
    assert "40 plots" in panel.found.text() and panel.name.text() == "cocoa_farms"
    assert (panel.crop.currentText(), panel.country.text()) == ("cocoa", "Côte d'Ivoire")
    assert "plotId" in panel.id_field.itemText(0)
    assert panel.bad.isVisibleTo(panel) and panel.bad.model.features[0].plotid == "BOW"
    panel.bad.table.setCurrentIndex(panel.bad.model.index(0, 0))
    click(qtbot, panel.bad.button)
    assert iface.canvas.extent().contains(iface.canvas.center()) and iface.canvas.extent().width() < 0.05
    click(qtbot, panel.stage_button)
    qtbot.waitUntil(lambda: row(dock, "staged") is not None, timeout=WAIT)
    assert "40 plots" in row(dock, "staged").facts and "1 left out" in row(dock, "staged").facts
    assert dock.content.stack.currentPanel() is dock.content.main
    dock.content.main.actions_of_row["upload"].trigger()
    qtbot.waitUntil(lambda: row(dock, "uploaded") is not None, timeout=WAIT)
    process = started(dock, qtbot)
    assert process.rows[0].box.text() == "Deforestation"
    qtbot.waitUntil(lambda: row(dock, "completed", job=True) is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: row(dock, "processed") is not None, timeout=WAIT)
    assert "40 plots processed" in bar_text(iface)
    main = dock.content.main
    main.select(row(dock, "processed").collection_id)
    main.actions_of_row["layers"].trigger()
    qtbot.waitUntil(lambda: bool(QgsProject.instance().mapLayers()), timeout=WAIT)
    group = QgsProject.instance().layerTreeRoot().findGroup("Epoch / cocoa_farms")
    assert [node.layer().name() for node in group.findLayers()] == ["Alert", "Confidence"]
    assert all(node.layer().featureCount() == 40 and node.layer().renderer().type() != "singleSymbol" for node in group.findLayers())
    main.select(row(dock, "completed", job=True).job.job_id)
    main.actions_of_row["layers"].trigger()
    qtbot.waitUntil(lambda: len(QgsProject.instance().mapLayers()) == 3, timeout=WAIT)
    own = next(layer for layer in QgsProject.instance().mapLayers().values() if layer.providerType() == "memory")
    assert own.featureCount() == 40 and own.renderer().type() != "singleSymbol"


def test_one_of_something_is_not_several(dock, iface, qtbot, plots_file):
    with open(plots_file, encoding="utf-8") as file:
        collection = json.load(file)
    collection["features"] = [collection["features"][0], collection["features"][-1]]
    with open(plots_file, "w", encoding="utf-8") as file:
        json.dump(collection, file)
    panel = drop_file(dock, plots_file)
    qtbot.waitUntil(lambda: panel.preview is not None, timeout=WAIT)
    assert "<b>1 plot</b> (1 polygon)" in panel.found.text() and "<b>1 feature cannot be staged</b>" in panel.found.text()
    click(qtbot, panel.stage_button)
    qtbot.waitUntil(lambda: row(dock, "staged") is not None, timeout=WAIT)
    assert bar_text(iface) == "Staged: 1 plot staged, 1 feature left out"
    dock.content.main.actions_of_row["upload"].trigger()
    qtbot.waitUntil(lambda: row(dock, "uploaded") is not None, timeout=WAIT)
    assert bar_text(iface).startswith("Uploaded: 1 plot ready for processing")
    process = started(dock, qtbot)
    assert process.cost.text().startswith("1 plot, ")
    qtbot.waitUntil(lambda: "1 plot processed, 0 failed" in bar_text(iface), timeout=WAIT)


def test_a_layer_of_the_project_is_staged(dock, qtbot, plots_file):
    layer = QgsVectorLayer(plots_file, "my plots", "ogr")
    QgsProject.instance().addMapLayer(layer)
    panel = dock.content.add_plots(layer=layer)
    qtbot.waitUntil(lambda: panel.preview is not None, timeout=WAIT)
    assert panel.preview.plots == 40 and panel.name.text() == "my_plots"
    click(qtbot, panel.stage_button)
    qtbot.waitUntil(lambda: row(dock, "staged") is not None, timeout=WAIT)


def test_a_bad_file_is_explained_and_cannot_be_staged(dock, qtbot, tmp_path):
    path = tmp_path / "picture.geojson"
    path.write_bytes(b"\x89PNG....")
    panel = drop_file(dock, str(path))
    qtbot.waitUntil(lambda: "PNG" in panel.found.text(), timeout=WAIT)
    assert not panel.stage_button.isEnabled() and not panel.upload_button.isEnabled()


def test_datasets_that_do_not_serve_are_red_and_start_stays_shut(dock, qtbot, plots_file, tmp_path):
    staged(dock, qtbot, plots_file, upload=True)
    dock.content.main.actions_of_row["process"].trigger()
    panel = dock.content.stack.currentPanel()
    assert not panel.start_button.isEnabled()
    entry = {"role": "forest_2020", "profile": "jrc_gfc2020_v4", "source": "nothing_here.tif"}
    path = tmp_path / "datasets.json"
    path.write_text(json.dumps({"datasets": [entry]}), encoding="utf-8")
    panel.datasets.setFilePath(str(path))
    qtbot.waitUntil(lambda: panel._response is not None, timeout=WAIT)
    words = panel.rows[0].words
    assert "Cannot be computed" in words.text() and "nothing_here.tif" in words.toolTip()
    assert not panel.rows[0].box.isEnabled() and not panel.start_button.isEnabled()
    path.write_text('{"datasets": [{"role": "forest_2020", "surce": "x"}]}', encoding="utf-8")
    panel.check()
    qtbot.waitUntil(lambda: "surce" in panel.problem.text(), timeout=WAIT)
    assert not panel.start_button.isEnabled()


def test_cancel_then_resume(dock, iface, qtbot, plots_file, monkeypatch):
    """A job that is stopped keeps its row and continues from it under the same id."""
    from epoch_plugin.core.batch import chunks

    monkeypatch.setattr(chunks, "PLOTS_PER_CHUNK", 4)
    staged(dock, qtbot, plots_file, upload=True)
    started(dock, qtbot)
    qtbot.waitUntil(lambda: any(run.fraction > 0.1 for run in dock.controller.runs.jobs()), timeout=WAIT)
    qtbot.waitUntil(lambda: row(dock, "in_progress", job=True) is not None, timeout=WAIT)
    running = row(dock, "in_progress", job=True)
    assert running.percent is not None and "%" in running.facts
    dock.content.main.wanted.emit("cancel", running)
    qtbot.waitUntil(lambda: row(dock, "cancelled", job=True) is not None, timeout=WAIT)
    stopped = row(dock, "cancelled", job=True)
    assert 0 < len(stopped.job.complete_task_ids) < 10 and "can be resumed" in stopped.facts
    dock.content.main.wanted.emit("resume", stopped)
    qtbot.waitUntil(lambda: row(dock, "completed", job=True) is not None, timeout=WAIT)
    done = row(dock, "completed", job=True)
    assert done.job.job_id == stopped.job.job_id and len(done.job.complete_task_ids) == 10


def test_a_job_of_another_process_is_followed_and_cancelled_through_the_store(dock, qtbot, plots_file, store):
    from epoch_plugin.core.store import jobs
    from epoch_plugin.core.store.jobs import JobRow
    from epoch_plugin.core.store.store import Store

    collection = staged(dock, qtbot, plots_file, upload=True).collection_id
    with Store(store).writing() as conn:
        jobs.create(conn, JobRow("other", collection, ["eudr_deforestation"], "2020-12-31", "2024-12-31", "k"))
        jobs.claim(conn, "other", "elsewhere:1:abc")
        jobs.heartbeat(conn, "other", "elsewhere:1:abc", outcome="gather")
    qtbot.waitUntil(lambda: row(dock, "in_progress", job=True) is not None, timeout=WAIT)
    other = row(dock, "in_progress", job=True)
    assert "another process" in other.facts and dock.content.main.possible(other) == ["cancel", "details"]
    dock.content.main.wanted.emit("cancel", other)
    qtbot.waitUntil(lambda: row(dock, "cancelled", job=True) is not None, timeout=WAIT)


def test_unfinished_jobs_are_offered_when_the_dock_is_made(iface, qtbot, plots_file, store, monkeypatch, run):
    """A job whose process died has an old heartbeat; the offer's button continues it."""
    import datetime as dt

    from epoch_plugin.core.store import jobs
    from epoch_plugin.core.store.store import Store
    from epoch_plugin.ui.collections.dock import CollectionsDock

    collection = run("stageplots", INPUT_FILE=plots_file, COLLECTION_NAME="c")["COLLECTION_ID"]
    run("uploadplots", COLLECTION=collection, OUTPUT=None)
    job = run("batchdeforestationcheck", COLLECTION=collection, DATASETS=DATASETS, END_DATE="2025-12-31")["JOB_ID"]
    with Store(store).writing() as conn:
        conn.execute("UPDATE batch_jobs SET status = 'in_progress', complete_task_ids = '[]', progress = 0, heartbeat = ?",
                     ((dt.datetime.now(dt.timezone.utc) - dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),))  # fmt: skip
        assert not jobs.is_alive(jobs.get(conn, job))
    monkeypatch.setenv("EPOCH_STORE", store)
    runs = Runs()
    dock = CollectionsDock(iface, runs)
    iface.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    qtbot.waitUntil(lambda: "interrupted" in bar_text(iface), timeout=WAIT)
    assert row(dock, "interrupted", job=True).job.job_id == job
    click(qtbot, iface.bar.findChild(QPushButton, "EpochResume"))
    qtbot.waitUntil(lambda: row(dock, "completed", job=True) is not None, timeout=WAIT)
    assert row(dock, "completed", job=True).job.job_id == job
    runs.stop_all()
    dock.stop()


def test_errors_are_in_the_bar_with_details_and_on_the_row(dock, iface, qtbot, plots_file, tmp_path, monkeypatch):
    from epoch_plugin.core.errors import DatasetError

    text = "The tile glad_lossyear.tif cannot be read at block (3, 4): the file is cut short.\nCopy it again from its publisher and resume."

    def broken(*_):
        raise DatasetError(text)

    staged(dock, qtbot, plots_file, upload=True)
    monkeypatch.setattr("epoch_plugin.core.zonal.engine.run", broken)
    started(dock, qtbot)
    qtbot.waitUntil(lambda: row(dock, "failed", job=True) is not None, timeout=WAIT)
    assert "cut short" in row(dock, "failed", job=True).facts
    qtbot.waitUntil(lambda: "cut short" in bar_text(iface), timeout=WAIT)
    details = next(button for button in iface.bar.currentItem().findChildren(QPushButton) if button.text() == "Details")
    click(qtbot, details)
    from qgis.PyQt.QtWidgets import QDialog, QPlainTextEdit

    window = iface.window.findChild(QDialog, "EpochDetails")
    assert not window.isModal() and "resume" in window.findChild(QPlainTextEdit).toPlainText()
    window.close()


def test_rename_describe_and_delete_after_asking(dock, qtbot, plots_file, store, monkeypatch):
    staged(dock, qtbot, plots_file, upload=False)
    main = dock.content.main
    main.actions_of_row["edit"].trigger()
    panel = dock.content.stack.currentPanel()
    panel.name.setText("renamed")
    panel.description.setText("two words")
    click(qtbot, panel.save_button)
    qtbot.waitUntil(lambda: row(dock, "staged").title == "renamed", timeout=WAIT)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    main.actions_of_row["delete"].trigger()
    assert not dock.controller.runs.active
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    main.actions_of_row["delete"].trigger()
    qtbot.waitUntil(lambda: main.pages.currentWidget() is main.empty, timeout=WAIT)
    assert os.path.exists(store + ".before-delete.gpkg")


def test_search_details_and_keys(dock, qtbot, plots_file):
    staged(dock, qtbot, plots_file, upload=False)
    main = dock.content.main
    main.search.setText("nothing like this")
    assert main.filtered.rowCount() == 0
    main.search.setText("côte")
    assert main.filtered.rowCount() == 1, "the recognised country was staged with the plots"
    main.search.clear()
    main.actions_of_row["details"].trigger()
    panel = dock.content.stack.currentPanel()
    qtbot.waitUntil(lambda: "Left out" in panel.text.toPlainText(), timeout=WAIT)
    assert "1 of 41 features are no valid plots" in panel.text.toPlainText()


def test_sample_is_staged_uploaded_processed_and_opened(dock, qtbot):
    dock.content.main.empty.asked.emit("sample")
    with qtbot.waitSignal(dock.results_ready, timeout=WAIT):
        pass
    qtbot.waitUntil(lambda: bool(QgsProject.instance().mapLayers()), timeout=WAIT)
    layer = next(iter(QgsProject.instance().mapLayers().values()))
    assert layer.renderer().type() != "singleSymbol"
    qtbot.waitUntil(lambda: row(dock, "processed") is not None, timeout=WAIT)
    assert layer.featureCount() == row(dock, "processed").collection.plot_number >= 300
    assert row(dock, "processed").title == "sample_vavoua"


def test_how_to_get_datasets_names_every_product(dock, qtbot):
    from epoch_plugin.core.datasets.profiles import load_profile, profile_ids

    dock.content.ask("howto")
    panel = dock.content.stack.currentPanel()
    qtbot.waitUntil(lambda: "forest_2020" in panel.text.toPlainText(), timeout=WAIT)
    text = panel.text.toPlainText()
    for name in profile_ids():
        if load_profile(name).roles:
            assert load_profile(name).title in text, name


def test_layers_are_dropped_too(dock, qtbot, plots_file):
    from qgis.core import QgsMimeDataUtils

    layer = QgsVectorLayer(plots_file, "dragged", "ogr")
    QgsProject.instance().addMapLayer(layer)
    drop(dock.content, QgsMimeDataUtils.encodeUriList([QgsMimeDataUtils.Uri(layer)]))
    panel = dock.content.stack.currentPanel()
    assert panel.layer.currentLayer() is layer
    qtbot.waitUntil(lambda: panel.preview is not None, timeout=WAIT)


def zones(path):
    """A polygon layer with two named zones over the sample."""
    features = [
        {"type": "Feature", "properties": {"zone": name}, "geometry": {"type": "Polygon", "coordinates": [[[w, 7], [e, 7], [e, 8], [w, 8], [w, 7]]]}}
        for name, w, e in (("west", -7.0, -6.45), ("east", -6.45, -6.0))
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return QgsVectorLayer(str(path), "zones", "ogr")


def test_regions_and_farm_emissions_go_to_the_batch(dock, qtbot, run, store, plots_file, tmp_path):
    from epoch_plugin.core.monitoring.scope import regions
    from epoch_plugin.core.store import jobs
    from epoch_plugin.core.store.store import Store

    payload = '{"cft_payload": {"fertilisers": [{"type": "urea", "application_rate": {"value": 50, "unit": "kg/ha"}}]}}'
    datasets = {"DATASETS": resource("sample", "datasets_all.json"), "END_DATE": "2021-12-31"}
    first = run("batchprocess", INPUT_FILE=plots_file, COLLECTION_NAME="c", STATS="water", INPUT_PAYLOAD=payload, **datasets)
    layer = zones(tmp_path / "zones.geojson")
    QgsProject.instance().addMapLayer(layer)
    dock.content.ask("refresh")
    qtbot.waitUntil(lambda: row(dock, "processed") is not None, timeout=WAIT)
    panel = dock.content.process(first["COLLECTION_ID"])
    qtbot.waitUntil(lambda: panel.farm.isEnabled(), timeout=WAIT)
    panel.datasets.setFilePath(resource("sample", "datasets_all.json"))
    qtbot.waitUntil(lambda: panel._response is not None, timeout=WAIT)
    assert "REGIONS" not in panel.request() and "NON_BIOMASS" not in panel.request()
    panel.regions.setLayer(layer)
    panel.region_name.setField("zone")
    panel.farm.setChecked(True)
    panel.end.setDate(panel.end.date().fromString("2025-12-31", "yyyy-MM-dd"))
    for one in panel.rows:
        one.box.setChecked(one.statistic.key in ("luc_emissions", "water"))
    click(qtbot, panel.start_button)
    qtbot.waitUntil(lambda: not dock.controller.runs.active and len(dock.controller.overview.collections[0].jobs) == 3, timeout=WAIT)
    with Store(store).reading() as connection:
        found = {tuple(job.stats): job for job in jobs.for_collection(connection, first["COLLECTION_ID"]) if job.job_id != first["JOB_ID"]}
        sources = connection.execute("SELECT count(*) FROM stat_non_biomass").fetchone()[0]
    assert set(found) == {("luc_emissions",), ("water",)} and all(job.status == "completed" for job in found.values())
    assert "west" in {region.name for region in regions(Store(store), first["COLLECTION_ID"])} and sources and not sources % 40
    again = controller_module._regions_and_farm(found["luc_emissions",].provenance)
    assert again["NON_BIOMASS"] and again["REGION_NAME_FIELD"] == "zone" and again["REGIONS"].startswith(str(tmp_path))
    assert "NON_BIOMASS" not in controller_module._regions_and_farm(found["water",].provenance)


def test_a_collection_without_farm_data_offers_no_farm_emissions(dock, qtbot, plots_file):
    collection = staged(dock, qtbot, plots_file, upload=True)
    panel = dock.content.process(collection.collection_id)
    qtbot.waitUntil(lambda: not QgsApplication.taskManager().countActiveTasks(), timeout=WAIT)
    assert not panel.farm.isEnabled() and "INPUT_PAYLOAD" in panel.farm.toolTip()


def test_results_of_own_layers_open_with_a_column_per_layer(dock, qtbot, run, plots_file):
    datasets = {"DATASETS": resource("sample", "datasets_all.json"), "END_DATE": "2025-12-31"}
    job = run("batchprocess", INPUT_FILE=plots_file, COLLECTION_NAME="c", STATS="extra", **datasets)["JOB_ID"]
    dock.content.ask("refresh")
    qtbot.waitUntil(lambda: row(dock, "completed", job=True) is not None, timeout=WAIT)
    dock.content.main.select(job)
    dock.content.main.actions_of_row["layers"].trigger()
    qtbot.waitUntil(lambda: bool(QgsProject.instance().mapLayers()), timeout=WAIT)
    (layer,) = QgsProject.instance().mapLayers().values()
    assert any("elevation" in name for name in layer.fields().names()), layer.fields().names()[6:]
