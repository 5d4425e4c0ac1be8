"""Where the plugin's data lies: the only place that reads QGIS's settings and the environment."""

from __future__ import annotations

import os

from qgis.core import QgsApplication, QgsSettings

RESOURCES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "resources")
STORE_SETTING = "epoch/store"
STORE_VARIABLE = "EPOCH_STORE"


def store_path(parameter: str = "") -> str:
    """Return the store's path: the parameter, else EPOCH_STORE, else the setting, else `epoch/collections.gpkg` in the profile."""
    for candidate in (parameter, os.environ.get(STORE_VARIABLE, ""), QgsSettings().value(STORE_SETTING, "", type=str)):
        if candidate and candidate.strip():
            return os.path.abspath(os.path.expanduser(candidate.strip()))
    return os.path.join(QgsApplication.qgisSettingsDirPath(), "epoch", "collections.gpkg")


def resource(*parts: str) -> str:
    """Return the path of a file that the plugin brings along."""
    return os.path.join(RESOURCES, *parts)
