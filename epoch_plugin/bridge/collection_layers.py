"""A collection's results as layers of the project: one group, one set of plots, five ways to look at it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qgis.core import QgsApplication, QgsLayerTreeGroup, QgsLayerTreeLayer, QgsProject, QgsVectorLayer

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.store_session import hold
from epoch_plugin.bridge.styles import apply_named_style

COLLECTION_PROPERTY, STYLE_PROPERTY = "epoch/collection", "epoch/style"


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a group: the style, the statistic whose view it shows, and its title."""

    style: str
    statistic: str
    title: str


SPECS = (
    LayerSpec("alert", "eudr_deforestation", "Alert"),
    LayerSpec("confidence", "eudr_deforestation", "Confidence"),
    LayerSpec("luc_emissions", "luc_emissions", "LUC emissions"),
    LayerSpec("diversity", "biodiversity", "Diversity"),
    LayerSpec("water_stress", "water", "Water stress"),
)
ALERT = SPECS[0]


def group_name(collection_name: str) -> str:
    """Return the name of a collection's layer group."""
    return f"Epoch / {collection_name}"


def open_layers(path: str, collection_id: str, loaded: frozenset[str] = frozenset()) -> Callable[[Any], list[QgsVectorLayer]]:
    """Return the work (for a background task) that opens every layer with rows whose style is not in `loaded`, styled, handed to the main thread.

    A view without rows is left out: GDAL cannot tell its columns (see docs/architecture.md, store).
    """

    def work(_progress: Any) -> list[QgsVectorLayer]:
        from epoch_plugin.core.monitoring.scope import statistics_with_rows
        from epoch_plugin.core.store.store import Store

        if not os.path.exists(path):
            return []
        hold(path)
        filled = statistics_with_rows(Store(path), collection_id)
        layers = [_open(path, collection_id, spec) for spec in SPECS if spec.statistic in filled and spec.style not in loaded]
        for layer in layers:
            layer.moveToThread(QgsApplication.instance().thread())
        return layers

    return work


def _open(path: str, collection_id: str, spec: LayerSpec) -> QgsVectorLayer:
    # The filter is part of the address: setSubsetString opens the file once more and flips its journal mode under the layers that
    # are open already, whose next count then fails. The id is ours: 0x and hexadecimal digits.
    source = f"{path}|layername=view_{spec.statistic}|subset=\"collection_id\" = '{collection_id}'"
    layer = QgsVectorLayer(source, tr(spec.title), "ogr")
    apply_named_style(layer, spec.style, aliases(spec.statistic))
    layer.setReadOnly(True)
    layer.setCustomProperty(COLLECTION_PROPERTY, collection_id)
    layer.setCustomProperty(STYLE_PROPERTY, spec.style)
    return layer


def aliases(statistic: str) -> dict[str, str]:
    """Return the readable names, with units, of the columns of a statistic's view."""
    from epoch_plugin.core.store.schema import TABLES

    columns = (*TABLES["plots"].columns, *TABLES[f"stat_{statistic}"].columns)
    return {column.name: f"{column.alias} ({column.unit})" if column.unit else column.alias for column in columns if column.alias}


def layers_of(project: QgsProject, collection_id: str) -> dict[str, QgsVectorLayer]:
    """Return the project's layers of a collection, by style."""
    layers = [layer for layer in project.mapLayers().values() if layer.customProperty(COLLECTION_PROPERTY) == collection_id]
    return {str(layer.customProperty(STYLE_PROPERTY)): layer for layer in layers}


def add_layers(project: QgsProject, collection_name: str, layers: list[QgsVectorLayer]) -> list[QgsVectorLayer]:
    """Put opened layers into the collection's group, in their order; only the alerts are shown at first (main thread).

    Returns the layers of the project: where somebody else added one of them while these were being opened, that one stays alone.
    """
    if not layers:
        return []
    group = find_or_add_group(project, collection_name)
    order = [spec.style for spec in SPECS]
    collection_id = str(layers[0].customProperty(COLLECTION_PROPERTY))
    known = layers_of(project, collection_id)
    for layer in [layer for layer in layers if str(layer.customProperty(STYLE_PROPERTY)) not in known]:
        project.addMapLayer(layer, False)
        style = str(layer.customProperty(STYLE_PROPERTY))
        before = [child for child in group.findLayers() if child.layer() and order.index(_style_of(child)) < order.index(style)]
        node = group.insertLayer(len(before), layer)
        node.setItemVisibilityChecked(style == ALERT.style)
        node.setExpanded(style == ALERT.style)
    there = layers_of(project, collection_id)
    return [there[str(layer.customProperty(STYLE_PROPERTY))] for layer in layers]


def _style_of(node: QgsLayerTreeLayer) -> str:
    style = str(node.layer().customProperty(STYLE_PROPERTY, ALERT.style))
    return style if style in {spec.style for spec in SPECS} else ALERT.style


def find_or_add_group(project: QgsProject, collection_name: str) -> QgsLayerTreeGroup:
    """Return a collection's group, on top of the layer tree if it is new."""
    root = project.layerTreeRoot()
    return root.findGroup(group_name(collection_name)) or root.insertGroup(0, group_name(collection_name))


def show_only(project: QgsProject, collection_id: str, style: str) -> None:
    """Show one layer of a collection and hide its others (main thread)."""
    for name, layer in layers_of(project, collection_id).items():
        node = project.layerTreeRoot().findLayer(layer.id())
        if node is not None:
            node.setItemVisibilityChecked(name == style)


def reload_layers(project: QgsProject, collection_id: str) -> None:
    """Read the layers of a collection again after a job committed (main thread)."""
    for layer in layers_of(project, collection_id).values():
        layer.dataProvider().reloadData()
        layer.triggerRepaint()


def remove_layers(project: QgsProject, collection_id: str, collection_name: str) -> None:
    """Take a collection's layers and its empty group out of the project (main thread)."""
    project.removeMapLayers([layer.id() for layer in layers_of(project, collection_id).values()])
    group = project.layerTreeRoot().findGroup(group_name(collection_name))
    if group is not None and not group.findLayers():
        group.parent().removeChildNode(group)
