"""The attribute form of result layers: tabs for the result, the evidence behind it, and the plot; names carry their units."""

from __future__ import annotations

from qgis.core import QgsAttributeEditorContainer, QgsAttributeEditorField, QgsEditFormConfig, QgsEditorWidgetSetup, QgsVectorLayer

from epoch_plugin.bridge.compat import as_tab, tab_layout
from epoch_plugin.bridge.i18n import tr

PLOT = ("plotid", "area", "facility_id", "collection_id", "uuid", "ingestion_date", "soliditysha3_256_hash", "metadata")
EVIDENCE = (
    "assessed_end", "valid_fraction", "reasons", "coverage", "agreement", "system_defor", "uncertainty_rrmse", "monitoring_start", "monitoring_end",
    "stock_years", "job_id",
)  # fmt: skip
HIDDEN = ("fid", "geom")
LONG = ("reasons", "coverage", "agreement", "overlap", "annual_defor", "system_defor", "metadata", "extra")


def arrange_form(layer: QgsVectorLayer) -> None:
    """Sort a layer's fields into tabs; fields that hold objects are texts of several lines."""
    names = [name for name in layer.fields().names() if name not in HIDDEN]
    evidence = [name for name in EVIDENCE if name in names]
    plot = [name for name in PLOT if name in names]
    result = [name for name in names if name not in evidence and name not in plot]
    form = layer.editFormConfig()
    form.clearTabs()
    form.setLayout(tab_layout())
    form.setSuppress(QgsEditFormConfig.FeatureFormSuppress.SuppressOff)
    for title, fields in ((tr("Result"), [*plot[:2], *result]), (tr("Evidence"), evidence), (tr("Plot"), plot)):
        if fields:
            form.addTab(_tab(layer, title, fields))
    layer.setEditFormConfig(form)
    for name in names:  # texts, dates too: QGIS's dark theme greys the widgets of a read-only layer out until nothing can be read
        many_lines = name in LONG or name.startswith("annual_")
        layer.setEditorWidgetSetup(layer.fields().indexOf(name), QgsEditorWidgetSetup("TextEdit", {"IsMultiline": many_lines}))


def _tab(layer: QgsVectorLayer, title: str, names: list[str]) -> QgsAttributeEditorContainer:
    tab = QgsAttributeEditorContainer(title, None)
    as_tab(tab)
    for name in names:
        tab.addChildElement(QgsAttributeEditorField(name, layer.fields().indexOf(name), tab))
    return tab
