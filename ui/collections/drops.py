"""What was dropped on the dock: a file of plots, or a layer of the project or the browser."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsMimeDataUtils, QgsProject, QgsVectorLayer


def dropped(mime: Any) -> tuple[str, QgsVectorLayer | None]:
    """Return (path of a file, None) or ("", layer of the project); ("", None) for what is neither."""
    if QgsMimeDataUtils.isUriList(mime):
        for uri in QgsMimeDataUtils.decodeUriList(mime):
            layer = QgsProject.instance().mapLayer(uri.layerId) if uri.layerId else None
            if isinstance(layer, QgsVectorLayer):
                return "", layer
            if uri.filePath or uri.layerType == "vector":
                return uri.filePath or uri.uri, None
    for url in mime.urls() if mime.hasUrls() else ():
        if url.isLocalFile():
            return url.toLocalFile(), None
    return "", None


def can_drop(mime: Any) -> bool:
    """Tell whether something that is dragged may be plots."""
    return QgsMimeDataUtils.isUriList(mime) or any(url.isLocalFile() for url in mime.urls())
