"""The Collections dock: a light shell that QGIS can restore; its content is made when it is first seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal

from epoch_plugin.bridge.i18n import tr

if TYPE_CHECKING:
    from epoch_plugin.bridge.runs import Runs
    from epoch_plugin.ui.collections.content import CollectionsContent


class CollectionsDock(QgsDockWidget):
    """The dock; `content` and `controller` exist once it was shown; `results_ready(collection id)` asks to show a collection's results."""

    results_ready = pyqtSignal(str)

    def __init__(self, iface: Any, runs: Runs):
        super().__init__(tr("Epoch collections"), iface.mainWindow())
        self.setObjectName("EpochCollectionsDock")
        self.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._iface, self._runs = iface, runs
        self.controller: Any = None
        self.content: CollectionsContent | None = None

    def showEvent(self, event: Any) -> None:
        """Make the content when it is first seen: QGIS shows a dock for a moment when it is added."""
        super().showEvent(event)
        if self.content is None:
            QTimer.singleShot(0, self._build_if_seen)

    def _build_if_seen(self) -> None:
        if self.isVisible():
            self.build()
            self._make_room()

    def _make_room(self) -> None:
        """QGIS gives a new dock next to nothing: take a usable part of the window, once, and leave what the user chose."""
        window, line = self._iface.mainWindow(), self.fontMetrics().height()
        if self.isFloating() or window.dockWidgetArea(self) == Qt.DockWidgetArea.NoDockWidgetArea:
            return
        if self.width() < 24 * line:
            window.resizeDocks([self], [28 * line], Qt.Orientation.Horizontal)
        if self.height() < 20 * line:
            window.resizeDocks([self], [window.height() * 3 // 5], Qt.Orientation.Vertical)

    def build(self) -> CollectionsContent:
        """Return the content, made on the first call."""
        if self.content is None:
            from epoch_plugin.ui.collections.content import CollectionsContent
            from epoch_plugin.ui.collections.controller import CollectionsController

            self.controller = CollectionsController(self._runs)
            self.content = CollectionsContent(self.controller, self._iface, self)
            self.content.results_ready.connect(self.results_ready)
            self.setWidget(self.content)
            self.controller.start()
        return self.content

    def running_jobs(self) -> list[str]:
        """Return the ids of the jobs that this QGIS computes now."""
        return self.controller.running_job_ids() if self.controller else []

    def stop(self) -> None:
        """Stop watching and close panels; what the dock put on the map goes with them."""
        if self.content is not None:
            self.controller.stop()
            self.content.close_panels()
