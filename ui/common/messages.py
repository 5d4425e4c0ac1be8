"""Messages in QGIS's message bar; long ones with Details, in a window that blocks nothing."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr

LONG = 120  # characters that fit into the bar


def show_error(bar: QgsMessageBar, title: str, text: str) -> None:
    """Show what went wrong; it stays until it is closed."""
    _show(bar, title, text, Qgis.MessageLevel.Critical, 0)


def show_warning(bar: QgsMessageBar, title: str, text: str) -> None:
    """Show what must be read although the result is usable."""
    _show(bar, title, text, Qgis.MessageLevel.Warning, 15)


def show_note(bar: QgsMessageBar, title: str, text: str) -> None:
    """Show what was done."""
    _show(bar, title, text, Qgis.MessageLevel.Success, 8)


def _show(bar: QgsMessageBar, title: str, text: str, level: Any, seconds: int) -> None:
    first = text.strip().splitlines()[0] if text.strip() else ""
    short = first if len(first) <= LONG else first[: LONG - 1].rstrip() + "…"
    item = bar.createMessage(title, short)
    if short != text.strip():
        button = QPushButton(tr("Details"), item)
        button.clicked.connect(lambda: show_text(bar.window(), title, text))
        item.layout().addWidget(button)
    bar.pushWidget(item, level, seconds)


def show_text(parent: QWidget, title: str, text: str) -> QDialog:
    """Show a long text in a window of its own that blocks nothing."""
    dialog = QDialog(parent)
    dialog.setObjectName("EpochDetails")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    edit = QPlainTextEdit(text, dialog)
    edit.setReadOnly(True)
    edit.setAccessibleName(title)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    buttons.rejected.connect(dialog.close)
    layout = QVBoxLayout(dialog)
    layout.addWidget(edit)
    layout.addWidget(buttons)
    size = dialog.fontMetrics().height()
    dialog.resize(36 * size, 16 * size)
    dialog.show()
    return dialog
