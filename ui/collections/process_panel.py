"""The panel *Process*: what to compute, for which window, from which datasets, and whether these cover the plots."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from qgis.core import QgsMapLayerProxyModel
from qgis.gui import QgsCollapsibleGroupBox, QgsDateEdit, QgsFieldComboBox, QgsFileWidget, QgsMapLayerComboBox, QgsPanelWidget
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QDate, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.overview import has_farm_data
from epoch_plugin.bridge.tasks import in_background
from epoch_plugin.ui.collections.readiness import Readiness, estimate_words, readiness
from epoch_plugin.ui.collections.statistics import Statistic, available_statistics
from epoch_plugin.ui.common.looks import dot

if TYPE_CHECKING:
    from epoch_plugin.bridge.runs import Run
    from epoch_plugin.ui.collections.controller import CollectionsController

CUTOFF = QDate(2020, 12, 31)


class StatisticRow:
    """A statistic's check box, its light and its words."""

    def __init__(self, statistic: Statistic, grid: QGridLayout, panel: QWidget):
        self.statistic = statistic
        self.box = QCheckBox(statistic.label, panel)
        self.box.setToolTip(tr("Needs {what}").format(what=statistic.needs))
        self.light, self.words = QLabel(panel), QLabel(panel)
        self.words.setWordWrap(True)
        place = grid.rowCount()
        grid.addWidget(self.light, place, 0)
        grid.addWidget(self.box, place, 1)
        grid.addWidget(self.words, place + 1, 1)

    def show(self, state: Readiness | None, waiting: bool) -> None:
        """Show a judgement; without one, what the statistic needs."""
        self.light.setPixmap(dot(state.level if state else "", self.light))
        needs = tr("Needs {what}.").format(what=self.statistic.needs)
        text = state.words if state else tr("Checking the datasets…") if waiting else ""
        self.words.setText(f"{needs}<br/><i>{text}</i>" if text else needs)
        self.words.setToolTip("\n".join(state.details) if state else "")
        self.box.setAccessibleDescription(f"{needs} {text}")
        self.box.setEnabled(state is None or state.level != "red")


