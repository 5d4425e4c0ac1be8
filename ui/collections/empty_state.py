"""What a new user sees: what to do next."""

from __future__ import annotations

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QLabel, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.ui.common.looks import plugin_icon


class EmptyState(QWidget):
    """Shown while the store holds no collection; a link emits `asked`."""

    asked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        picture = QLabel(self)
        side = 4 * self.fontMetrics().height()
        picture.setPixmap(plugin_icon().pixmap(QSize(side, side)))
        picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(picture)
        self.title = self._label(f"<b>{tr('No collections yet')}</b>")
        self.text = self._label(tr("Drop a file of plots or a layer here, or press Add plots. Everything stays on this computer."))
        links = f"<a href='sample'>{tr('Try it with the sample')}</a><br/><br/><a href='howto'>{tr('How to get datasets')}</a>"
        self.links = self._label(links)
        self.links.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByKeyboard | Qt.TextInteractionFlag.LinksAccessibleByMouse)
        self.links.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.links.linkActivated.connect(self.asked)
        self.place = self._label("")
        for label in (self.title, self.text, self.links, self.place):
            layout.addWidget(label)
        layout.addStretch(2)

    def show_store(self, path: str, loaded: bool) -> None:
        """Name the store that is empty; before it was looked at, say so."""
        self.title.setText(f"<b>{tr('No collections yet') if loaded else tr('Looking at the collections…')}</b>")
        self.place.setText(tr("Store: {path}").format(path=path))

    def _label(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        return label
