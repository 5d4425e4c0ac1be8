"""Inside the Collections dock: a stack of panels over the tree, and where the user's wishes go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProject
from qgis.gui import QgsPanelWidget, QgsPanelWidgetStack
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QMessageBox, QPushButton, QVBoxLayout, QWidget

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import counted
from epoch_plugin.bridge.overview import read_job, read_reports
from epoch_plugin.ui.collections import texts
from epoch_plugin.ui.collections.add_panel import AddPanel
from epoch_plugin.ui.collections.details_panel import DetailsPanel
from epoch_plugin.ui.collections.drops import can_drop, dropped
from epoch_plugin.ui.collections.edit_panel import EditPanel
from epoch_plugin.ui.collections.main_panel import MainPanel
from epoch_plugin.ui.collections.process_panel import ProcessPanel
from epoch_plugin.ui.collections.results import ResultLayers
from epoch_plugin.ui.collections.sample import SampleTour
from epoch_plugin.ui.collections.tree_model import TreeRow
from epoch_plugin.ui.common import messages
from epoch_plugin.ui.datasets.howto import howto_html

if TYPE_CHECKING:
    from epoch_plugin.ui.collections.controller import CollectionsController


class CollectionsContent(QWidget):
    """Everything in the dock; `results_ready(collection id)` is for whoever shows results."""

    results_ready = pyqtSignal(str)

    def __init__(self, controller: CollectionsController, iface: Any, parent: QWidget | None = None):
        super().__init__(parent)
        self._controller, self._iface = controller, iface
        self.datasets_window: Any = None
        self._sample_shown = ""
        self.setAcceptDrops(True)
        self.main = MainPanel(controller, self)
        self.main.setDockMode(True)
        self.main.wanted.connect(self._on_wanted)
        self.main.asked.connect(self.ask)
        self.stack = QgsPanelWidgetStack(self)
        self.stack.setMainPanel(self.main)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self.sample = SampleTour(controller)
        self.layers = ResultLayers(controller)
        self.layers.opened.connect(self._zoom_to)
        for signal, slot in self._connections():
            signal.connect(slot)

    def _connections(self) -> tuple[tuple[Any, Any], ...]:
        bar, source = self._iface.messageBar(), self._controller
        return (
            (source.problem, lambda title, text: messages.show_error(bar, title, text)),
            (source.warned, lambda title, text: messages.show_warning(bar, title, text)),
            (source.noted, lambda title, text: messages.show_note(bar, title, text)),
            (source.staged, self._on_staged),
            (source.job_completed, lambda collection, _: self.layers.reload(collection)),
            (source.sample_ready, self._on_sample),
            (source.resumable_found, self._offer_resuming),
        )

    # drag and drop

    def dragEnterEvent(self, event: Any) -> None:
        """Take files and layers."""
        if can_drop(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Open *Add plots* with what was dropped."""
        path, layer = dropped(event.mimeData())
        if path or layer is not None:
            event.acceptProposedAction()
            self.add_plots(path, layer)

    # panels

    def add_plots(self, path: str = "", layer: Any = None) -> AddPanel:
        """Open *Add plots*, or hand the open one another source."""
        panel = self.stack.currentPanel()
        if not isinstance(panel, AddPanel):
            self._to_main()
            panel = AddPanel(self._iface.mapCanvas())
            panel.stage.connect(self._controller.stage)
            self._open(panel)
        if path:
            panel.set_file(path)
        elif layer is not None:
            panel.set_layer(layer)
        self._show_map()
        return panel

    def process(self, collection_id: str = "") -> ProcessPanel:
        """Open *Process*."""
        panel = ProcessPanel(self._controller, collection_id)
        panel.edit_datasets.connect(self.edit_datasets)
        self._open(panel)
        return panel

    def edit_datasets(self, path: str = "", collection_id: str = "") -> Any:
        """Open the Datasets window, which blocks nothing; a saved file goes to the open *Process* panel."""
        from epoch_plugin.ui.datasets.window import DatasetsWindow

        window = DatasetsWindow(path or preferences.get(preferences.DATASETS), self._controller.store, self._controller.uploaded(), self.window())
        window.choose_collection(collection_id)
        window.saved.connect(self._datasets_saved)
        window.show()
        self.datasets_window = window
        return window

    def ask(self, name: str) -> None:
        """Do what a button, menu entry or link of the main panel asks for."""
        actions = {
            "add": self.add_plots, "process": self._process_current, "datasets": self.edit_datasets, "sample": self.sample.start,
            "howto": self._howto, "refresh": lambda: self._controller.look(force=True), "folder": self._open_folder,
            "options": lambda: self._iface.showOptionsDialog(self.window(), "EpochOptions"),
        }  # fmt: skip
        actions[name]()

    def close_panels(self) -> None:
        """Close every panel over the main one, and the Datasets window (the plugin is being unloaded)."""
        self._to_main()
        if self.datasets_window is not None and not sip.isdeleted(self.datasets_window):
            self.datasets_window.stop()

    def _open(self, panel: QgsPanelWidget) -> None:
        panel.setParent(self)  # without a parent the panel would go with its last Python name
        panel.setDockMode(True)
        if hasattr(panel, "stop"):
            panel.panelAccepted.connect(lambda _: panel.stop())
        self.stack.showPanel(panel)
        panel.setFocus()

    def _show_map(self) -> None:
        """The welcome page covers the map on which plots are previewed: begin a project, as adding a layer would."""
        if not self._iface.mapCanvas().isVisible() and not QgsProject.instance().count() and not QgsProject.instance().isDirty():
            self._iface.newProject()

    def _to_main(self) -> None:
        self.stack.acceptAllPanels()

    def _process_current(self) -> None:
        row = self.main.current()
        self.process(row.collection_id if row else "")

    def _on_wanted(self, name: str, row: TreeRow) -> None:
        collection = row.collection_id
        actions = {
            "upload": lambda: self._controller.upload(collection, row.title),
            "process": lambda: self.process(collection),
            "layers": lambda: self.layers.open(collection, row.job),
            "details": lambda: self._details(row),
            "edit": lambda: self._edit(row),
            "delete": lambda: self._delete(row),
            "cancel": lambda: self._controller.cancel(row.job, row.run),
            "resume": lambda: self._controller.resume(row.job),
        }
        actions[name]()

    def _details(self, row: TreeRow) -> None:
        path = self._controller.store
        if row.collection is not None:
            collection = row.collection
            self._open(DetailsPanel(row.title, lambda _: read_reports(path, collection.collection_id),
                                    lambda reports: texts.collection_html(collection, reports)))  # fmt: skip
        elif row.job is not None:
            job_id = row.job.job_id
            self._open(DetailsPanel(row.title, lambda _: read_job(path, job_id), texts.job_html))

    def _edit(self, row: TreeRow) -> None:
        panel = EditPanel(row.collection)
        panel.save.connect(self._controller.edit)
        self._open(panel)

    def _delete(self, row: TreeRow) -> None:
        question = tr("Delete '{name}' with its plots ({n}), jobs and results?\n\nThe store as it is now is kept beside it until the next delete.")
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        text = question.format(name=row.title, n=texts.count(row.collection.plot_number))
        if QMessageBox.question(self, tr("Delete a collection"), text, buttons, QMessageBox.StandardButton.Cancel) == QMessageBox.StandardButton.Yes:
            self.layers.remove(row.collection.collection_id, row.title)
            self._controller.delete(row.collection.collection_id, row.title)

    def _howto(self) -> None:
        self._open(DetailsPanel(tr("How to get datasets"), lambda _: howto_html(), str))

    def _open_folder(self) -> None:
        folder = os.path.dirname(self._controller.store)
        if not os.path.isdir(folder):
            text = tr("There is no store yet; staging plots creates {path}.").format(path=self._controller.store)
            messages.show_warning(self._iface.messageBar(), tr("Store"), text)
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    # what happened

    def _on_staged(self, run: Any) -> None:
        if isinstance(self.stack.currentPanel(), AddPanel):
            self._to_main()

    def _on_sample(self, collection_id: str) -> None:
        self._sample_shown = collection_id
        self.layers.open(collection_id)

    def _zoom_to(self, layers: list[Any]) -> None:
        if layers:
            self._iface.setActiveLayer(layers[0])
            self._iface.zoomToActiveLayer()
        if self._sample_shown:  # only now: whoever shows results finds the layers there and adds none
            self.results_ready.emit(self._sample_shown)
            self._sample_shown = ""

    def _datasets_saved(self, path: str) -> None:
        panel = self.stack.currentPanel()
        if isinstance(panel, ProcessPanel):
            panel.datasets.setFilePath(path)
            panel.check()

    def _offer_resuming(self, jobs: list[Any]) -> None:
        bar = self._iface.messageBar()
        names = ", ".join(dict.fromkeys(self._controller.name_of(job.collection_id) for job in jobs))
        words = counted(len(jobs), tr("A job was interrupted"), tr("{n} jobs were interrupted"))
        item = bar.createMessage(tr("Unfinished jobs"), f"{words}: {names}")
        button = QPushButton(tr("Resume"), item)
        button.setObjectName("EpochResume")
        button.clicked.connect(lambda: self._resume_all(jobs, item))
        item.layout().addWidget(button)
        bar.pushItem(item)

    def _resume_all(self, jobs: list[Any], item: Any) -> None:
        self._iface.messageBar().popWidget(item)
        for job in jobs:
            self._controller.resume(job)
