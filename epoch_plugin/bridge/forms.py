"""The attribute form of result layers: tabs for the result in words, the values as they are stored, the evidence, and the plot."""

from __future__ import annotations

from qgis.core import QgsAttributeEditorContainer, QgsAttributeEditorField, QgsEditFormConfig, QgsEditorWidgetSetup, QgsVectorLayer

from epoch_plugin.bridge.compat import as_tab, sheet_element, tab_layout
from epoch_plugin.bridge.form_sheet import is_number, sheet_rows
from epoch_plugin.bridge.i18n import tr

PLOT = ("plotid", "area", "facility_id", "collection_id", "uuid", "ingestion_date", "soliditysha3_256_hash", "metadata")
EVIDENCE = (
    "assessed_end", "valid_fraction", "reasons", "coverage", "agreement", "system_defor", "uncertainty_rrmse", "monitoring_start", "monitoring_end",
    "stock_years", "job_id",
)  # fmt: skip
HIDDEN = ("fid", "geom")
UNREAD = ("job_id",)  # of the evidence: nothing that a reader of the result looks for
LONG = ("reasons", "coverage", "agreement", "overlap", "annual_defor", "system_defor", "metadata", "extra")


def arrange_form(layer: QgsVectorLayer) -> None:
    """Sort a layer's fields into tabs; fields that hold objects are texts of several lines."""
    names = [name for name in layer.fields().names() if name not in HIDDEN]
    plot = [name for name in PLOT if name in names and not is_number(layer, name)]
    evidence = [name for name in EVIDENCE if name in names and not is_number(layer, name)]
    values = [name for name in names if name not in evidence and name not in plot]
    form = layer.editFormConfig()
    form.clearTabs()
    form.setLayout(tab_layout())
    form.setSuppress(QgsEditFormConfig.FeatureFormSuppress.SuppressOff)
    form.addTab(_sheet(layer, [*plot[:1], *values, *(name for name in evidence if name not in UNREAD)]))
    for title, fields in ((tr("Stored values"), values), (tr("Evidence"), evidence), (tr("Plot"), plot)):
        if fields:
            form.addTab(_tab(layer, title, fields))
    layer.setEditFormConfig(form)
    for name in names:  # texts, dates too: QGIS's dark theme greys the widgets of a read-only layer out until nothing can be read
        many_lines = name in LONG or name.startswith("annual_")
        layer.setEditorWidgetSetup(layer.fields().indexOf(name), QgsEditorWidgetSetup("TextEdit", {"IsMultiline": many_lines}))


def _sheet(layer: QgsVectorLayer, names: list[str]) -> QgsAttributeEditorContainer:
    tab = QgsAttributeEditorContainer(tr("Result"), None)
    as_tab(tab)
    tab.addChildElement(sheet_element(tr("Result"), sheet_rows(layer, names), tab))
    return tab


def _tab(layer: QgsVectorLayer, title: str, names: list[str]) -> QgsAttributeEditorContainer:
    tab = QgsAttributeEditorContainer(title, None)
    as_tab(tab)
    for name in names:
        tab.addChildElement(QgsAttributeEditorField(name, layer.fields().indexOf(name), tab))
    return tab
