"""The window of reports and projects: two dates, both empty for the newest one."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.processing_algorithms.base import EpochAlgorithm

MONITORING_START, MONITORING_END = "MONITORING_START", "MONITORING_END"


def add_window(algorithm: EpochAlgorithm) -> None:
    """Declare the two dates."""
    algorithm.add_date(MONITORING_START, algorithm.tr("Window starts (empty: the newest window)"))
    algorithm.add_date(MONITORING_END, algorithm.tr("Window ends"))


def read_window(algorithm: EpochAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str | None, str | None]:
    """Return both dates as ISO text, or None and None; raise `InputError` where only one is given or the end comes first."""
    start = algorithm.date(parameters, MONITORING_START, context)
    end = algorithm.date(parameters, MONITORING_END, context)
    if (start is None) != (end is None):
        raise InputError("Give both MONITORING_START and MONITORING_END, or neither for the newest window.")
    if start is None or end is None:
        return None, None
    MonitoringWindow(start, end)
    return start.isoformat(), end.isoformat()