class ProcessPanel(QgsPanelWidget):
    """Emits `edit_datasets(path, collection id)`; starts the batch itself through the controller, then closes."""

    edit_datasets = pyqtSignal(str, str)

    def __init__(self, controller: CollectionsController, collection_id: str, parent: QWidget | None = None):
        super().__init__(parent)
        self.setPanelTitle(tr("Process"))
        self._controller = controller
        self._checking: Run | None = None
        self._response: dict[str, Any] | None = None
        self._build(collection_id)
        self.check()

    def check(self) -> None:
        """Ask whether the datasets file serves the chosen collection (in the background)."""
        self._response, self._checking = None, None
        self._look_for_farm_data()
        self.problem.clear()
        self.problem.hide()
        path, collection = self.datasets.filePath(), self.collection.currentData()
        if path and collection:
            parameters = {"STORE": self._controller.store, "DATASETS": path, "COLLECTION": collection}
            self._checking = self._controller.runs.start("epoch:checkdatasets", parameters, tr("Checking the datasets"), kind="check", quiet=True)
            self._checking.done.connect(lambda ok, run=self._checking: self._checked(run, ok))
        self._show()

    def _look_for_farm_data(self) -> None:
        """Offer farm emissions where the collection has the data for them."""
        collection, path = self.collection.currentData(), self._controller.store
        self.farm.setEnabled(False)
        if collection:
            work = has_farm_data(path, collection)
            in_background(tr("Looking for farm data"), work, lambda found, _: self._offer_farm(collection, bool(found)), quiet=True)

    def _offer_farm(self, collection: str, found: bool) -> None:
        if not sip.isdeleted(self) and self.collection.currentData() == collection:
            self.farm.setEnabled(found)

    def request(self) -> dict[str, Any]:
        """Return the parameters that all batch algorithms share."""
        end = self.end.date()
        return {
            "START_DATE": self.start.date().toString("yyyy-MM-dd"),
            "END_DATE": end.toString("yyyy-MM-dd"),
            "DATASETS": self.datasets.filePath(),
            "SKIP_ON_LOW_CONFIDENCE": self.skip.isChecked(),
            "IF_DONE": "recompute" if self.again.isChecked() else "reuse",
            "EXECUTOR": preferences.get(preferences.EXECUTOR),
            **self._chosen_regions(),
            **({"NON_BIOMASS": True} if self.farm.isChecked() and self.farm.isEnabled() else {}),
        }

    def _chosen_regions(self) -> dict[str, Any]:
        layer = self.regions.currentLayer()
        return {} if layer is None else {"REGIONS": layer.id(), "REGION_NAME_FIELD": self.region_name.currentField()}

    def chosen(self) -> list[str]:
        """Return the keys of the statistics that are checked."""
        return [row.statistic.key for row in self.rows if row.box.isChecked() and row.box.isEnabled()]

    def _start(self) -> None:
        settings = preferences.presets().get(self.preset.currentData() or "", {})
        name = self.collection.currentText()
        self._controller.process(self.collection.currentData(), name, self.chosen(), self.request(), settings)
        if not preferences.get(preferences.DATASETS):
            preferences.put(preferences.DATASETS, self.datasets.filePath())
        self.acceptPanel()

    def _build(self, collection_id: str) -> None:
        self.collection = QComboBox(self)
        for row in self._controller.uploaded():
            self.collection.addItem(row.collection_name, row.collection_id)
        self.collection.setCurrentIndex(max(0, self.collection.findData(collection_id)))
        self.collection.currentIndexChanged.connect(lambda _: self.check())
        self.datasets = QgsFileWidget(self)
        self.datasets.setFilter(tr("Datasets file (*.json)"))
        self.datasets.lineEdit().setPlaceholderText(tr("JSON file that binds your rasters to roles"))
        self.datasets.setFilePath(preferences.get(preferences.DATASETS))
        self.datasets.fileChanged.connect(lambda _: self.check())
        self.edit = QPushButton(tr("&Datasets…"), self)
        self.edit.setToolTip(tr("Bind, test and save datasets"))
        self.edit.clicked.connect(lambda: self.edit_datasets.emit(self.datasets.filePath(), self.collection.currentData() or ""))
        self.problem, self.cost = QLabel(self), QLabel(self)
        for label in (self.problem, self.cost):
            label.setWordWrap(True)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("&Collection"), self.collection)
        file_row = QHBoxLayout()
        file_row.addWidget(self.datasets, 1)
        file_row.addWidget(self.edit)
        form.addRow(_label(tr("Datasets &file"), self.datasets), file_row)
        form.addRow("", self.problem)
        self._dates(form)
        inner = QWidget(self)
        layout = QVBoxLayout(inner)
        layout.addLayout(form)
        layout.addWidget(self._statistics())
        layout.addWidget(self._regions())
        layout.addWidget(self._options())
        layout.addWidget(self.cost)
        layout.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.start_button = QPushButton(tr("&Start processing"), self)
        self.start_button.clicked.connect(self._start)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.start_button)
        outer = QVBoxLayout(self)
        outer.addWidget(scroll, 1)
        outer.addLayout(buttons)

    def _dates(self, form: QFormLayout) -> None:
        today = QDate.currentDate()
        self.window = QComboBox(self)
        self.window.addItem(tr("Since the EUDR cut-off (31 December 2020)"), (CUTOFF, today))
        self.window.addItem(tr("The last 12 months"), (today.addYears(-1), today))
        self.window.addItem(tr("Own dates"), None)
        self.start, self.end = QgsDateEdit(self), QgsDateEdit(self)
        for edit, day in ((self.start, CUTOFF), (self.end, today)):
            edit.setDisplayFormat("yyyy-MM-dd")
            edit.setCalendarPopup(True)
            edit.setAllowNull(False)
            edit.setDate(day)
            edit.dateChanged.connect(self._own_dates)
        self.window.activated.connect(self._preset_dates)
        form.addRow(tr("&Window"), self.window)
        days = QHBoxLayout()
        days.addWidget(self.start, 1)
        days.addWidget(QLabel("→", self))
        days.addWidget(self.end, 1)
        form.addRow(_label(tr("&After, until"), self.start), days)
        self.start.setAccessibleName(tr("Monitoring starts after"))
        self.end.setAccessibleName(tr("Monitoring ends on"))

    def _statistics(self) -> QWidget:
        group = QgsCollapsibleGroupBox(tr("Statistics"), self)
        grid = QGridLayout(group)
        grid.setColumnStretch(1, 1)
        self.rows = [StatisticRow(statistic, grid, group) for statistic in available_statistics()]
        for row in self.rows:
            row.box.setChecked(row.statistic.key != "extra")
            row.box.toggled.connect(self._show_button)
        return group

    def _regions(self) -> QWidget:
        group = QgsCollapsibleGroupBox(tr("Compare with regions"), self)
        form = QFormLayout(group)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.regions, self.region_name = QgsMapLayerComboBox(group), QgsFieldComboBox(group)
        self.regions.setFilters(QgsMapLayerProxyModel.Filter.PolygonLayer)
        self.regions.setAllowEmptyLayer(True, tr("Administrative areas only"))
        self.regions.setLayer(None)
        self.regions.setToolTip(tr("A polygon layer of the project: watersheds, sourcing areas, administrative areas of your own"))
        self.region_name.setAllowEmptyFieldName(True)
        self.region_name.setToolTip(tr("Empty: the usual name fields of HydroBASINS, GADM and geoBoundaries"))
        self.regions.layerChanged.connect(self.region_name.setLayer)
        form.addRow(tr("&Layer"), self.regions)
        form.addRow(tr("&Name from"), self.region_name)
        self.regions.setAccessibleName(tr("Layer of regions"))
        self.region_name.setAccessibleName(tr("Field with the region's name"))
        return group

    def _options(self) -> QWidget:
        group = QgsCollapsibleGroupBox(tr("Options"), self)
        group.setCollapsed(True)
        form = QFormLayout(group)
        self.preset = QComboBox(group)
        self.preset.addItem(tr("Standard thresholds"), "")
        for name in preferences.presets():
            self.preset.addItem(name, name)
        form.addRow(tr("&Thresholds"), self.preset)
        self.skip = QCheckBox(tr("Process nothing where the locations are not trusted"), group)
        self.again = QCheckBox(tr("Compute again even if the same job is done"), group)
        self.farm = QCheckBox(tr("Farm and supply chain emissions too"), group)
        self.farm.setToolTip(tr("From the farm data (INPUT_PAYLOAD) that “Stage, upload and process” keeps with a collection"))
        for box in (self.skip, self.again, self.farm):
            form.addRow(box)
        return group

    def _preset_dates(self, place: int) -> None:
        days = self.window.itemData(place)
        if days is not None:
            for edit, day in zip((self.start, self.end), days):
                edit.blockSignals(True)
                edit.setDate(day)
                edit.blockSignals(False)
        self._show_button()

    def _own_dates(self, *_: Any) -> None:
        self.window.setCurrentIndex(self.window.count() - 1)
        self._show_button()

    def _checked(self, run: Run, ok: bool) -> None:
        if run is not self._checking:
            return
        self._checking = None
        if ok:
            self._response = json.loads(run.results["RESPONSE"])
        else:
            self.problem.setText(run.error)
            self.problem.show()
        self._show()

    def _show(self) -> None:
        for row in self.rows:
            row.show(readiness(self._response, row.statistic.key) if self._response else None, self._checking is not None)
        self.cost.setText(estimate_words(self._response) if self._response else "")
        self._show_button()

    def _show_button(self, *_: Any) -> None:
        ready = bool(self.chosen()) and self.collection.currentData() is not None and self.start.date() < self.end.date()
        self.start_button.setEnabled(ready and os.path.isfile(self.datasets.filePath()) and not self.problem.text())


def _label(text: str, buddy: QWidget) -> QLabel:
    """Return a label whose key goes to one widget of a row that holds several."""
    label = QLabel(text)
    label.setBuddy(buddy)
    return label
