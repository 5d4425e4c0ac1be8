"""The Datasets window: files and folders become entries, entries get roles and profiles, are tested over plots and saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtCore import QItemSelectionModel, QSortFilterProxyModel, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QScrollArea,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from epoch_plugin.bridge.datasets import examine, read_text, recognise, write_text
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import counted
from epoch_plugin.bridge.tasks import BackgroundTask, in_background
from epoch_plugin.core.datasets.edit import DatasetsText
from epoch_plugin.core.errors import EpochError
from epoch_plugin.ui.common.buttons import tool_button
from epoch_plugin.ui.datasets.editor import EntryEditor
from epoch_plugin.ui.datasets.table_model import SOURCE, STATE, DatasetsModel, explanation

if TYPE_CHECKING:
    from epoch_plugin.core.store.collections import CollectionRow


class DatasetsWindow(QDialog):
    """A window of its own that blocks nothing; emits `saved(path)`."""

    saved = pyqtSignal(str)

    def __init__(self, path: str, store: str, collections: Sequence[CollectionRow], parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("EpochDatasets")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.path, self._store = path, store
        self._folder = ""  # where a new file is going to lie
        self._working: BackgroundTask | None = None
        self.model = DatasetsModel(self)
        self.collection = QComboBox(self)
        self.collection.addItem(tr("no plots"), "")
        for row in collections:
            self.collection.addItem(row.collection_name, row.collection_id)
        self.bar = QgsMessageBar(self)
        self.facts = QLabel(self)
        self.facts.setWordWrap(True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._build()
        self.open(path)

    def choose_collection(self, collection_id: str) -> None:
        """Measure coverage over a collection's plots."""
        self.collection.setCurrentIndex(max(0, self.collection.findData(collection_id)))

    def open(self, path: str) -> None:
        """Show a file; one that cannot be read is left alone, and a new one is begun."""
        try:
            self.model.load(read_text(path))
            self.path = path
        except EpochError as error:
            self.path = ""
            self.model.load(DatasetsText())
            self._say(str(error), Qgis.MessageLevel.Critical)
        self._show_state()
        if self.model.rowCount():
            self.table.selectRow(0)

    def add(self, files: list[str]) -> None:
        """Recognise files and folders in the background and append what they are."""
        if not self.path and not self._folder:
            self._folder = _common_folder(files)
        folder = os.path.dirname(os.path.abspath(self._reference()))
        self._work(tr("Recognising files"), lambda _: recognise(files, folder), self._recognised)

    def test(self) -> None:
        """Open every source in the background and show what was found."""
        raw, path, store, collection = self.model.text.raw(), self._reference(), self._store, self.collection.currentData()
        self._work(tr("Testing datasets"), lambda progress: examine(raw, path, store, collection, progress), self._tested)

    def save(self) -> bool:
        """Write the file; asks for a name where there is none."""
        return self.save_as(self.path) if self.path else self._ask_and_save()

    def save_as(self, path: str) -> bool:
        """Write the file under a name; paths inside stay as they are."""
        try:
            write_text(path, self.model.text)
        except EpochError as error:
            self._say(str(error), Qgis.MessageLevel.Critical)
            return False
        self.path = path
        self.model.saved()
        self._show_state()
        self.saved.emit(path)
        return True

    def selected(self) -> list[int]:
        """Return the selected rows of the model."""
        return sorted(self.sorted.mapToSource(index).row() for index in self.table.selectionModel().selectedRows())

    def stop(self) -> None:
        """Close without asking (the plugin is being unloaded)."""
        if self._working is not None:
            self._working.forget()
            self._working = None
        self.deleteLater()

    def reject(self) -> None:
        """Close; what is not saved is asked for."""
        if self.model.changed:
            kinds = QMessageBox.StandardButton
            answer = QMessageBox.question(self, tr("Datasets"), tr("Save the changes?"), kinds.Save | kinds.Discard | kinds.Cancel, kinds.Save)
            if answer == kinds.Cancel or (answer == kinds.Save and not self.save()):
                return
        if self._working is not None:
            self._working.forget()
        super().reject()

    # the window

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.addWidget(self.bar)
        layout.addLayout(self._toolbar())
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.table = QTableView(self)
        self.table.setModel(self.sorted)
        self.table.setAccessibleName(tr("Entries of the datasets file"))
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.setAlternatingRowColors(True)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(SOURCE, QHeaderView.ResizeMode.Stretch)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_selected())
        self.editor = EntryEditor(self)
        self.editor.edited.connect(self._edit)
        self.editor.rewritten.connect(self._rewrite)
        lower = QWidget(self)
        column = QVBoxLayout(lower)
        column.addWidget(self.editor)
        column.addWidget(self.facts)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(lower)
        scroll.setWidgetResizable(True)
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.addWidget(self.table)
        splitter.addWidget(scroll)
        splitter.setChildrenCollapsible(False)
        layout.addWidget(splitter, 1)
        size = self.fontMetrics().height()
        self.resize(60 * size, 50 * size)
        splitter.setSizes([22 * size, 28 * size])

    def _toolbar(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.buttons = {}
        for name, text, icon, tip, key, action in (
            ("open", tr("Open…"), "mActionFileOpen", tr("Open a datasets file"), QKeySequence.StandardKey.Open, self._ask_and_open),
            ("files", tr("Add files…"), "mActionAddRasterLayer", tr("Add rasters or vectors, recognised by name"), None, self._ask_files),
            ("folder", tr("Add folder…"), "mActionFolder", tr("Add everything in a folder"), None, self._ask_folder),
            ("remove", tr("Remove"), "mActionRemove", tr("Remove the selected entries"), None, lambda: self.model.remove(self.selected())),
            ("test", tr("Test"), "mActionStart", tr("Open every source and say what was found"), None, self.test),
            ("save", tr("Save"), "mActionFileSave", tr("Save the datasets file"), QKeySequence.StandardKey.Save, self.save),
        ):
            button = tool_button(self, text, icon, tip, key)
            button.clicked.connect(lambda _=False, action=action: action())
            self.buttons[name] = button
            row.addWidget(button)
        row.addStretch(1)
        label = QLabel(tr("&Coverage over"), self)
        label.setBuddy(self.collection)
        row.addWidget(label)
        row.addWidget(self.collection)
        return row

    def _ask_and_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Open a datasets file"), self.path, tr("Datasets file (*.json)"))
        if path:
            self.open(path)

    def _ask_and_save(self) -> bool:
        path, _ = QFileDialog.getSaveFileName(self, tr("Save the datasets file"), self._reference(), tr("Datasets file (*.json)"))
        return bool(path) and self.save_as(path if path.lower().endswith(".json") else f"{path}.json")

    def _ask_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, tr("Add files"), os.path.dirname(self.path))
        if files:
            self.add(files)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Add a folder"), os.path.dirname(self.path))
        if folder:
            self.add([folder])

    def _reference(self) -> str:
        """Return the file that relative paths are taken from: its own name, or where a new one is going to lie."""
        return self.path or os.path.join(self._folder or os.path.expanduser("~"), "datasets.json")

    # what happens

    def _work(self, title: str, function: Any, done: Any) -> None:
        if self._working is not None:
            self._working.forget()
        self.buttons["test"].setEnabled(False)
        self._working = in_background(title, function, lambda result, error: self._worked(done, result, error))

    def _worked(self, done: Any, result: Any, error: str | None) -> None:
        self._working = None
        self.buttons["test"].setEnabled(True)
        if error is not None:
            self._say(error, Qgis.MessageLevel.Critical)
        else:
            done(result)

    def _recognised(self, entries: list[dict[str, Any]]) -> None:
        rows = self.model.add(entries)
        unknown = sum(1 for row in rows if not self.model.entries[row]["role"])
        text = counted(len(rows), tr("1 entry added"), tr("{n} entries added"))
        text += counted(unknown, tr("; 1 needs a role"), tr("; {n} need a role")) if unknown else ""
        self._say(text, Qgis.MessageLevel.Warning if unknown else Qgis.MessageLevel.Success)
        self.select(rows)
        self._show_state()

    def _tested(self, found: dict[str, Any]) -> None:
        self.model.set_answers(found["entries"])
        if found["problem"]:
            self._say(found["problem"], Qgis.MessageLevel.Critical)
        else:
            good = sum(1 for answer in found["entries"] if answer["status"] == "found")
            level = Qgis.MessageLevel.Success if good == len(found["entries"]) else Qgis.MessageLevel.Warning
            self._say(tr("{good} of {n} entries can be used").format(good=good, n=len(found["entries"])), level)
        self._show_selected()

    def select(self, rows: Sequence[int]) -> None:
        """Select rows of the model."""
        selection = self.table.selectionModel()
        selection.clearSelection()
        for row in rows:
            index = self.sorted.mapFromSource(self.model.index(row, STATE))
            selection.select(index, QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows)

    def _edit(self, changes: dict[str, Any]) -> None:
        for row in self.selected():
            entry = {**self.model.entries[row], **changes}
            self.model.replace(row, {key: value for key, value in entry.items() if value is not None or key == "nodata"})
        self._show_selected()
        self._show_state()

    def _rewrite(self, entry: dict[str, Any]) -> None:
        for row in self.selected()[:1]:
            self.model.replace(row, entry)
        self._show_selected()
        self._show_state()

    def _show_selected(self) -> None:
        rows = self.selected()
        self.editor.show_entries([self.model.entries[row] for row in rows])
        self.facts.setText(explanation(self.model.entries[rows[0]], self.model.answers[rows[0]]) if len(rows) == 1 else "")
        self.buttons["remove"].setEnabled(bool(rows))

    def _show_state(self) -> None:
        name = os.path.basename(self.path) or tr("new file")
        self.setWindowTitle(tr("Datasets: {name}").format(name=name) + (" *" if self.model.changed else ""))

    def _say(self, text: str, level: Any) -> None:
        self.bar.clearWidgets()
        self.bar.pushMessage(text, level, 0)


def _common_folder(files: list[str]) -> str:
    """Return the folder that a new datasets file will lie in: the one that holds all that was added."""
    folders = [name if os.path.isdir(name) else os.path.dirname(name) for name in map(os.path.abspath, files)]
    return os.path.commonpath(folders) if folders else ""
