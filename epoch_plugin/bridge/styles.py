"""How result layers look: the shipped styles, readable field names, a group per collection."""

from __future__ import annotations

from collections import deque

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingLayerPostProcessorInterface, QgsVectorLayer

from epoch_plugin.bridge.compat import move_to_group, set_layer_group
from epoch_plugin.bridge.forms import arrange_form
from epoch_plugin.bridge.sentences import SENTENCE_FIELDS
from epoch_plugin.bridge.settings import resource

# field -> style of a layer that has it; the first that fits
STYLES = {
    "deforestation_alert": "alert",
    "luc_tco2ehayear": "luc_emissions",
    "diversity_score": "diversity",
    "water_stress_index": "water_stress",
}
PLAIN_TIP = '<b>[% "plotid" %]</b> ([% format_number("area", 2) %] ha)<br>\n[% represent_value("deforestation_alert") %]'
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
    """Give a fetched layer the style of the first field that has one, and its fields their readable names."""
    names = layer.fields().names()
    for name, style in STYLES.items():
        if name in names:
            apply_named_style(layer, style, aliases)
            if style == "alert" and any(needed not in names for needed in SENTENCE_FIELDS):
                layer.setMapTipTemplate(PLAIN_TIP)
            return
    _name_fields(layer, aliases)


def apply_named_style(layer: QgsVectorLayer, style: str, aliases: dict[str, str]) -> None:
    """Give a layer one of the shipped styles, and its fields their readable names."""
    layer.loadNamedStyle(resource("styles", f"{style}.qml"))
    _name_fields(layer, aliases)


def _name_fields(layer: QgsVectorLayer, aliases: dict[str, str]) -> None:
    for index, field in enumerate(layer.fields()):
        if aliases.get(field.name()):
            layer.setFieldAlias(index, aliases[field.name()])
    arrange_form(layer)
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
