"""The parameter EXECUTOR: a text, as the contract has it, chosen rather than typed in dialogs."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterString

from epoch_plugin.core.executor_name import THREADS
from epoch_plugin.processing_algorithms.base import ADVANCED

# QGIS imports it by this name when it makes a dialog; qgis_process never does
WIDGET = "epoch_plugin.ui.common.executor_wrapper.ExecutorWidgetWrapper"


def executor_parameter(name: str, label: str) -> QgsProcessingParameterString:
    """Return the parameter, which is `threads` unless another is chosen."""
    parameter = QgsProcessingParameterString(name, label, THREADS)
    parameter.setFlags(parameter.flags() | ADVANCED)
    parameter.setMetadata({"widget_wrapper": WIDGET})
    return parameter
