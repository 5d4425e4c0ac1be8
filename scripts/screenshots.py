"""Run by QGIS itself (see screenshots.sh): drives the docks as a user does and saves a picture of the main window at each station."""

from __future__ import annotations

import json
import os
import sys
import traceback

from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, Qt, QTimer
from qgis.PyQt.QtWidgets import QApplication, QDockWidget, QScrollArea
from qgis.utils import iface, plugins

FOLDER, NAME = os.environ["SHOT_FOLDER"], os.environ["SHOT_NAME"]
LIMIT_MS, LOOK_MS = 240_000, 100


def leave(code: int) -> None:
    """End QGIS at once: no question about the project, nothing of it is kept."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def plots_with_faults() -> str:
    """Write the sample's plots with three features that cannot be staged."""
    from epoch_plugin.bridge.settings import resource

    with open(resource("sample", "plots.geojson"), encoding="utf-8") as file:
        collection = json.load(file)
    collection["name"] = "cocoa_vavoua_2025"
    x, y = collection["features"][10]["geometry"]["coordinates"][0][0]
    bow = [[x, y], [x + 0.003, y + 0.002], [x + 0.003, y], [x, y + 0.002], [x, y]]
    faults = [{"type": "Polygon", "coordinates": [bow]}, {"type": "LineString", "coordinates": bow[:2]}, None]
    collection["features"] += [{"type": "Feature", "properties": {"plotId": f"NEW-{i}"}, "geometry": g} for i, g in enumerate(faults, start=1)]
    path = os.path.join(os.environ["HOME"], "cocoa_vavoua_2025.geojson")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(collection, file)
    return path


