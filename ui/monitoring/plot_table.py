"""The table of plots with its filters; the selection and the order are the user's, the export is what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.gui import QgsFilterLineEdit
from qgis.PyQt.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QAbstractItemView, QComboBox, QHBoxLayout, QHeaderView, QLabel, QMenu, QTableView, QVBoxLayout, QWidget

from epoch_plugin.bridge.alerts import ALERTS
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import counted
from epoch_plugin.ui.common.buttons import tool_button
from epoch_plugin.ui.monitoring.table_model import COLUMNS, PlotTableModel

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_columns import PlotColumns

TYPING_MS = 200
MOST_SELECTED_ON_MAP = 20_000


class PlotTable(QWidget):
    """Signals: `selected(fids)` by the user, `opened(fid)` by double click or Enter, `filtered` when a filter was chosen here, `export(kind)`."""

    selected = pyqtSignal(list)
    opened = pyqtSignal(object)
    filtered = pyqtSignal(dict)
    export = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.model = PlotTableModel(self)
        self.view = self._make_view()
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(tr("Which plots"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(12)
        self.search = QgsFilterLineEdit(self)
        self.search.setShowSearchIcon(True)
        self.search.setPlaceholderText(tr("Plot id"))
        self.search.setAccessibleName(tr("Filter by plot id"))
        self.count = QLabel(self)
        self.export_button = tool_button(self, tr("Export"), "mActionFileSave", tr("Export what is shown"))
        self.export_button.setPopupMode(self.export_button.ToolButtonPopupMode.InstantPopup)
        self.export_button.setMenu(self._export_menu())
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self._apply)
        self._conditions: dict[str, Any] = {}
        self._quiet = False
        self._lay_out()
        self._connect()
        self.offer([])

    def _make_view(self) -> QTableView:
        view = QTableView(self)
        view.setModel(self.model)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setAlternatingRowColors(True)
        view.setWordWrap(False)
        view.setTabKeyNavigation(False)
        view.verticalHeader().hide()
        # A row is as high as a line of text, whatever its contents: 100,000 rows are not measured one by one.
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        view.verticalHeader().setDefaultSectionSize(round(view.fontMetrics().height() * 1.5))
        header = view.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        view.setSortingEnabled(True)
        letter = view.fontMetrics().averageCharWidth()
        widths = {"plotid": 14, "area": 12, "alert": 24, "confidence": 13, "detected_area": 16, "since": 8, "reasons": 46}
        for column, (name, _, _) in enumerate(COLUMNS):
            view.setColumnWidth(column, letter * widths.get(name, 22))
        view.setAccessibleName(tr("Plots"))
        return view

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        for kind, text in (
            ("csv", tr("Table as CSV…")), ("gpkg", tr("Plots as GeoPackage…")), ("png", tr("Chart as PNG…")), ("svg", tr("Chart as SVG…")),
        ):  # fmt: skip
            menu.addAction(text).triggered.connect(lambda _checked, kind=kind: self.export.emit(kind))
        return menu

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.addWidget(self.choice, 2)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(bar)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.count)

    def _connect(self) -> None:
        self.choice.activated.connect(lambda _: self._on_choice())
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._on_selection())
        self.view.doubleClicked.connect(lambda index: self.opened.emit(self.model.fid(index.row())))
        self.view.activated.connect(lambda index: self.opened.emit(self.model.fid(index.row())))
        for signal in (self.model.modelReset, self.model.layoutChanged, self.model.rowsInserted):
            signal.connect(lambda *_: self._show_count())

    # filters

    def offer(self, years: list[int]) -> None:
        """Fill the filter's choices; `years` are those with a loss."""
        flagged = ["critical", "non-critical"]
        choices: list[tuple[str, dict[str, Any]]] = [(tr("All plots"), {}), (tr("Flagged: loss or signal"), {"alerts": flagged})]
        choices += [(tr(look.label), {"alerts": [alert or None]}) for alert, look in ALERTS.items()]
        choices += [(tr("Loss in {year}").format(year=year), {"year": year}) for year in years]
        for word in ("high", "medium", "low"):
            choices.append((tr("Confidence {word}").format(word=tr(word)), {"alerts": flagged, "confidences": [word]}))
        choices += [(tr("With {what}").format(what=tr(title)), {"known": name}) for name, title, _ in COLUMNS[7:]]
        kept = self._conditions
        self.choice.clear()
        for text, conditions in choices:
            self.choice.addItem(text, conditions)
        self._select_choice(kept)

    def show_conditions(self, conditions: dict[str, Any]) -> None:
        """Filter by conditions that a card or a chart chose."""
        self._select_choice(conditions)
        self._apply()

    def _select_choice(self, conditions: dict[str, Any]) -> None:
        self._conditions = conditions
        position = next((i for i in range(self.choice.count()) if self.choice.itemData(i) == conditions), 0)
        if self.choice.itemData(position) != conditions:
            self._conditions = {}
        self.choice.setCurrentIndex(position)

    def _on_choice(self) -> None:
        self._conditions = self.choice.currentData() or {}
        self._apply()
        self.filtered.emit(self._conditions)

    def _apply(self) -> None:
        self._quiet = True  # a plot that is filtered out stays selected on the map
        try:
            self.model.filter(**self._conditions, text=self.search.text())
        finally:
            self._quiet = False

    def complete(self, columns: PlotColumns) -> None:
        """All plots are read: sort and filter as chosen, and offer the years with loss."""
        self.offer(sorted(columns.loss_by_year))
        self.model.complete(columns)
        self._apply()

    def _show_count(self) -> None:
        self.count.setText(counted(self.model.rowCount(), tr("1 plot shown"), tr("{n} plots shown")))

    # selection

    def select(self, fids: list[int]) -> None:
        """Select plots that were selected elsewhere; says nothing back."""
        self._quiet = True
        try:
            positions = self.model.positions(fids)
            selection = QItemSelection()
            last = self.model.columnCount() - 1
            for first, end in _runs(positions):
                selection.select(self.model.index(first, 0), self.model.index(end, last))
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().select(selection, flags)
            if positions:
                self.view.selectionModel().setCurrentIndex(self.model.index(positions[0], 0), QItemSelectionModel.SelectionFlag.NoUpdate)
                self.view.scrollTo(self.model.index(positions[0], 0))
        finally:
            self._quiet = False

    def selected_fids(self) -> list[int]:
        """Return the selected plots, at most as many as a map can show as selected."""
        fids: list[int] = []
        for part in self.view.selectionModel().selection():
            fids += [self.model.fid(row) for row in range(part.top(), min(part.bottom() + 1, part.top() + MOST_SELECTED_ON_MAP - len(fids)))]
        return fids

    def current_uuid(self) -> str:
        """Return the plot of the current row, '' without one."""
        index: QModelIndex = self.view.currentIndex()
        return self.model.uuid(index.row()) if index.isValid() and index.row() < self.model.rowCount() else ""

    def _on_selection(self) -> None:
        if not self._quiet:
            self.selected.emit(self.selected_fids())


def _runs(positions: list[int]) -> list[tuple[int, int]]:
    """Return ascending positions as (first, last) of unbroken runs."""
    runs: list[tuple[int, int]] = []
    for position in positions:
        if runs and runs[-1][1] == position - 1:
            runs[-1] = (runs[-1][0], position)
        else:
            runs.append((position, position))
    return runs
