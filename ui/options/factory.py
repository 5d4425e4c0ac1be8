"""Registers the options page; its widgets are imported when the options are opened."""

from __future__ import annotations

from typing import Any

from qgis.gui import QgsOptionsWidgetFactory

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.ui.common.looks import plugin_icon


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page *Epoch*."""

    def __init__(self) -> None:
        super().__init__(tr("Epoch"), plugin_icon())

    def createWidget(self, parent: Any = None) -> Any:
        """Return a page for one opening of the options."""
        from epoch_plugin.ui.options.page import OptionsPage

        return OptionsPage(parent)
