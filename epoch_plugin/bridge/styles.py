"""How fetched layers look: colours by alert, outline width by confidence, readable field names, a group per collection."""

from __future__ import annotations

from collections import deque

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingLayerPostProcessorInterface, QgsVectorLayer

from epoch_plugin.bridge.compat import move_to_group, set_layer_group
from epoch_plugin.bridge.settings import resource

ALERT_FIELD = "deforestation_alert"
# QGIS keeps no reference to a post processor and calls it after the algorithm is gone: the last ones stay alive here.
_alive: deque[LayerStyler] = deque(maxlen=64)


class LayerStyler(QgsProcessingLayerPostProcessorInterface):
    """Styles one loaded output."""

    def __init__(self, aliases: dict[str, str], group: str, move: bool):
        super().__init__()
        self._aliases, self._group, self._move = aliases, group, move

    def postProcessLayer(self, layer: QgsVectorLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Apply style, aliases and group (QGIS calls this in the main thread once the layer is loaded)."""
        if not isinstance(layer, QgsVectorLayer):
            return
        apply_style(layer, self._aliases)
        if self._move:
            move_to_group(layer, context, self._group)


def apply_style(layer: QgsVectorLayer, aliases: dict[str, str]) -> None:
    """Give a fetched layer the alert style (where it has the field) and its fields their readable names."""
    if layer.fields().indexOf(ALERT_FIELD) >= 0:
        layer.loadNamedStyle(resource("styles", "alert.qml"))
    for index, field in enumerate(layer.fields()):
        if aliases.get(field.name()):
            layer.setFieldAlias(index, aliases[field.name()])
    layer.triggerRepaint()


def style_on_load(context: QgsProcessingContext, destination: str, name: str, group: str, aliases: dict[str, str]) -> None:
    """Arrange that an output is named, grouped and styled when QGIS loads it; does nothing where it is not loaded."""
    if not context.willLoadLayerOnCompletion(destination):
        return
    details = context.layerToLoadOnCompletionDetails(destination)
    details.name = name
    styler = LayerStyler(aliases, group, move=not set_layer_group(details, group))
    _alive.append(styler)
    details.setPostProcessor(styler)
