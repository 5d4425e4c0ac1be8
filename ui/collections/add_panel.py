"""The panel *Add plots*: file or layer, what was recognised in it, and what cannot be staged."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from qgis.core import QgsCoordinateReferenceSystem, QgsMapLayerProxyModel, QgsProject, QgsVectorLayer
from qgis.gui import QgsFileWidget, QgsMapLayerComboBox, QgsPanelWidget, QgsProjectionSelectionWidget
from qgis.PyQt.QtCore import QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import FIXED_SPACE, counted
from epoch_plugin.bridge.preview import preview_of_file, preview_of_layer
from epoch_plugin.bridge.sentences import plots_in_words
from epoch_plugin.bridge.tasks import BackgroundTask, in_background
from epoch_plugin.ui.collections.bad_features import BadFeatures
from epoch_plugin.ui.collections.preview_map import PreviewMap
from epoch_plugin.ui.collections.texts import count

if TYPE_CHECKING:
    from epoch_plugin.core.preview import PlotsPreview

FILES = "*.geojson *.json *.geojsonl *.ndjson *.csv *.tsv *.txt *.xlsx *.shp *.zip *.gpkg *.parquet *.geoparquet *.kml *.kmz"
CROPS = ("palm", "cocoa", "rubber", "coffee", "soy", "cattle", "timber")
SYSTEMS = ("smallholder", "estate")
WAIT_MS = 400  # typing settles before the file is read again


class AddPanel(QgsPanelWidget):
    """Emits `stage(parameters, then upload)`: the parameters of epoch:stageplots as the user left them."""

    stage = pyqtSignal(dict, bool)

    def __init__(self, canvas: Any, parent: QWidget | None = None):
        super().__init__(parent)
        self.setPanelTitle(tr("Add plots"))
        self.preview: PlotsPreview | None = None
        self._looking: BackgroundTask | None = None
        self._own_name = ""
        self._map = PreviewMap(canvas)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(WAIT_MS)
        self._wait.timeout.connect(self._look)
        self._build()
        self._show_preview(None)

    # what is staged

    def set_file(self, path: str) -> None:
        """Choose a file."""
        self.layer.setLayer(None)
        self.file.setFilePath(path)

    def set_layer(self, layer: QgsVectorLayer) -> None:
        """Choose a layer of the project."""
        self.file.setFilePath("")
        self.layer.setLayer(layer)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of epoch:stageplots."""
        crs = self.crs.crs()
        chosen = {"INPUT_FILE": self.file.filePath()} if self.file.filePath() else {"INPUT": self.layer.currentLayer().id()}
        return {
            **chosen,
            "COLLECTION_NAME": self.name.text().strip(),
            "DESCRIPTION": self.description.text().strip(),
            "CROP_TYPE": self.crop.currentText().strip(),
            "SYSTEM_TYPE": self.system.currentData(),
            "COUNTRY": self.country.text().strip(),
            "PLOT_ID_FIELD": self.id_field.currentData() or "",
            "CRS": crs if crs.isValid() else None,
            "FIX_GEOMETRIES": self.mend.isChecked(),
        }

    def stop(self) -> None:
        """Forget the look that is on its way and clear the map."""
        self._wait.stop()
        if self._looking is not None:
            self._looking.forget()
            self._looking = None
        self._map.clear()

    # the form

    def _build(self) -> None:
        self.file = QgsFileWidget(self)
        self.file.setFilter(tr("Plots ({patterns})").format(patterns=FILES) + ";;" + tr("All files (*)"))
        self.file.lineEdit().setPlaceholderText(tr("GeoJSON, CSV, Shapefile, GeoPackage, GeoParquet, KML, Excel"))
        self.file.fileChanged.connect(self._source_changed)
        self.layer = QgsMapLayerComboBox(self)
        self.layer.setAllowEmptyLayer(True)
        self.layer.setFilters(QgsMapLayerProxyModel.Filter.VectorLayer)
        self.layer.setLayer(None)
        self.layer.layerChanged.connect(self._layer_changed)
        self.name, self.description, self.country = QLineEdit(self), QLineEdit(self), QLineEdit(self)
        self.name.textChanged.connect(self._show_buttons)
        self.crop, self.system, self.id_field = QComboBox(self), QComboBox(self), QComboBox(self)
        self.crop.setEditable(True)
        self.crop.addItems(["", *CROPS])
        for text, value in (("", ""), *((word, word) for word in SYSTEMS)):
            self.system.addItem(text, value)
        self.id_field.activated.connect(self._look_later)
        self.crs = QgsProjectionSelectionWidget(self)
        self.crs.setOptionVisible(QgsProjectionSelectionWidget.CrsOption.CrsNotSet, True)
        self.crs.setCrs(QgsCoordinateReferenceSystem())
        self.crs.crsChanged.connect(self._look_later)
        self.mend = QCheckBox(tr("Mend bad geometries and say what was changed"), self)
        self.mend.toggled.connect(self._look_later)
        self.found = QLabel(self)
        self.found.setWordWrap(True)
        self.bad = BadFeatures(self)
        self.bad.zoom.connect(self._map.zoom_to)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, widget in (
            (tr("&File"), self.file), (tr("or &layer"), self.layer), ("", self.found), (tr("&Name"), self.name),
            (tr("Plot &id from"), self.id_field), (tr("C&RS, if it has none"), self.crs), (tr("&Commodity"), self.crop),
            (tr("C&ountry"), self.country), (tr("S&ystem"), self.system), (tr("&Description"), self.description), ("", self.mend), ("", self.bad),
        ):  # fmt: skip
            form.addRow(label, widget)
            if label:
                widget.setAccessibleName(label.replace("&", ""))
        self._layout(form)

    def _layout(self, form: QFormLayout) -> None:
        inner = QWidget(self)
        inner.setLayout(form)
        scroll = QScrollArea(self)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.stage_button = QPushButton(tr("&Stage"), self)
        self.stage_button.setToolTip(tr("Check every feature and keep the plots as a collection"))
        self.stage_button.clicked.connect(lambda: self.stage.emit(self.parameters(), False))
        self.upload_button = QPushButton(tr("Stage and &upload"), self)
        self.upload_button.setToolTip(tr("Stage, then check the locations and release the plots for processing"))
        self.upload_button.clicked.connect(lambda: self.stage.emit(self.parameters(), True))
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.stage_button)
        buttons.addWidget(self.upload_button)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll, 1)
        layout.addLayout(buttons)

    # the look

    def _layer_changed(self, layer: Any) -> None:
        if layer is not None and self.file.filePath():
            self.file.setFilePath("")
        self._source_changed()

    def _source_changed(self, *_: Any) -> None:
        if self.file.filePath() and self.layer.currentLayer() is not None:
            self.layer.setLayer(None)
        self.id_field.clear()
        self._suggest_name()
        self._look_later()

    def _suggest_name(self) -> None:
        """Name the collection after its source, unless the user named it."""
        if self.name.text() not in ("", self._own_name):
            return
        layer = self.layer.currentLayer()
        stem = os.path.splitext(os.path.basename(self.file.filePath()))[0] if self.file.filePath() else layer.name() if layer else ""
        self._own_name = re.sub(r"\s+", "_", stem.strip())
        self.name.setText(self._own_name)

    def _look_later(self, *_: Any) -> None:
        if self._looking is not None:
            self._looking.forget()
            self._looking = None
        self._show_preview(None, tr("Reading…") if self._has_source() else "")
        self._wait.start()

    def _look(self) -> None:
        if not self._has_source():
            return
        crs = self.crs.crs()
        given = (self.id_field.currentData() or "", crs.authid() or crs.toWkt() if crs.isValid() else "", self.mend.isChecked())
        path, layer = self.file.filePath(), self.layer.currentLayer()
        work = preview_of_file(path, *given) if path else preview_of_layer(layer, *given)
        self._looking = in_background(tr("Looking at {name}").format(name=self.name.text()), work, self._looked)

    def _looked(self, preview: PlotsPreview | None, error: str | None) -> None:
        self._looking = None
        self._show_preview(preview, error or "")

    def _has_source(self) -> bool:
        return bool(self.file.filePath()) or self.layer.currentLayer() is not None

    def _show_preview(self, preview: PlotsPreview | None, text: str = "") -> None:
        self.preview = preview
        self._map.show(preview)
        self.bad.show_features(preview.bad if preview else ())
        if preview is None:
            self.found.setText(text or tr("Choose a file or a layer, or drop one on this panel."))
        else:
            self.found.setText(_recognised(preview))
            self._fill(preview)
        self._show_buttons()

    def _fill(self, preview: PlotsPreview) -> None:
        """Offer what was recognised; what the user has typed stays."""
        if not self.id_field.count():
            self.id_field.addItem(tr("{field} (recognised)").format(field=preview.id_field) if preview.id_field else tr("row number"), "")
            for name in preview.fields:
                self.id_field.addItem(name, name)
        if not self.crop.currentText():
            self.crop.setCurrentText(preview.crop_type)
        if not self.country.text():
            self.country.setText(preview.country)

    def _show_buttons(self) -> None:
        ready = self.preview is not None and self.preview.plots > 0 and bool(self.name.text().strip())
        self.stage_button.setEnabled(ready)
        self.upload_button.setEnabled(ready)


