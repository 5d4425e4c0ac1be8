"""Epoch for QGIS: what happened on farm plots since 31 December 2020."""

import os

# One import name in QGIS, in tests and on a cluster node: whichever of the two `epoch_plugin` packages is found
# first (this folder, as QGIS installs it, or the inner one), the other's modules are reachable under the same name.
__path__.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "epoch_plugin"))


def classFactory(iface):
    """Return the plugin object that QGIS drives; `iface` is None under qgis_process."""
    from epoch_plugin.plugin import EpochPlugin

    return EpochPlugin(iface)