def sourcing_areas() -> QgsVectorLayer:
    """Write two sourcing areas: in the western one at least two systems see 95 % of the plots' area, which is what error bars ask for."""
    features = []
    for name, west, east in (("Vavoua West", -6.7, -6.45), ("Vavoua East", -6.45, -6.3)):
        ring = [[west, 7.2], [east, 7.2], [east, 7.6], [west, 7.6], [west, 7.2]]
        features.append({"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}})
    path = os.path.join(os.environ["HOME"], "sourcing_areas.geojson")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", "features": features}, file)
    return QgsVectorLayer(path, "Sourcing areas", "ogr")


class Tour:
    """A generator yields conditions; the next step follows once the condition holds."""

    def __init__(self, steps):
        self._steps = steps
        self._condition = lambda: True
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin; end QGIS after the last step, or when it takes too long."""
        QTimer.singleShot(LIMIT_MS, lambda: print("too slow", NAME) or leave(5))
        self._timer.start(LOOK_MS)

    def _tick(self) -> None:
        try:
            if self._condition():
                self._condition = next(self._steps)
        except StopIteration:
            leave(0)
        except Exception:
            traceback.print_exc()
            leave(4)


def after(milliseconds: int):
    """Return a condition that holds after a while: what was clicked is painted by then."""
    done = []
    QTimer.singleShot(milliseconds, lambda: done.append(True))
    return lambda: bool(done)


def picture(name: str, widget=None) -> None:
    """Save what the user sees."""
    canvas = iface.mapCanvas()
    canvas.waitWhileRendering()
    QApplication.processEvents()
    iface.messageBar().clearWidgets()
    path = os.path.join(FOLDER, f"{name}-{NAME}.png")
    print(path, (widget or iface.mainWindow()).grab().save(path))


def collections_tour():
    """Empty, adding plots, staged, process, running, done."""
    from epoch_plugin.bridge.settings import resource

    desktop = plugins["epoch_plugin"].desktop
    dock = desktop.dock("CollectionsDock")
    dock.setUserVisible(True)
    yield lambda: dock.controller is not None and dock.controller.loaded
    for other in iface.mainWindow().findChildren(QDockWidget):
        if other.objectName() in ("Browser", "Browser2"):
            other.hide()
    yield after(800)
    picture("collections-empty")
    panel = dock.content.add_plots(plots_with_faults())
    yield lambda: panel.preview is not None
    yield after(800)
    picture("collections-add")
    panel.stage_button.click()
    yield lambda: dock.content.main.model.rowCount() == 1 and not dock.controller.runs.active
    yield after(500)
    picture("collections-staged")
    main = dock.content.main
    main.actions_of_row["upload"].trigger()
    yield lambda: dock.controller.uploaded() and not dock.controller.runs.active
    main.actions_of_row["process"].trigger()
    process = dock.content.stack.currentPanel()
    process.datasets.setFilePath(resource("sample", "datasets_all.json"))
    yield lambda: process._response is not None
    process.end.setDate(QDate(2025, 12, 31))
    areas = QgsProject.instance().addMapLayer(sourcing_areas(), False)
    process.regions.setLayer(areas)
    process.region_name.setField("name")
    iface.messageBar().clearWidgets()
    yield after(500)
    picture("collections-process")
    scroll = process.findChild(QScrollArea)
    scroll.verticalScrollBar().setValue(scroll.verticalScrollBar().maximum())
    yield after(300)
    picture("collections-process-end", dock)
    _slowly()
    process.start_button.click()
    yield lambda: any(run.seconds_left and run.fraction > 0.4 for run in dock.controller.runs.jobs()) and dock.running_jobs()
    picture("collections-running")
    yield lambda: not dock.controller.runs.active and dock.controller.overview.collections[0].jobs[0].status == "completed"
    dock.content.layers.open(dock.controller.overview.collections[0].collection.collection_id)
    yield lambda: QgsProject.instance().mapLayers()
    yield after(2500)
    picture("collections-done")
    main.tree.expandAll()
    main.select(dock.controller.overview.collections[0].jobs[0].job_id)
    main.actions_of_row["details"].trigger()
    yield after(800)
    picture("collections-details")
    dock.content.close_panels()
    window = dock.content.edit_datasets(resource("sample", "datasets_all.json"), dock.controller.uploaded()[0].collection_id)
    window.test()
    yield lambda: window._working is None
    window.table.selectRow(1)
    yield after(500)
    picture("datasets", window)
    window.stop()
    dock.content.ask("howto")
    yield after(800)
    picture("howto")
    QTimer.singleShot(1500, lambda: (picture("options", QApplication.activeModalWidget()), QApplication.activeModalWidget().reject()))
    dock.content.ask("options")
    yield after(100)


def monitoring_tour():
    """The Monitoring dock on what the first tour processed."""
    desktop = plugins["epoch_plugin"].desktop
    collections, dock = desktop.dock("CollectionsDock"), desktop.dock("MonitoringDock")
    collections.content.close_panels()
    collections.setUserVisible(False)
    dock.show_collection(collections.controller.overview.collections[0].collection.collection_id)
    iface.mainWindow().resizeDocks([dock], [620], Qt.Orientation.Horizontal)
    content = dock.content
    yield lambda: content.columns is not None and not content.reader.busy
    yield from quiet()
    iface.zoomToActiveLayer()
    west = next(i for i in range(content.pickers.region.count()) if "West" in content.pickers.region.itemText(i))
    content.pickers.region.setCurrentIndex(west)
    content.pickers.region.activated.emit(west)
    yield lambda: content.columns is not None and not content.reader.busy
    yield from quiet()
    picture("monitoring")
    for place, name in ((1, "stocks"), (2, "confidence"), (3, "region")):
        content.page.charts.setCurrentIndex(place)
        yield from quiet()
        picture(f"monitoring-{name}", dock)
    table = content.page.table
    table.show_conditions({"alerts": ["critical"]})
    table.view.selectRow(9)
    content.tabs.setCurrentWidget(content.inspector)
    yield lambda: content.inspector.details is not None
    content.inspector.zoom.click()
    yield from quiet()
    picture("inspector")
    bar = content.inspector._scroll.verticalScrollBar()
    for part in (1, 2, 3):
        bar.setValue(round(part * bar.maximum() / 3))
        yield after(300)
        picture(f"inspector-{part}", dock)
    layer = content.map.layer
    form = iface.getFeatureForm(layer, next(layer.getFeatures()))
    form.resize(760, 640)
    form.show()
    yield after(800)
    picture("attribute-form", form)
    form.close()


def quiet():
    """Wait until no task runs and what is shown is painted."""
    yield after(500)
    yield lambda: not QgsApplication.taskManager().countActiveTasks()
    yield after(1500)


def _slowly() -> None:
    """Small chunks that take their time: a picture of a running job needs one that runs."""
    import time

    from epoch_plugin.core.batch import chunks
    from epoch_plugin.core.zonal import engine

    run = engine.run
    chunks.PLOTS_PER_CHUNK = 30
    engine.run = lambda *arguments, **options: time.sleep(0.5) or run(*arguments, **options)


def all_tours():
    """Every station, one after the other."""
    iface.mainWindow().resize(1400, 860)
    iface.newProject()
    yield after(1500)
    yield from collections_tour()
    yield from monitoring_tour()


tour = Tour(all_tours())
if iface.mainWindow().isVisible():
    QTimer.singleShot(500, tour.start)
else:
    iface.initializationCompleted.connect(lambda: QTimer.singleShot(500, tour.start))
