"""The dock's first panel: the tree of collections and jobs, and what can be done with the selected one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.gui import QgsFilterLineEdit, QgsPanelWidget
from qgis.PyQt.QtCore import QItemSelectionModel, QSortFilterProxyModel, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeySequence, QStandardItem
from qgis.PyQt.QtWidgets import QAbstractItemView, QAction, QHBoxLayout, QLabel, QMenu, QStackedWidget, QToolButton, QTreeView, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.overview import can_resume
from epoch_plugin.ui.collections.empty_state import EmptyState
from epoch_plugin.ui.collections.tree_delegate import CollectionsDelegate
from epoch_plugin.ui.collections.tree_model import KEY, ROW, CollectionsModel, TreeRow
from epoch_plugin.ui.common.buttons import tool_button
from epoch_plugin.ui.common.looks import theme_icon

if TYPE_CHECKING:
    from epoch_plugin.ui.collections.controller import CollectionsController

COLLECTION_ACTIONS = ("upload", "process", "layers", "details", "edit", "delete")
JOB_ACTIONS = ("cancel", "resume", "layers", "details")


class MainPanel(QgsPanelWidget):
    """Tells the dock what the user wants: `wanted(action, row)` for the selected row, `asked(action)` for everything else."""

    wanted = pyqtSignal(str, object)
    asked = pyqtSignal(str)

    def __init__(self, controller: CollectionsController, parent: QWidget | None = None):
        super().__init__(parent)
        self._controller = controller
        self.model = CollectionsModel(self)
        self.filtered = QSortFilterProxyModel(self)
        self.filtered.setSourceModel(self.model)
        self.filtered.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.filtered.setRecursiveFilteringEnabled(True)
        self._build_tree()
        self.empty = EmptyState(self)
        self.empty.asked.connect(self.asked)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.tree)
        self.pages.addWidget(self.empty)
        self.search = QgsFilterLineEdit(self)
        self.search.setPlaceholderText(tr("Search collections and jobs…"))
        self.search.setAccessibleName(tr("Search collections and jobs"))
        self.search.setShowSearchIcon(True)
        self.search.textChanged.connect(self._filter)
        self.hint = QLabel(tr("Drop a file or a layer here to add plots."), self)
        self.hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addLayout(self._toolbar())
        layout.addWidget(self.search)
        layout.addWidget(self.pages, 1)
        layout.addLayout(self._action_row())
        layout.addWidget(self.hint)
        controller.overview_changed.connect(self.refresh)
        controller.runs_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the controller knows; the first collection is selected where nothing is."""
        before = self.current()
        self.model.refresh(self._controller)
        if before is not None and before.run is not None and before.job is not None and (self.current() is None or self.current().job is None):
            self.select(before.job.job_id)  # the job that was followed has ended
        have = self.model.rowCount() > 0
        self.pages.setCurrentWidget(self.tree if have else self.empty)
        self.empty.show_store(self._controller.overview.path, self._controller.loaded)
        for widget in (self.search, self.hint):
            widget.setVisible(have)
        self._buttons["process"].setEnabled(bool(self._controller.uploaded()))
        self._select_something()
        self._expand_running()
        self._show_actions()

    def current(self) -> TreeRow | None:
        """Return the selected row."""
        index = self.tree.currentIndex()
        return index.data(ROW) if index.isValid() else None

    def select(self, key: str) -> None:
        """Select a collection or job by its id."""
        for place in range(self.model.rowCount()):
            item = self.model.item(place)
            for one in (item, *(item.child(i) for i in range(item.rowCount()))):
                if one.data(KEY) == key:
                    index = self.filtered.mapFromSource(one.index())
                    self.tree.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _build_tree(self) -> None:
        self.tree = QTreeView(self)
        self.tree.setObjectName("EpochCollectionsTree")
        self.tree.setAccessibleName(tr("Collections and their jobs"))
        self.tree.setModel(self.filtered)
        self.tree.setItemDelegate(CollectionsDelegate(self.tree))
        self.tree.setHeaderHidden(True)
        self.tree.setAlternatingRowColors(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._context_menu)
        self.tree.selectionModel().currentChanged.connect(self._show_actions)
        self.tree.doubleClicked.connect(lambda _: self._want("details"))

    def _toolbar(self) -> QHBoxLayout:
        self._buttons = {
            "add": tool_button(self, tr("Add plots…"), "mActionAdd", tr("Stage plots from a file or a layer")),
            "process": tool_button(self, tr("Process…"), "mActionStart", tr("Compute statistics of an uploaded collection")),
            "datasets": tool_button(self, tr("Datasets…"), "mActionAddRasterLayer", tr("Bind your rasters to roles, test and save them")),
        }
        row = QHBoxLayout()
        for name, button in self._buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.asked.emit(name))
            row.addWidget(button)
        row.addStretch(1)
        self.menu_button = tool_button(self, "", "mActionOptions", tr("More"))
        menu = QMenu(self.menu_button)
        for name, text in (("refresh", tr("Look again")), ("folder", tr("Open the store's folder")), ("sample", tr("Try it with the sample")),
                           ("howto", tr("How to get datasets")), ("options", tr("Options…"))):  # fmt: skip
            menu.addAction(text).triggered.connect(lambda _=False, name=name: self.asked.emit(name))
        self.menu_button.setMenu(menu)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(self.menu_button)
        return row

    def _action_row(self) -> QHBoxLayout:
        """One action each for buttons, context menu and keys."""
        self.actions_of_row: dict[str, QAction] = {}
        texts = {
            "upload": (tr("Upload"), "mActionSharingExport", None), "process": (tr("Process…"), "mActionStart", None),
            "cancel": (tr("Cancel"), "mTaskCancel", None), "resume": (tr("Resume"), "mActionRefresh", None),
            "layers": (tr("Layers"), "mActionAddLayer", None), "details": (tr("Details"), "mActionPropertiesWidget", None),
            "edit": (tr("Rename or describe…"), "mActionToggleEditing", QKeySequence(Qt.Key.Key_F2)),
            "delete": (tr("Delete…"), "mActionDeleteSelected", QKeySequence(QKeySequence.StandardKey.Delete)),
        }  # fmt: skip
        row = QHBoxLayout()
        for name, (text, icon, key) in texts.items():
            action = QAction(theme_icon(icon), text, self)
            if key is not None:
                action.setShortcut(key)
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                self.tree.addAction(action)
            action.triggered.connect(lambda _=False, name=name: self._want(name))
            self.actions_of_row[name] = action
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setToolButtonStyle(
                Qt.ToolButtonStyle.ToolButtonIconOnly if name in ("edit", "delete") else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            )
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setAccessibleName(text)
            button.setVisible(False)
            self._buttons[f"row {name}"] = button
            row.addWidget(button)
        row.addStretch(1)
        return row

    def possible(self, row: TreeRow | None) -> list[str]:
        """Return the actions that make sense for a row."""
        if row is None:
            return []
        if row.collection is not None:
            staged = row.collection.status == "staged"
            return [name for name in COLLECTION_ACTIONS if name != ("process" if staged else "upload")]
        if row.job is None:
            return ["cancel"]
        running = row.percent is not None
        skip = set() if running else {"cancel"}
        if running or not can_resume(row.job):
            skip.add("resume")
        if row.job.status != "completed":
            skip.add("layers")
        return [name for name in JOB_ACTIONS if name not in skip]

    def _show_actions(self, *_: object) -> None:
        possible = self.possible(self.current())
        for name, action in self.actions_of_row.items():
            action.setEnabled(name in possible)
            self._buttons[f"row {name}"].setVisible(name in possible)

    def _context_menu(self, point: object) -> None:
        index = self.tree.indexAt(point)
        if index.isValid():
            self.tree.setCurrentIndex(index)
            menu = QMenu(self)
            menu.addActions([self.actions_of_row[name] for name in self.possible(self.current())])
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.tree.viewport().mapToGlobal(point))

    def _want(self, name: str) -> None:
        row = self.current()
        if row is not None and name in self.possible(row):
            self.wanted.emit(name, row)

    def _filter(self, text: str) -> None:
        self.filtered.setFilterFixedString(text)
        if text:
            self.tree.expandAll()
        self._select_something()

    def _select_something(self) -> None:
        if self.filtered.rowCount() and not self.tree.currentIndex().isValid():
            self.tree.setCurrentIndex(self.filtered.index(0, 0))

    def _expand_running(self) -> None:
        """Show a collection's jobs as soon as one runs; what the user folded later stays folded."""
        for place in range(self.model.rowCount()):
            item = self.model.item(place)
            running = any(item.child(i).data(ROW).percent is not None for i in range(item.rowCount()))
            if running and not item.data(_OPENED):
                self._follow(item)
            if bool(item.data(_OPENED)) != running:
                item.setData(running, _OPENED)

    def _follow(self, item: QStandardItem) -> None:
        """Unfold a collection whose job has begun; where the collection was selected, select the job, so that Cancel is at hand."""
        index = self.filtered.mapFromSource(item.index())
        self.tree.expand(index)
        if self.tree.currentIndex() == index:
            job = next(i for i in range(item.rowCount()) if item.child(i).data(ROW).percent is not None)
            self.tree.setCurrentIndex(self.filtered.mapFromSource(item.child(job).index()))


_OPENED = KEY + 1
