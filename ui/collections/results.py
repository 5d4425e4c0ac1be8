"""A collection's results on the map: the styled layers of the store, or one job's own results as temporary layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from epoch_plugin.bridge.collection_layers import add_layers, layers_of, open_layers, reload_layers, remove_layers
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.runs import into_project
from epoch_plugin.bridge.tasks import in_background
from epoch_plugin.ui.collections.statistics import known_statistics

if TYPE_CHECKING:
    from epoch_plugin.core.store.jobs import JobRow
    from epoch_plugin.ui.collections.controller import CollectionsController


class ResultLayers(QObject):
    """Opens, reloads and removes layers; `opened(layers)` when some were added."""

    opened = pyqtSignal(list)

    def __init__(self, controller: CollectionsController):
        super().__init__(controller)
        self._controller = controller

    def open(self, collection_id: str, job: JobRow | None = None) -> None:
        """Open what is current of a collection, its plots where there is no result; with a job, what that job found."""
        name = self._controller.name_of(collection_id)
        if job is not None:
            self._open_job(name, job)
            return
        known = layers_of(QgsProject.instance(), collection_id)
        work = open_layers(self._controller.store, collection_id, frozenset(known))
        title = tr("Opening layers of {name}").format(name=name)
        in_background(title, work, lambda layers, error: self._add(name, list(known.values()), layers, error))

    def reload(self, collection_id: str) -> None:
        """Read the layers again after a job."""
        reload_layers(QgsProject.instance(), collection_id)

    def remove(self, collection_id: str, name: str) -> None:
        """Take a collection that is about to be deleted off the map."""
        remove_layers(QgsProject.instance(), collection_id, name)

    def _add(self, name: str, known: list[Any], layers: list[Any] | None, error: str | None) -> None:
        if error is not None:
            self._controller.problem.emit(tr("The layers cannot be opened"), error)
        elif layers:
            self.opened.emit(add_layers(QgsProject.instance(), name, layers))
        elif known:
            self.opened.emit(known)
        else:
            self._fetch("fetchplots", name, {"PLOTS_ONLY": True})

    def _open_job(self, name: str, job: JobRow) -> None:
        fetches = {statistic.key: statistic.fetch for statistic in known_statistics()}
        window = {"MONITORING_START": job.start_date, "MONITORING_END": job.end_date, "JOB_ID": job.job_id}
        for key in job.stats:
            if key in fetches:
                # layers of one's own: a column per layer
                self._fetch(fetches[key], name, {**window, "STATS": "extra", "FLATTEN": True} if key == "extra" else window)

    def _fetch(self, algorithm: str, name: str, more: dict[str, Any]) -> None:
        parameters = {"STORE": self._controller.store, "COLLECTION": name, "LIMIT": 0, "OUTPUT": into_project(), **more}
        what = tr("Opening layers of {name}").format(name=name)
        run = self._controller.runs.start(f"epoch:{algorithm}", parameters, what, kind="layers")
        run.done.connect(lambda ok: self.opened.emit(run.layers) if ok else None)
