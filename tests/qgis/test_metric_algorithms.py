"""Biomass, water and several statistics at once, from the Toolbox: batch and fetch as users call them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely.wkb
from qgis.core import QgsProcessingException, QgsVectorLayer

from epoch_plugin.core.store import collections
from epoch_plugin.core.store.store import Store
from tests.core.raster_files import write_datasets, write_tif
from tests.core.statistic_scene import WGS84
from tests.core.store_samples import add_collection, plot

CELL = 0.0001
LC = {"kind": "classes", "class_map": {"1": "natural", "2": "managed"}}


@pytest.fixture
def datasets(tmp_path, store):
    """Two plots in a store, under biomass, land cover, rain and a layer of one's own."""
    opened = Store(store)
    ha = abs(WGS84.geometry_area_perimeter(shapely.wkb.loads(plot(1).polygon))[0]) / 1e4
    collection = add_collection(opened, plots=[plot(1, area=ha), plot(2, area=ha)])
    with opened.writing() as connection:
        collections.update(connection, collection, {"status": "uploaded"})
    for name, value in (("agb_2020", 150.0), ("agb_2023", 120.0), ("height", 12.5)):
        write_tif(tmp_path / f"{name}.tif", np.full((200, 200), value, "float32"), -5.01, 6.01, CELL, tile=64)
    for name, value in (("lc_2020", 1), ("lc_2023", 2)):
        write_tif(tmp_path / f"{name}.tif", np.full((200, 200), value, "uint8"), -5.01, 6.01, CELL, tile=64)
    for year in range(2015, 2024):
        write_tif(tmp_path / f"soil_{year}.tif", np.full((2, 2), float(year), "float32"), -5.01, 6.03, 0.03)
    return write_datasets(
        tmp_path,
        {"role": "agb", "sources": {"2020": "agb_2020.tif", "2023": "agb_2023.tif"}, "unit": "Mg/ha"},
        {"role": "lc", "sources": {"2020": "lc_2020.tif", "2023": "lc_2023.tif"}, "encoding": LC, "nodata": 0},
        {"role": "soil_moisture", "source": "soil_{year}.tif"},
        {"role": "height", "source": "height.tif", "stats": ["mean"]},
    )


def rows_of(path):
    layer = QgsVectorLayer(path, "t", "ogr")
    return [{field.name(): feature[field.name()] for field in layer.fields()} for feature in layer.getFeatures()]


def test_biomass_batch_and_fetch(run, datasets, tmp_path):
    done = run("batchbiomassemissions", COLLECTION="0xabc", DATASETS=datasets, END_DATE="2023-12-31", ROOT_SHOOT=0.2)
    assert (done["STATUS"], done["PROCESSED_COUNT"], done["FAILED_COUNT"]) == ("completed", 2, 0)
    fetched = run("fetchbiomassemissions", COLLECTION="0xabc", FLATTEN=True, OUTPUT=str(tmp_path / "out.gpkg"))
    assert fetched["COUNT"] == 2
    for row in rows_of(fetched["OUTPUT"]):
        assert row["luc_tco2ehayear"] == pytest.approx(-30 * 0.47 * 44 / 12 * 1.2 / 3, rel=1e-9)
        assert row["annual_agb_2020"] == pytest.approx(150 * 0.47 * 44 / 12, rel=1e-9)
    total = run("fetchbiomassemissions", COLLECTION="0xabc", AGGREGATE=True, NDJSON=str(tmp_path / "out.ndjson"))
    assert (total["COUNT"], total["MATCHED_COUNT"]) == (1, 2)
    (line,) = (tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["properties"]["luc_tco2ehayear"] == pytest.approx(-30 * 0.47 * 44 / 12 * 1.2 / 3, rel=1e-6)


def test_water_batch_and_fetch(run, datasets, tmp_path):
    run("batchwater", COLLECTION="0xabc", DATASETS=datasets, END_DATE="2023-12-31", REFERENCE_YEARS="2015,2016,2017,2018,2023")
    fetched = run("fetchwaterstress", COLLECTION="0xabc", OUTPUT=str(tmp_path / "out.gpkg"))
    assert [row["soil_moisture_percentile"] for row in rows_of(fetched["OUTPUT"])] == [pytest.approx(90)] * 2  # four below, itself equal
    with pytest.raises(QgsProcessingException, match="reference_years"):
        run("batchwater", COLLECTION="0xabc", DATASETS=datasets, END_DATE="2023-12-31", REFERENCE_YEARS="the nineties")


def test_several_statistics_at_once(run, datasets, tmp_path):
    asked = {"STATS": "luc_emissions, water,extra", "SETTINGS": '{"root_shoot": 0}'}
    run("batchzonalstats", COLLECTION="0xabc", DATASETS=datasets, END_DATE="2023-12-31", **asked)
    fetched = run("fetchplots", COLLECTION="0xabc", STATS="luc_emissions,water,extra", OUTPUT=str(tmp_path / "out.gpkg"))
    for row in rows_of(fetched["OUTPUT"]):
        assert row["luc_tco2ehayear"] == pytest.approx(-30 * 0.47 * 44 / 12 / 3, rel=1e-9)
        assert row["soil_moisture_percentile"] == pytest.approx(100)  # above all the years before the window
        assert json.loads(row["extra"]) == {"height": {"mean": pytest.approx(12.5)}}


def test_what_cannot_be_meant_is_refused(run, datasets):
    common = {"COLLECTION": "0xabc", "DATASETS": datasets, "END_DATE": "2023-12-31"}
    for name, parameters, message in (
        ("batchzonalstats", {"STATS": "luc_emissions,carbon"}, "carbon"), ("batchzonalstats", {"STATS": " , "}, "none"),
        ("batchzonalstats", {"SETTINGS": '{"rootshoot": 1}'}, "rootshoot"), ("batchbiomassemissions", {"NON_BIOMASS": True}, "NON_BIOMASS"),
    ):  # fmt: skip
        with pytest.raises(QgsProcessingException, match=message):
            run(name, **common, **parameters)
