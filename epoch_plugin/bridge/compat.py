"""The only branches on QGIS's version: one source serves 3.22 to 4.x."""

from __future__ import annotations

import json
from collections.abc import Sequence

from qgis.core import (
    Qgis,
    QgsAttributeEditorContainer,
    QgsAttributeEditorElement,
    QgsAttributeEditorHtmlElement,
    QgsEditFormConfig,
    QgsField,
    QgsMapLayer,
    QgsProcessingContext,
    QgsTask,
)
from qgis.PyQt.QtCore import QVariant

# The store's names for column types -> names of QVariant (before 3.38) and of QMetaType (from 3.38 on).
_TYPES = {
    "TEXT": ("String", "QString"),
    "JSON": ("String", "QString"),
    "INTEGER": ("LongLong", "LongLong"),
    "REAL": ("Double", "Double"),
    "DATE": ("Date", "QDate"),
    "DATETIME": ("DateTime", "QDateTime"),
}


def field(name: str, kind: str) -> QgsField:
    """Return a field of one of the store's column types: TEXT, JSON, INTEGER, REAL, DATE, DATETIME."""
    before, since = _TYPES[kind]
    if Qgis.QGIS_VERSION_INT >= 33800:
        from qgis.PyQt.QtCore import QMetaType

        return QgsField(name, getattr(QMetaType.Type, since))
    return QgsField(name, getattr(QVariant, before))


def set_layer_group(details: QgsProcessingContext.LayerDetails, group: str) -> bool:
    """Ask QGIS to load the layer into a layer tree group; False before 3.32, which cannot (see `move_to_group`)."""
    if Qgis.QGIS_VERSION_INT >= 33200:
        details.groupName = group
        return True
    return False


def move_to_group(layer: QgsMapLayer, context: QgsProcessingContext, group: str) -> None:
    """Move a loaded layer into a layer tree group (main thread only); does nothing from 3.32 on."""
    project = context.project()
    if Qgis.QGIS_VERSION_INT >= 33200 or project is None:
        return
    tree = project.layerTreeRoot()
    node = tree.findLayer(layer.id())
    if node is None:
        return
    target = tree.findGroup(group) or tree.insertGroup(0, group)
    target.insertChildNode(0, node.clone())
    node.parent().removeChildNode(node)


def tab_layout() -> object:
    """Return the form layout with tabs: an enum of its own until 3.30."""
    return Qgis.AttributeFormLayout.DragAndDrop if Qgis.QGIS_VERSION_INT >= 33200 else QgsEditFormConfig.EditorLayout.TabLayout


def as_tab(container: QgsAttributeEditorContainer) -> None:
    """Make a container of a form a tab."""
    if Qgis.QGIS_VERSION_INT >= 33200:
        container.setType(Qgis.AttributeEditorContainerType.Tab)
    else:
        container.setIsGroupBox(False)


def sheet_element(name: str, rows: Sequence[str], parent: QgsAttributeEditorContainer) -> QgsAttributeEditorElement:
    """Return a form's element that shows a table; each row is an expression that gives HTML.

    QGIS has a widget for text with expressions since 3.30; before, its HTML widget asks for them from a script.
    """
    if Qgis.QGIS_VERSION_INT >= 33000:
        from qgis.core import QgsAttributeEditorTextElement

        element = QgsAttributeEditorTextElement(name, parent)
        element.setText("<table>" + "".join(f"[% {row} %]" for row in rows) + "</table>")
    else:
        element = QgsAttributeEditorHtmlElement(name, parent)
        scripts = "".join(f"<script>document.write(expression.evaluate({json.dumps(row)}));</script>" for row in rows)
        style = "<style>body { margin: 0 } table { font: 10pt sans-serif } td { padding-right: 1em; vertical-align: top }</style>"
        element.setHtmlCode(f"{style}<table>{scripts}</table>")
    element.setShowLabel(False)
    return element


# Small tasks that only read something: unlisted where QGIS knows how (3.26 and later).
QUIET_TASK = QgsTask.Flag.CanCancel | QgsTask.Flag.Hidden if Qgis.QGIS_VERSION_INT >= 32600 else QgsTask.Flag.CanCancel


def layer_group(details: QgsProcessingContext.LayerDetails) -> str:
    """Return the layer tree group that a result asks for; empty before 3.32, where post-processing moves it."""
    return details.groupName if Qgis.QGIS_VERSION_INT >= 33200 else ""
