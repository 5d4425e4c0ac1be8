"""The panel *Details*: what is known of a collection or job, with errors, reports and provenance."""

from __future__ import annotations

from typing import Any, Callable

from qgis.gui import QgsPanelWidget
from qgis.PyQt.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.tasks import BackgroundTask, in_background


class DetailsPanel(QgsPanelWidget):
    """Shows the HTML that `read` (in the background) and `write` (its result to HTML) give."""

    def __init__(self, title: str, read: Callable[[Any], Any], write: Callable[[Any], str], parent: QWidget | None = None):
        super().__init__(parent)
        self.setPanelTitle(title)
        self.text = QTextBrowser(self)
        self.text.setOpenExternalLinks(True)
        self.text.setAccessibleName(title)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        self._write = write
        self._reading: BackgroundTask | None = in_background(tr("Reading details"), read, self._show, quiet=True)

    def stop(self) -> None:
        """Nobody waits for the details any more."""
        if self._reading is not None:
            self._reading.forget()
            self._reading = None

    def _show(self, values: Any, error: str | None) -> None:
        self._reading = None
        if error is None:
            self.text.setHtml(self._write(values))
        else:
            self.text.setPlainText(error)
