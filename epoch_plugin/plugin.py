"""The object that QGIS creates, starts and unloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.core import QgsApplication

if TYPE_CHECKING:
    from epoch_plugin.processing_algorithms.provider import EpochProvider
    from epoch_plugin.ui.desktop import Desktop


class EpochPlugin:
    """Registers the Processing provider; `iface` is None under qgis_process and is not touched before `initGui`."""

    def __init__(self, iface):
        self.iface = iface
        self.provider: EpochProvider | None = None
        self.desktop: Desktop | None = None

    def initProcessing(self) -> None:
        """Add the provider; called by qgis_process, and by `initGui` in the desktop."""
        from epoch_plugin.processing_algorithms.provider import EpochProvider

        provider = EpochProvider()
        # A registry that already has an `epoch` provider deletes the second object: keep no reference to it.
        if QgsApplication.processingRegistry().addProvider(provider):
            self.provider = provider
            # The shipped models name the provider's own algorithms, which are found only once it is registered.
            provider.refreshAlgorithms()

    def initGui(self) -> None:
        """Start in the desktop; widgets are imported only here."""
        from epoch_plugin.ui.desktop import Desktop

        self.initProcessing()
        self.desktop = Desktop(self.iface)
        self.desktop.start()

    def unload(self) -> None:
        """Remove everything that was added to QGIS."""
        if self.desktop is not None:
            self.desktop.stop()
            self.desktop = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
