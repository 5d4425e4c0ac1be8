"""The Epoch plugin's package: `core` (no QGIS, no Qt), `bridge` (QGIS without widgets), and the plugin class."""

import os

# The mirror image of the line in the root `__init__.py`: makes the sibling folders `processing_algorithms` and `ui`
# importable as `epoch_plugin.processing_algorithms` and `epoch_plugin.ui` when this inner package is found first.
__path__.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
