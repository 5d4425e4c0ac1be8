"""Translation of the texts that a user reads."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication


def tr(text: str, context: str = "Epoch") -> str:
    """Return `text` in QGIS's language, or as it stands where no translation is loaded."""
    return QCoreApplication.translate(context, text)
