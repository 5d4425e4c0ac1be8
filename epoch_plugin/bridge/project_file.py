"""A QGIS project of a collection: results by alert in a group, what they rest on in another."""

from __future__ import annotations

import os
from collections.abc import Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessingException,
    QgsProject,
    QgsReferencedRectangle,
    QgsVectorLayer,
)

_SPACE = 0.05


def write_project(
    path: str, title: str, results: Sequence[QgsVectorLayer], background: Sequence[tuple[str, QgsMapLayer]], sources_title: str
) -> None:
    """Write a .qgz or .qgs with paths relative to it, the first result shown; raises where it cannot be written."""
    project = QgsProject()
    project.setFileName(path)
    project.writeEntryBool("Paths", "/Absolute", False)
    project.setTitle(title)
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    root = project.layerTreeRoot()
    group = root.addGroup(f"Epoch / {title}")
    for layer in results:
        project.addMapLayer(layer, False)
        group.addLayer(layer).setItemVisibilityChecked(layer is results[0])
    below = root.addGroup(sources_title)
    for name, layer in background:
        parent = below if sum(other == name for other, _ in background) == 1 else below.findGroup(name) or below.addGroup(name)
        if parent is not below:
            layer.setName(os.path.basename(layer.source()))
        project.addMapLayer(layer, False)
        node = parent.addLayer(layer)
        node.setExpanded(False)
    extent = results[0].extent()
    extent.grow(max(extent.width(), extent.height()) * _SPACE)
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(extent, results[0].crs()))
    if not project.write(path):
        raise QgsProcessingException(f"{path} cannot be written: {project.error()}")