def _recognised(preview: PlotsPreview) -> str:
    """Say what was found: number and kind of plots, area, CRS, and what must be known before staging."""
    polygons, points = preview.plots - preview.points, preview.points
    words = [counted(polygons, tr("1 polygon"), tr("{n} polygons"))] if polygons else []
    words += [counted(points, tr("1 point"), tr("{n} points"))] if points else []
    kinds = f" ({', '.join(words)})" if words else ""
    lines = [f"<b>{plots_in_words(preview.plots)}</b>{kinds}, {count(preview.area_ha, 1)}{FIXED_SPACE}ha"]
    accuracy = tr("accuracy unknown") if preview.accuracy_m is None else tr("accuracy {m} m").format(m=f"{preview.accuracy_m:g}")
    lines.append(preview.crs if preview.accuracy_m == 0 else f"{preview.crs}: {preview.transformation}, {accuracy}")
    if preview.assumed_areas:
        one = tr("1 point declares no area: a standard area is assumed")
        lines.append(counted(preview.assumed_areas, one, tr("{n} points declare no area: a standard area is assumed for each")))
    if preview.duplicate_ids:
        one = tr("1 plot repeats the id of another; both are kept")
        lines.append(counted(preview.duplicate_ids, one, tr("{n} plots repeat the id of another; all are kept")))
    if preview.mended:
        lines.append(counted(preview.mended, tr("1 geometry was mended"), tr("{n} geometries were mended")))
    if preview.bad:
        one = tr("<b>1 feature cannot be staged</b>; the reason is listed below")
        lines.append(counted(len(preview.bad), one, tr("<b>{n} features cannot be staged</b>; the reasons are listed below")))
    return "<br/>".join(lines)


def project_layer(layer_id: str) -> QgsVectorLayer | None:
    """Return a vector layer of the project by its id."""
    layer = QgsProject.instance().mapLayer(layer_id)
    return layer if isinstance(layer, QgsVectorLayer) else None
