"""The Datasets window driven as a user drives it; every action of the long binding is counted."""

from __future__ import annotations

import json

import pytest
from osgeo import gdal, ogr, osr
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QFileDialog, QMessageBox, QWidget

from epoch_plugin.bridge.settings import resource

WAIT = 60_000
COMMODITIES = ("palm", "cocoa", "rubber", "coffee", "soy", "cattle", "timber")


@pytest.fixture
def parent(plugin):
    widget = QWidget()
    yield widget
    widget.deleteLater()


@pytest.fixture
def open_window(parent, store, qtbot):
    from epoch_plugin.ui.datasets.window import DatasetsWindow

    windows = []

    def make(path=""):
        window = DatasetsWindow(str(path), store, [], parent)
        window.show()
        windows.append(window)
        return window

    yield make
    for window in windows:
        window.stop()
    qtbot.waitUntil(lambda: not QgsApplication.taskManager().countActiveTasks(), timeout=WAIT)


def raster(path, value=1, kind=gdal.GDT_Byte):
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 4, 4, 1, kind)
    dataset.SetGeoTransform((-6.6, 0.001, 0, 7.5, 0, -0.001))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    dataset.SetProjection(reference.ExportToWkt())
    dataset.GetRasterBand(1).Fill(value)


def vector(path):
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    layer = dataset.CreateLayer("areas", reference, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("STATUS", ogr.OFTString))
    feature = ogr.Feature(layer.GetLayerDefn())
    feature["STATUS"] = "Designated"
    feature.SetGeometry(ogr.CreateGeometryFromWkt("POLYGON((-6.6 7.4,-6.5 7.4,-6.5 7.5,-6.6 7.5,-6.6 7.4))"))
    layer.CreateFeature(feature)


def forty_layers(folder):
    """Write 40 layers on several grids' worth of names, as a user's disk holds them."""
    names = [f"tmf/JRC_TMF_AnnualChange_v1_{year}_AFR.tif" for year in range(2020, 2026)]
    names += [f"dw/dynamic_world_{year}.tif" for year in range(2020, 2026)]
    names += [f"biomass/ESACCI-BIOMASS-L4-AGB-MERGED-100m-{year}-fv6.0.tif" for year in (2018, 2020, 2021, 2022)]
    names += [f"biomass/ESACCI-BIOMASS-L4-AGB_SD-MERGED-100m-{year}-fv6.0.tif" for year in (2018, 2020, 2021, 2022)]
    names += [f"climate/TerraClimate_{name}_2020.tif" for name in ("ppt", "pet", "aet", "soil")]
    names += [f"crops/{name}_2020.tif" for name in COMMODITIES]
    names += ["JRC_GFC2020_V3_N10_W10.tif", "JRC_GFT2020_V1_N10_W10.tif", "Hansen_GFC-2025-v1.13_lossyear_10N_010W.tif", "radd_alerts.tif",
              "ETH_GlobalCanopyHeight_10m_2020_N06W009_Map.tif", "ocs_0-30cm_mean.tif", "ESA_WorldCover_10m_2021_v200_N06W009_Map.tif",
              "house_survey.tif"]  # fmt: skip
    for name in names:
        raster(folder / name, 1, gdal.GDT_Float32 if "TerraClimate" in name else gdal.GDT_Byte)
    vector(folder / "WDPA_Oct2025_CIV.gpkg")
    assert len(names) + 1 == 40


class Actions:
    """Counts what a user does: a click, a choice, a text typed."""

    def __init__(self, window, qtbot, monkeypatch):
        self.window, self.qtbot, self.monkeypatch, self.count = window, qtbot, monkeypatch, 0

    def click(self, name):
        self.count += 1
        self.qtbot.mouseClick(self.window.buttons[name], Qt.MouseButton.LeftButton)
        self.qtbot.waitUntil(lambda: self.window._working is None, timeout=WAIT)

    def choose_folder(self, folder):
        self.count += 1  # in the file dialog
        self.monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
        self.click("folder")

    def choose_name(self, path):
        self.count += 1
        self.monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        self.click("save")

    def select(self, *roles):
        self.count += len(roles)
        self.window.select([row for row, entry in enumerate(self.window.model.entries) if entry["role"] in roles])

    def pick(self, combo, text):
        self.count += 1
        place = combo.findText(text)
        assert place >= 0, text
        combo.setCurrentIndex(place)
        combo.activated.emit(place)

    def type(self, line, text):
        self.count += 1
        line.setText(text)
        line.editingFinished.emit()


