"""The collection's layers in the project: loaded when asked for, selected with the table, zoomed to."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProject, QgsVectorLayer
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal

from epoch_plugin.bridge.collection_layers import ALERT, add_layers, layers_of, open_layers, reload_layers
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.tasks import BackgroundTask, in_background

SURROUNDINGS = 2.0  # how much of the land around a plot is shown with it


class MapLink(QObject):
    """Between table and map: `selected(fids)` when the user selects plots in one of the layers, `failed(text)` when layers do not open."""

    selected = pyqtSignal(list)
    failed = pyqtSignal(str)
    loaded = pyqtSignal(int)  # number of layers that were added

    def __init__(self, iface: Any, parent: QObject | None = None):
        super().__init__(parent)
        self._iface = iface
        self._collection = ""
        self._connected: dict[str, QgsVectorLayer] = {}
        self._quiet = False
        self._task: BackgroundTask | None = None
        self._then: list[Any] = []
        QgsProject.instance().layersAdded.connect(self._watch)
        QgsProject.instance().layersWillBeRemoved.connect(self._unwatch)

    def stop(self) -> None:
        """Let go of the project."""
        QgsProject.instance().layersAdded.disconnect(self._watch)
        QgsProject.instance().layersWillBeRemoved.disconnect(self._unwatch)
        self._unwatch(list(self._connected))
        if self._task is not None:
            self._task.forget()
            self._task = None

    def follow(self, collection_id: str) -> None:
        """Follow the layers of another collection."""
        self._unwatch(list(self._connected))
        self._collection = collection_id
        self._then.clear()
        self._watch()

    @property
    def layer(self) -> QgsVectorLayer | None:
        """The layer to select in and zoom to: the alerts, else whichever is there."""
        layers = self._layers()
        return layers.get(ALERT.style) or next(iter(layers.values()), None)

    def load(self, path: str, name: str, then: Any = None) -> None:
        """Add the layers that are not in the project yet, opened in the background; `then()` once the collection has layers."""
        if then is not None:
            self._then.append(then)
        if self._task is not None:
            return
        collection = self._collection
        work = open_layers(path, collection, frozenset(self._layers()))
        self._task = in_background(tr("Opening layers"), work, lambda layers, error: self._opened(collection, name, layers, error), quiet=True)

    def _opened(self, collection: str, name: str, layers: list[QgsVectorLayer] | None, error: str | None) -> None:
        self._task = None
        waiting, self._then = self._then, []
        if layers is None:
            self.failed.emit(error or "")
            return
        add_layers(QgsProject.instance(), name, layers)
        self.loaded.emit(len(layers))
        if collection == self._collection and self.layer is not None:
            for then in waiting:
                then()

    def refresh(self) -> None:
        """Read the collection's layers again: a job has committed."""
        reload_layers(QgsProject.instance(), self._collection)

    def select(self, fids: list[int]) -> None:
        """Select plots in every layer of the collection."""
        self._quiet = True
        try:
            for layer in self._layers().values():
                layer.selectByIds(fids)
        finally:
            self._quiet = False

    def zoom(self, fids: list[int]) -> None:
        """Show plots in the middle of the map."""
        layer = self.layer
        if layer is not None and fids:
            self._iface.mapCanvas().zoomToFeatureIds(layer, fids)
            self._iface.mapCanvas().zoomByFactor(SURROUNDINGS)

    def _layers(self) -> dict[str, QgsVectorLayer]:
        return layers_of(QgsProject.instance(), self._collection) if self._collection else {}

    def _watch(self, *_: Any) -> None:
        for layer in self._layers().values():
            if layer.id() not in self._connected:
                layer.selectionChanged.connect(self._on_selection)
                self._connected[layer.id()] = layer

    def _unwatch(self, ids: list[str]) -> None:
        for layer_id in ids:
            layer = self._connected.pop(layer_id, None)
            if layer is not None and not sip.isdeleted(layer):
                layer.selectionChanged.disconnect(self._on_selection)

    def _on_selection(self, *_: Any) -> None:
        if not self._quiet:
            self.selected.emit(self.sender().selectedFeatureIds())
