"""Features that cannot be staged: which, why, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QPushButton, QTableView, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr

if TYPE_CHECKING:
    from epoch_plugin.core.collections.report import BadFeature


class BadFeaturesModel(QAbstractTableModel):
    """Rows of bad features: row in the source, plot id, reason."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.features: Sequence[BadFeature] = ()

    def set_features(self, features: Sequence[BadFeature]) -> None:
        """Show other features."""
        self.beginResetModel()
        self.features = features
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of features."""
        return 0 if parent.isValid() else len(self.features)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return three."""
        return 3

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's text."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) or not index.isValid():
            return None
        bad = self.features[index.row()]
        return (str(bad.row), bad.plotid, bad.reason)[index.column()]

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return (tr("Row"), tr("Plot"), tr("What is wrong"))[section]


class BadFeatures(QWidget):
    """The table, with *Zoom to it* for the selected feature; hidden where all features are good."""

    zoom = pyqtSignal(float, float)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.model = BadFeaturesModel(self)
        self.table = QTableView(self)
        self.table.setModel(self.model)
        self.table.setAccessibleName(tr("Features that cannot be staged"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.setWordWrap(True)
        self.table.setMinimumHeight(8 * self.fontMetrics().height())
        self.table.activated.connect(self._zoom)
        self.table.selectionModel().currentChanged.connect(self._show_button)
        self.button = QPushButton(tr("&Zoom to it"), self)
        self.button.clicked.connect(lambda: self._zoom(self.table.currentIndex()))
        self.title = QLabel(tr("Features that cannot be staged"), self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.title, self.table, self.button):
            layout.addWidget(widget)

    def show_features(self, features: Sequence[BadFeature]) -> None:
        """List bad features."""
        self.model.set_features(features)
        self.table.resizeRowsToContents()
        self.setVisible(bool(features))
        self._show_button()

    def _show_button(self, *_: Any) -> None:
        index = self.table.currentIndex()
        self.button.setEnabled(index.isValid() and self.model.features[index.row()].lon is not None)

    def _zoom(self, index: QModelIndex) -> None:
        if index.isValid():
            bad = self.model.features[index.row()]
            if bad.lon is not None and bad.lat is not None:
                self.zoom.emit(bad.lon, bad.lat)
