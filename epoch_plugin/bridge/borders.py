"""The country borders that QGIS brings along."""

from __future__ import annotations

import os

from qgis.core import QgsApplication


def world_map() -> str | None:
    """Return the path of QGIS's bundled `world_map.gpkg` (layer `countries`, field `iso_a2`), or None where it is not installed.

    Never open it as a QGIS layer: QGIS rewrites a GeoPackage that it merely opens.
    """
    path = os.path.join(QgsApplication.pkgDataPath(), "resources", "data", "world_map.gpkg")
    return path if os.path.isfile(path) else None
