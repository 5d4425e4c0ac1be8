"""Results of an algorithm run into the project, as Processing's own dialog does after it."""

from __future__ import annotations

from qgis.core import QgsMapLayer, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingUtils, QgsProject

from epoch_plugin.bridge.compat import layer_group


def load_results(context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> list[QgsMapLayer]:
    """Add the layers that a finished run wants loaded, named, grouped and styled; main thread only."""
    project = context.project() or QgsProject.instance()
    loaded = []
    for destination, details in context.layersToLoadOnCompletion().items():
        layer = QgsProcessingUtils.mapLayerFromString(destination, context, True, details.layerTypeHint)
        if layer is None:
            continue
        details.setOutputLayerName(layer)
        own = context.temporaryLayerStore().takeMapLayer(layer)
        group = layer_group(details)
        project.addMapLayer(own or layer, not group)
        if group:
            root = project.layerTreeRoot()
            (root.findGroup(group) or root.insertGroup(0, group)).insertLayer(0, own or layer)
        if details.postProcessor():
            details.postProcessor().postProcessLayer(own or layer, context, feedback)
        loaded.append(own or layer)
    return loaded
