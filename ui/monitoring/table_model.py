"""The plots as a table model over columns: what is shown is an array of row numbers, sorted and filtered as arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, Qt
from qgis.PyQt.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap

from epoch_plugin.bridge.alerts import ALERTS
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import number
from epoch_plugin.bridge.sentences import reasons_in_words

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_columns import PlotColumns

# column of the model -> column of PlotColumns, heading, unit, decimals are those of `number`
COLUMNS = (
    ("plotid", "Plot", ""),
    ("area", "Area", "ha"),
    ("alert", "Alert", ""),
    ("confidence", "Confidence", ""),
    ("detected_area", "Loss seen", "ha"),
    ("since", "Since", ""),
    ("reasons", "Reasons", ""),
    ("luc_tco2ehayear", "LUC emissions", "tCO2e/ha/year"),
    ("diversity_score", "Diversity", "0–1"),
    ("water_stress_index", "Water stress", "0–5"),
)
NUMBERS = {name for name, _, _ in COLUMNS} - {"plotid", "alert", "confidence", "since", "reasons"}


class PlotTableModel(QAbstractTableModel):
    """Rows are positions in `shown`, an array of row numbers of `columns`."""

    def __init__(self, parent: Any = None):
        super().__init__(parent)
        self._columns: PlotColumns | None = None
        self.shown: Any = range(0)
        self._filter: dict[str, Any] = {}
        self._sort = ("", False)
        self._icons: dict[str | None, QIcon] = {}
        self._words: dict[str | None, str] = {}

    # data

    def begin(self) -> None:
        """Empty the table: another scope is being read."""
        self.beginResetModel()
        self._columns, self.shown = None, range(0)
        self.endResetModel()

    def grow(self, columns: PlotColumns, rows: int) -> None:
        """Show the first `rows` of columns that are still being read, unfiltered, in their order."""
        if self._columns is not columns:
            self.begin()
            self._columns = columns
        if rows > len(self.shown):
            self.beginInsertRows(QModelIndex(), len(self.shown), rows - 1)
            self.shown = range(rows)
            self.endInsertRows()

    def complete(self, columns: PlotColumns) -> None:
        """Show all rows, sorted and filtered as the user wants them."""
        self._columns = columns
        self.arrange()

    @property
    def ready(self) -> bool:
        """Whether the rows can be sorted and filtered."""
        return self._columns is not None and self._columns.sortable

    def filter(self, **conditions: Any) -> None:
        """Show the rows that fulfil the conditions of `PlotColumns.matching`."""
        self._filter = conditions
        self.arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; -1 gives the order of the collection."""
        self._sort = (COLUMNS[column][0] if column >= 0 else "", order == Qt.SortOrder.DescendingOrder)
        self.arrange()

    def arrange(self) -> None:
        """Apply filter and order; the selection follows its plots."""
        if not self.ready:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        rows = [self.shown[index.row()] for index in before]
        shown = self._columns.matching(**self._filter)
        self.shown = self._columns.order(shown, *self._sort) if self._sort[0] else shown
        if before:
            place = {int(self.shown[position]): position for position in self._columns.places(self.shown, [int(row) for row in rows])}
            after = [self.index(place[int(row)], index.column()) if int(row) in place else QModelIndex() for row, index in zip(rows, before)]
            self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def fid(self, position: int) -> int:
        """Return the plot's fid in the store, which is its feature id in the layers."""
        return self._columns.fid[self.shown[position]]

    def uuid(self, position: int) -> str:
        """Return the plot's UUID."""
        return self._columns.uuid[self.shown[position]]

    def shown_uuids(self) -> list[str]:
        """Return the UUIDs of all shown plots, in the shown order."""
        return [self._columns.uuid[row] for row in self.shown] if self._columns is not None else []

    def positions(self, fids: list[int]) -> list[int]:
        """Return where plots given by fid are shown, ascending; filtered ones are left out."""
        if self._columns is None:
            return []
        rows = self._columns.rows_of(fids)
        return self._columns.places(self.shown, rows) if rows else []

    # Qt

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Return the number of shown plots."""
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return headings with units; alignment follows the column's kind."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        name, title, unit = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{tr(title)} ({unit})" if unit else tr(title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(name)
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        name = COLUMNS[index.column()][0]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(name)
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.DecorationRole, Qt.ItemDataRole.ToolTipRole):
            return None
        row = int(self.shown[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, name)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icon(self._columns.value(row, "alert")) if name == "alert" else None
        return self._text(row, name) if name == "reasons" else None

    def _text(self, row: int, name: str) -> str:
        value = self._columns.value(row, name)
        if name == "alert":
            return tr(ALERTS[value or ""].label) if self._columns.stored[row] else tr("Not processed")
        if name == "reasons":
            return self._reasons(value)
        if value is None:
            return ""
        if name == "since":
            return value[:4]
        return number(value) if name in NUMBERS else tr(str(value))

    def _reasons(self, text: str | None) -> str:
        if text not in self._words:
            self._words[text] = " ".join(reasons_in_words(json.loads(text or "[]")))
        return self._words[text]

    def _icon(self, alert: str | None) -> QIcon:
        if alert not in self._icons:
            self._icons[alert] = alert_icon(alert)
        return self._icons[alert]


def alert_icon(alert: str | None, side: int = 32) -> QIcon:
    """Return an alert's sign: its colour and, as on the map, solid, hatched or dotted."""
    look = ALERTS[alert or ""]
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    colour = QColor(look.colour)
    style = Qt.PenStyle.DotLine if look.fill == "empty" else Qt.PenStyle.SolidLine
    painter.setPen(QPen(colour, side / 10, style))
    brush = {"solid": Qt.BrushStyle.SolidPattern, "hatch": Qt.BrushStyle.BDiagPattern, "empty": Qt.BrushStyle.NoBrush}[look.fill]
    painter.setBrush(QBrush(colour, brush))
    inset = side // 8
    painter.drawRect(inset, inset, side - 2 * inset, side - 2 * inset)
    painter.end()
    return QIcon(pixmap)


def _alignment(name: str) -> Any:
    side = Qt.AlignmentFlag.AlignRight if name in NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