def test_forty_layers_in_at_most_forty_actions(open_window, qtbot, monkeypatch, tmp_path):
    from epoch_plugin.core.datasets.datasets_file import load_datasets

    forty_layers(tmp_path)
    window = open_window()
    user = Actions(window, qtbot, monkeypatch)
    user.choose_folder(tmp_path)
    assert window.model.rowCount() == 24 and "1 needs a role" in window.bar.currentItem().text()
    user.select("")
    user.type(window.editor.role.lineEdit(), "survey")
    user.pick(window.editor.encoding, "1 is yes, 0 is no")
    entry = {**window.model.entries[window.selected()[0]], "stats": ["area==1"]}
    window.editor.json.setPlainText(json.dumps(entry))
    user.count += 1
    qtbot.mouseClick(window.editor.apply, Qt.MouseButton.LeftButton)
    user.count += 1
    user.select("radd")
    user.pick(window.editor.profile, "radd")
    user.type(window.editor.year, "2020-2025")
    user.select(*COMMODITIES)
    user.pick(window.editor.encoding, "1 is yes, 0 is no")
    user.choose_name(tmp_path / "datasets")
    user.click("test")
    states = {entry["role"]: answer["status"] for entry, answer in zip(window.model.entries, window.model.answers)}
    problems = [answer["problems"] for answer in window.model.answers if answer["problems"]]
    assert set(states.values()) == {"found"}, problems
    print(f"40 layers bound in {user.count} actions")
    assert user.count <= 40
    datasets = load_datasets(str(tmp_path / "datasets.json"))
    files = {file for entry in datasets.entries for ref in entry.sources for file in ref.files}
    assert len(datasets.entries) == 24 and datasets.one("cocoa").year == 2020 and datasets.one("tmf").bound_years == (*range(2020, 2026),)
    from epoch_plugin.core.datasets.paths import expand

    assert len({name for file in files for name in expand(file)}) == 40


def test_a_file_written_by_hand_changes_only_where_it_was_edited(open_window, qtbot, monkeypatch, tmp_path):
    first, second = '{"role":"soc",   "source": "soc.tif" , "unit":"MgC/ha"}', '{"role": "cocoa", "source": "c.tif"}'
    hand = f'{{ "title" : "mine",\n  "datasets": [\n   {first},\n\n   {second}\n] }}\n'
    path = tmp_path / "d.json"
    path.write_text(hand, encoding="utf-8")
    window = open_window(path)
    assert window.model.rowCount() == 2 and not window.model.changed
    window.save()
    assert path.read_text(encoding="utf-8") == hand
    user = Actions(window, qtbot, monkeypatch)
    user.select("cocoa")
    user.type(window.editor.year, "2021")
    assert window.windowTitle().endswith("*")
    user.click("save")
    assert path.read_text(encoding="utf-8") == hand.replace(second, '{"role": "cocoa", "source": "c.tif", "year": 2021}')
    assert not window.windowTitle().endswith("*")


def test_test_tells_found_missing_and_invalid_without_saving(open_window, qtbot, monkeypatch, tmp_path):
    raster(tmp_path / "cocoa.tif")
    entries = [{"role": "cocoa", "source": "cocoa.tif", "year": 2020, "encoding": {"kind": "mask", "values": [1], "none": [0]}},
               {"role": "palm", "source": "palm.tif", "encoding": {"kind": "mask", "values": [1], "none": [0]}},
               {"role": "coffee", "source": "cocoa.tif", "encodin": {}}]  # fmt: skip
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"datasets": entries}), encoding="utf-8")
    window = open_window(path)
    user = Actions(window, qtbot, monkeypatch)
    user.click("test")
    assert [answer["status"] for answer in window.model.answers] == ["found", "missing", "invalid"]
    assert "1 of 3" in window.bar.currentItem().text()
    user.select("coffee")
    assert "Entry 3" in window.facts.text() and "encodin" in window.facts.text()
    user.type(window.editor.source, "other.tif")
    assert window.model.answers[2] is None and "Not tested" in window.facts.text()


def test_coverage_over_a_collection(parent, run, store, qtbot):
    from epoch_plugin.bridge.overview import read_overview
    from epoch_plugin.ui.datasets.table_model import COVERAGE
    from epoch_plugin.ui.datasets.window import DatasetsWindow

    run("stageplots", INPUT_FILE=resource("sample", "plots.geojson"), COLLECTION_NAME="s")
    rows = [item.collection for item in read_overview(store).collections]
    window = DatasetsWindow(resource("sample", "datasets.json"), store, rows, parent)
    window.choose_collection(rows[0].collection_id)
    window.test()
    qtbot.waitUntil(lambda: window._working is None, timeout=WAIT)
    shares = [window.model.index(row, COVERAGE).data() for row in range(window.model.rowCount())]
    assert all(share.endswith(" %") for share in shares) and len(set(shares)) > 1, shares
    window.stop()


def test_closing_asks_about_changes(open_window, monkeypatch, tmp_path):
    path = tmp_path / "d.json"
    path.write_text('{"datasets": [{"role": "soc", "source": "soc.tif"}]}', encoding="utf-8")
    window = open_window(path)
    window.select([0])
    window.editor.edited.emit({"unit": "MgC/ha"})
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    window.close()
    assert window.isVisible()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Save)
    window.close()
    assert not window.isVisible() and json.loads(path.read_text(encoding="utf-8"))["datasets"][0]["unit"] == "MgC/ha"


def test_a_broken_file_is_left_alone(open_window, tmp_path):
    path = tmp_path / "d.json"
    path.write_text('{"datasets": [', encoding="utf-8")
    window = open_window(path)
    assert "line 1" in window.bar.currentItem().text() and window.path == ""
    assert path.read_text(encoding="utf-8") == '{"datasets": ['
