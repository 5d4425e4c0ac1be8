"""The panel *Rename or describe*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.gui import QgsPanelWidget
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.ui.collections.add_panel import CROPS, SYSTEMS

if TYPE_CHECKING:
    from epoch_plugin.core.store.collections import CollectionRow


class EditPanel(QgsPanelWidget):
    """Emits `save(collection id, changes)`: parameters of epoch:editcollection that differ from what is stored."""

    save = pyqtSignal(str, dict)

    def __init__(self, row: CollectionRow, parent: QWidget | None = None):
        super().__init__(parent)
        self.setPanelTitle(tr("Rename or describe"))
        self._row = row
        self.name, self.description, self.country = QLineEdit(self), QLineEdit(self), QLineEdit(self)
        self.crop, self.system = QComboBox(self), QComboBox(self)
        self.crop.setEditable(True)
        self.crop.addItems(["", *CROPS])
        self.system.addItems(["", *SYSTEMS])
        self.name.setText(row.collection_name)
        self.description.setText(row.description or "")
        self.country.setText(row.country or "")
        self.crop.setCurrentText(row.crop_type or "")
        self.system.setCurrentText(row.system_type or "")
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, widget in ((tr("&Name"), self.name), (tr("&Description"), self.description), (tr("&Commodity"), self.crop),
                              (tr("C&ountry"), self.country), (tr("S&ystem"), self.system)):  # fmt: skip
            form.addRow(label, widget)
        self.save_button = QPushButton(tr("&Save"), self)
        self.save_button.clicked.connect(self._save)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addLayout(buttons)

    def changes(self) -> dict[str, str]:
        """Return what differs from the stored row."""
        values = {
            "COLLECTION_NAME": (self.name.text(), self._row.collection_name), "DESCRIPTION": (self.description.text(), self._row.description),
            "CROP_TYPE": (self.crop.currentText(), self._row.crop_type), "COUNTRY": (self.country.text(), self._row.country),
            "SYSTEM_TYPE": (self.system.currentText(), self._row.system_type),
        }  # fmt: skip
        return {name: new.strip() for name, (new, old) in values.items() if new.strip() and new.strip() != (old or "")}

    def _save(self) -> None:
        changes = self.changes()
        if changes:
            self.save.emit(self._row.collection_id, changes)
        self.acceptPanel()
