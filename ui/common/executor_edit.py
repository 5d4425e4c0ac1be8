"""Where a batch is computed, chosen: this computer, or a Dask cluster whose scheduler's address is typed."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.core.executor_name import DASK, THREADS, is_address

EXAMPLE = "tcp://10.0.0.5:8786"


class ExecutorEdit(QWidget):
    """A choice and an address; `value` is `threads` or `dask:<address>`, `problem` says why that cannot be used."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.choice, self.address, self.words = QComboBox(self), QLineEdit(self), QLabel(self)
        self.choice.addItem(tr("This computer, all cores (threads)"), THREADS)
        self.choice.addItem(tr("Dask cluster (dask:…)"), DASK)
        self.choice.setAccessibleName(tr("Executor"))
        self.address.setPlaceholderText(EXAMPLE)
        self.address.setAccessibleName(tr("Address of the Dask scheduler"))
        self.address.setToolTip(tr("Only an address that you trust: whoever reaches the scheduler can run code on the nodes and in QGIS."))
        self.words.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.choice)
        row.addWidget(self.address, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.words)
        self.setFocusProxy(self.choice)
        self.choice.currentIndexChanged.connect(self._show)
        self.address.textChanged.connect(self._show)
        self._show()

    def value(self) -> str:
        """Return the executor's name, as the contract has it."""
        return THREADS if self.choice.currentData() == THREADS else DASK + self._typed()

    def set_value(self, name: str) -> None:
        """Show an executor's name; what is none is shown as an address, where it can be seen and corrected."""
        local = name.strip() in ("", THREADS)
        self.choice.setCurrentIndex(self.choice.findData(THREADS if local else DASK))
        self.address.setText("" if local else name.strip().removeprefix(DASK))

    def problem(self) -> str:
        """Return why the executor cannot be used, empty if it can."""
        if self.choice.currentData() == THREADS or is_address(self._typed()):
            return ""
        return tr("Give the address of the Dask scheduler with its port, for example {address}.").format(address=EXAMPLE)

    def _typed(self) -> str:
        return self.address.text().strip().removeprefix(DASK).strip()

    def _show(self, *_: Any) -> None:
        self.address.setVisible(self.choice.currentData() == DASK)
        self.words.setText(self.problem())
        self.words.setVisible(bool(self.problem()))
        self.changed.emit()
