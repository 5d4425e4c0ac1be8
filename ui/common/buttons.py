"""Buttons that look, read and react alike."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import QToolButton, QWidget

from epoch_plugin.ui.common.looks import theme_icon


def tool_button(parent: QWidget, text: str, icon: str, tip: str, key: Any = None) -> QToolButton:
    """Return a tool button with QGIS's icon; without a text, the tip is what a screen reader says."""
    button = QToolButton(parent)
    button.setIcon(theme_icon(icon))
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(text or tip)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly)
    if key is not None:
        button.setShortcut(QKeySequence(key))
    return button
