"""The Monitoring dock: a light shell that QGIS can restore; its content is made when it is first seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import Qt

from epoch_plugin.bridge.i18n import tr

if TYPE_CHECKING:
    from epoch_plugin.bridge.runs import Runs
    from epoch_plugin.ui.monitoring.content import MonitoringContent


class MonitoringDock(QgsDockWidget):
    """The dock; `content` exists once it was shown."""

    def __init__(self, iface: Any, runs: Runs):
        super().__init__(tr("Epoch monitoring"), iface.mainWindow())
        self.setObjectName("EpochMonitoringDock")
        self.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._iface, self._runs = iface, runs
        self.content: MonitoringContent | None = None

    def showEvent(self, event: Any) -> None:
        """Make the content when it is first needed, and read."""
        if self.content is None:
            self.build().look()
        super().showEvent(event)

    def build(self) -> MonitoringContent:
        """Return the content, made on the first call."""
        if self.content is None:
            from epoch_plugin.ui.monitoring.content import MonitoringContent

            self.content = MonitoringContent(self._iface, self._runs, self)
            self.setWidget(self.content)
        return self.content

    def show_collection(self, collection_id: str) -> None:
        """Open the dock on a collection, with its layers on the map."""
        content = self.build()
        self.setUserVisible(True)
        content.look(collection_id)

    def running_jobs(self) -> list[str]:
        """Return the ids of the jobs that this dock computes: none."""
        return []

    def stop(self) -> None:
        """Stop reading and let go of map and project."""
        if self.content is not None:
            self.content.stop()
