"""The options page: store, default datasets file, executor, and sets of thresholds."""

from __future__ import annotations

import json
from typing import Any

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.settings import store_path
from epoch_plugin.core.errors import EpochError
from epoch_plugin.core.nesting import json_value
from epoch_plugin.core.settings import Settings
from epoch_plugin.ui.common.executor_edit import ExecutorEdit


class OptionsPage(QgsOptionsPageWidget):
    """Reads the preferences when it is made and writes them in `apply`."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("EpochOptions")
        self.store = QgsFileWidget(self)
        self.store.setStorageMode(QgsFileWidget.StorageMode.SaveFile)
        self.store.setConfirmOverwrite(False)
        self.store.setFilter(tr("GeoPackage (*.gpkg)"))
        self.store.lineEdit().setPlaceholderText(store_path() if not preferences.get(preferences.STORE) else "")
        self.store.setFilePath(preferences.get(preferences.STORE))
        self.datasets = QgsFileWidget(self)
        self.datasets.setFilter(tr("Datasets file (*.json)"))
        self.datasets.setFilePath(preferences.get(preferences.DATASETS))
        self.executor = ExecutorEdit(self)
        self.executor.set_value(preferences.get(preferences.EXECUTOR))
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for label, widget in ((tr("&Store"), self.store), (tr("&Datasets file"), self.datasets), (tr("&Executor"), self.executor)):
            form.addRow(label, widget)
            widget.setAccessibleName(label.replace("&", ""))
        store = tr("The store is one GeoPackage with all collections; left empty, it lies in your QGIS profile.")
        variable = tr("Where the environment variable EPOCH_STORE is set, it is used instead.")
        hint = QLabel(f"{store} {variable}", self)
        hint.setWordWrap(True)
        form.addRow("", hint)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(QLabel(tr("Presets: sets of thresholds that can be chosen when a collection is processed"), self))
        layout.addLayout(self._presets(), 1)

    def apply(self) -> None:
        """Keep the preferences; what is unusable was refused by `isValid`."""
        preferences.put(preferences.STORE, self.store.filePath())
        preferences.put(preferences.DATASETS, self.datasets.filePath())
        preferences.put(preferences.EXECUTOR, self.executor.value())
        preferences.put_presets({name: json.loads(text) for name, text in self.rows() if not problem_of(name, text)})

    def rows(self) -> list[tuple[str, str]]:
        """Return names and thresholds as they were typed, without empty rows."""
        cells = [[self.table.item(row, column) for column in (0, 1)] for row in range(self.table.rowCount())]
        texts = [tuple((cell.text().strip() if cell else "") for cell in row) for row in cells]
        return [(name, text) for name, text in texts if name or text]

    def isValid(self) -> bool:
        """Refuse an executor and presets that no run would accept, and show why."""
        problems = [text for row in self.rows() if (text := problem_of(*row))]
        self.problem.setText("\n".join(problems))
        self.problem.setVisible(bool(problems))
        return not problems and not self.executor.problem()

    def _presets(self) -> QVBoxLayout:
        self.table = QTableWidget(0, 2, self)
        self.table.setHorizontalHeaderLabels([tr("Name"), tr('Thresholds that differ, as JSON: {"min_valid_fraction": 0.9}')])
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setMinimumSectionSize(20 * self.fontMetrics().averageCharWidth())
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().hide()
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName(tr("Presets"))
        for name, values in sorted(preferences.presets().items()):
            self._add(name, json.dumps(values))
        self.table.itemChanged.connect(lambda _: self.isValid())
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        add, remove = QPushButton(tr("&Add preset"), self), QPushButton(tr("&Remove preset"), self)
        add.clicked.connect(lambda: self._add(tr("My thresholds"), '{"min_valid_fraction": 0.9}'))
        remove.clicked.connect(lambda: self.table.removeRow(self.table.currentRow()))
        buttons = QHBoxLayout()
        buttons.addWidget(add)
        buttons.addWidget(remove)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.addWidget(self.table, 1)
        column.addWidget(self.problem)
        column.addLayout(buttons)
        return column

    def _add(self, name: str, text: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        for column, value in enumerate((name, text)):
            self.table.setItem(row, column, QTableWidgetItem(value))


def problem_of(name: str, text: str) -> str:
    """Return why a preset is unusable, empty if it is not."""
    if not name:
        return tr("A preset needs a name.")
    try:
        values: Any = json_value(text)
        if not isinstance(values, dict):
            return tr("{name}: an object is needed, such as {example}").format(name=name, example='{"min_valid_fraction": 0.9}')
        Settings.from_dict(values)
    except ValueError as error:
        return f"{name}: {error}"
    except EpochError as error:
        return f"{name}: {error}"
    return ""
