"""The inspector's sections as small widgets: a heading that folds, bars of overlap, tables of names and values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from qgis.gui import QgsCollapsibleGroupBoxBasic
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QGridLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from epoch_plugin.bridge.numbers import number, percent

ROWS_SHOWN = 12  # a longer table scrolls by itself


class Section(QgsCollapsibleGroupBoxBasic):
    """A heading with content below it."""

    def __init__(self, title: str, content: QWidget, parent: QWidget, collapsed: bool = False):
        super().__init__(title, parent)
        self.content = content
        content.setAccessibleName(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addWidget(content)
        self.setCollapsed(collapsed)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)


class Bullets(QLabel):
    """Sentences as a list."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

        self.lines: list[str] = []

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show the sentences."""
        self.lines = list(lines)
        rows = "".join(f"<tr><td>•&nbsp;</td><td>{escape(line)}</td></tr>" for line in lines)
        self.setText(f"<table cellspacing=0>{rows}</table>")


class OverlapBars(QWidget):
    """One bar per layer: the overlap in ha and as a share of the plot."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)

    def show_bars(self, bars: Iterable[tuple[str, float]], area: float) -> None:
        """Show names with their area (ha)."""
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        for row, (name, hectares) in enumerate(bars):
            share = min(1.0, hectares / area) if area > 0 else 0.0
            bar = QProgressBar(self)
            bar.setRange(0, 1000)
            bar.setValue(round(1000 * share))
            bar.setTextVisible(False)
            bar.setMaximumHeight(self.fontMetrics().height())
            bar.setAccessibleName(name)
            label, value = QLabel(name, self), QLabel(f"{number(hectares, 'ha')} ({percent(share)})", self)
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(bar, row, 1)
            self._grid.addWidget(value, row, 2)


class Rows(QTreeWidget):
    """A table of texts as high as its rows; first-level rows are headings where there are children; column `wide` takes the room that is left."""

    def __init__(self, headings: Sequence[str], wide: int, parent: QWidget | None = None):
        super().__init__(parent)
        self.setHeaderLabels(list(headings))
        self.setAlternatingRowColors(True)
        self.setUniformRowHeights(True)
        self.setHorizontalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)
        self.setIndentation(self.fontMetrics().averageCharWidth() * 2)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.header().setStretchLastSection(False)
        self.header().setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 12)
        self.header().setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
        self.itemExpanded.connect(lambda _: self._fit())
        self.itemCollapsed.connect(lambda _: self._fit())

    def show_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Show rows of texts; a row that ends with a list has that as rows below it."""
        self.clear()
        self._add(self.invisibleRootItem(), rows)
        self.expandToDepth(0)
        self.setRootIsDecorated(any(self.topLevelItem(i).childCount() for i in range(self.topLevelItemCount())))
        self._fit()

    def _add(self, parent: QTreeWidgetItem, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            children = row[-1] if isinstance(row[-1], list) else []
            words = [text for text in row if isinstance(text, str)]
            item = QTreeWidgetItem(parent, words)
            for column, text in enumerate(words):
                item.setToolTip(column, text)
            item.setFirstColumnSpanned(bool(children))
            self._add(item, children)

    def _fit(self) -> None:
        rows, item = 0, self.topLevelItem(0)
        while item is not None:
            rows, item = rows + 1, self.itemBelow(item)
        line = self.sizeHintForRow(0) if rows else self.fontMetrics().height()
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(self.header().sizeHint().height() + line * min(max(rows, 1), ROWS_SHOWN) + bar + 2 * self.frameWidth())


class WrappedTable(QTableWidget):
    """A table of texts that wraps what is too long instead of cutting it; `weights` say how the columns share the width."""

    def __init__(self, headings: Sequence[str], weights: Sequence[int], parent: QWidget | None = None):
        super().__init__(0, len(headings), parent)
        self._weights = weights
        self.setHorizontalHeaderLabels(list(headings))
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTableWidget.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.verticalHeader().sectionResized.connect(lambda *_: self._fit())

    def show_rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Show rows of texts."""
        self.setRowCount(0)
        for place, texts in enumerate(rows):
            self.insertRow(place)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                item.setToolTip(text)
                self.setItem(place, column, item)
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Share the width anew."""
        for column, weight in enumerate(self._weights[:-1]):
            self.setColumnWidth(column, self.viewport().width() * weight // sum(self._weights))
        super().resizeEvent(event)

    def _fit(self) -> None:
        most = 2 * ROWS_SHOWN * self.fontMetrics().height()
        rows = max(self.verticalHeader().length(), self.fontMetrics().height())
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + min(rows, most) + 2 * self.frameWidth())
