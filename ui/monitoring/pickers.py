"""Which collection, window and region are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QSizePolicy, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.sentences import plots_in_words
from epoch_plugin.ui.common.buttons import tool_button

if TYPE_CHECKING:
    from epoch_plugin.bridge.monitoring import Choices
    from epoch_plugin.core.monitoring.scope import Region, Scope, Window


NAME_ROLE = Qt.ItemDataRole.UserRole + 1


class Pickers(QWidget):
    """Three combo boxes; `collection_chosen(id)` and `scope_chosen` when the user chooses."""

    collection_chosen = pyqtSignal(str)
    scope_chosen = pyqtSignal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.collection, self.window_box, self.region = (self._combo() for _ in range(3))
        self.layers = tool_button(self, tr("Layers"), "mActionAddLayer", tr("Add the collection's layers to the map"))
        self.check = tool_button(self, tr("Check a plot"), "mActionAddPolygon", tr("Draw a polygon on the map and check it, without staging it"))
        self.refresh = tool_button(self, "", "mActionRefresh", tr("Read again"), "F5")
        self.check.setCheckable(True)
        self.assessed = QLabel(self)
        self.assessed.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        first = QHBoxLayout()
        first.addWidget(self.collection, 1)
        first.addWidget(self.refresh)
        buttons = QHBoxLayout()
        buttons.addWidget(self.region, 1)
        buttons.addWidget(self.layers)
        buttons.addWidget(self.check)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        form.addRow(tr("&Collection"), first)
        form.addRow(tr("&Window"), self.window_box)
        form.addRow("", self.assessed)
        form.addRow(tr("Re&gion"), buttons)
        for layout, box in ((first, self.collection), (self.window_box, self.window_box), (buttons, self.region)):
            form.labelForField(layout).setBuddy(box)
        self.collection.activated.connect(lambda _: self.collection_chosen.emit(self.collection_id))
        self.window_box.currentIndexChanged.connect(lambda _: self._show_assessed())
        self.window_box.activated.connect(lambda _: self.scope_chosen.emit())
        self.region.activated.connect(lambda _: self.scope_chosen.emit())

    def _combo(self) -> QComboBox:
        box = QComboBox(self)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(10)
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return box

    def show_choices(self, choices: Choices) -> None:
        """Fill the boxes; window and region stay where they still exist."""
        window, region = self.window_box.currentData(), self.region.currentData()
        self.collection.clear()
        for choice in choices.collections:
            self.collection.addItem(f"{choice.name}  ({plots_in_words(choice.plots)})", choice.collection_id)
            self.collection.setItemData(self.collection.count() - 1, choice.name, NAME_ROLE)
        self.collection.setCurrentIndex(max(0, self.collection.findData(choices.chosen)))
        self.window_box.clear()
        for one in choices.windows:
            self.window_box.addItem(f"{one.start} → {one.end}", one)
        if not choices.windows:
            self.window_box.addItem(tr("Not processed yet"), None)
        self._keep(self.window_box, window)
        self._show_assessed()
        self.region.clear()
        self.region.addItem(tr("All plots"), None)
        for place in choices.regions:
            self.region.addItem(f"{place.name} ({tr(place.stat_type.replace('_', ' '))})", place)
        self._keep(self.region, region)
        self.setEnabled(True)
        self.layers.setEnabled(bool(choices.windows))

    def _show_assessed(self) -> None:
        window = self.window_chosen
        self.assessed.setText(assessed_in_words(window) if window else "")
        self.assessed.setVisible(window is not None)
        self.window_box.setAccessibleDescription(self.assessed.text())

    @staticmethod
    def _keep(box: QComboBox, value: object) -> None:
        box.setCurrentIndex(next((i for i in range(box.count()) if box.itemData(i) == value), 0))
        box.setToolTip(box.currentText())  # all of it, where a narrow dock shows the beginning

    @property
    def collection_id(self) -> str:
        """Id of the chosen collection, '' without one."""
        return self.collection.currentData() or ""

    @property
    def collection_name(self) -> str:
        """Name of the chosen collection."""
        return self.collection.itemData(self.collection.currentIndex(), NAME_ROLE) or ""

    @property
    def window_chosen(self) -> Window | None:
        """The chosen window, None while nothing is processed."""
        return self.window_box.currentData()

    @property
    def scope(self) -> Scope:
        """What is looked at."""
        from epoch_plugin.core.monitoring.scope import Scope

        region: Region | None = self.region.currentData()
        return Scope(self.collection_id, self.window_chosen, region)


def assessed_in_words(window: Window) -> str:
    """Return how far the plots of a window were assessed; a line of its own."""
    if window.assessed_end is None:
        return tr("No plot assessed")
    if window.assessed_end < window.end:
        return tr("Assessed to {date} or later").format(date=window.assessed_end)
    return tr("Assessed to {date}").format(date=window.assessed_end)
