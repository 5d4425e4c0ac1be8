"""checkdatasets' response, coverage of the plots, and the provenance of a source."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from epoch_plugin.core.datasets.check import check_datasets
from epoch_plugin.core.datasets.datasets_file import datasets_from_dict
from epoch_plugin.core.datasets.footprint import covered_share, ground_resolution, plot_boxes
from epoch_plugin.core.datasets.open import open_layer, open_mask
from epoch_plugin.core.datasets.provenance import provenance
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.errors import CancelledError
from epoch_plugin.core.progress import NoProgress

gdal = pytest.importorskip("osgeo.gdal")
osr = pytest.importorskip("osgeo.osr")
wkb = pytest.importorskip("shapely.wkb")
geometry = pytest.importorskip("shapely.geometry")

MASK = {"kind": "mask", "values": [1], "none": [0]}
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def write(path, x0=0.0, y0=1.0, size=100, cell=0.01, nodata=None):
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), size, size, 1, gdal.GDT_Byte)
    dataset.SetGeoTransform((x0, cell, 0, y0, 0, -cell))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    dataset.SetSpatialRef(reference)
    if nodata is not None:
        dataset.GetRasterBand(1).SetNoDataValue(nodata)
    dataset = None


def plot(west, south, east, north) -> bytes:
    return wkb.dumps(geometry.box(west, south, east, north))


def datasets(folder, *entries):
    return datasets_from_dict({"datasets": list(entries)}, str(folder / "d.json"))


FOREST = {"role": "forest_2020", "source": "f.tif", "year": 2020, "encoding": MASK}
GLAD = {"role": "glad", "profile": "hansen_gfc", "source": "Hansen_GFC-2023-v1.11_lossyear.tif"}


def test_response(tmp_path):
    write(tmp_path / "f.tif")
    write(tmp_path / GLAD["source"])
    write(tmp_path / "tagged.tif", nodata=0)
    tagged = {"role": "cocoa", "source": "tagged.tif", "encoding": {"kind": "mask", "values": [1]}}
    gone = {"role": "wdpa", "profile": "wdpa", "source": "gone.gpkg"}
    plots = [plot(0.1, 0.1, 0.2, 0.2), plot(0.95, 0.1, 1.05, 0.2), plot(5, 5, 5.1, 5.1)]
    response = check_datasets(datasets(tmp_path, FOREST, GLAD, tagged, gone), plots, NoProgress())
    assert json.loads(json.dumps(response, allow_nan=False)) == response
    forest, glad, cocoa, wdpa = response["entries"]
    assert [entry["status"] for entry in response["entries"]] == ["found", "found", "unreadable", "missing"]
    assert response["ok_count"] == 2
    assert {role: response["roles"][role] for role in ("forest_2020", "glad", "cocoa", "wdpa", "radd")} == {
        "forest_2020": "found", "glad": "found", "cocoa": "unreadable", "wdpa": "missing", "radd": "missing",
    }  # fmt: skip
    assert (forest["crs"], forest["dtype"], forest["year"], forest["files"]) == ("EPSG:4326", "uint8", 2020, [str(tmp_path / "f.tif")])
    # one plot inside, half of one, one outside; the third is a little smaller, being farther north
    assert forest["coverage"] == pytest.approx(1.5 / 3, abs=2e-3)
    assert (glad["years"], glad["encoding"]) == ([2001, 2023], "year of loss = stored value + 2000")
    assert glad["profile"]["licence"] == "CC BY 4.0" and "Hansen" in glad["profile"]["citation"]
    assert '"nodata": null' in cocoa["problems"][0] and '"nodata": 0' in cocoa["problems"][0]
    assert any("commodity_undated:cocoa" in text for text in cocoa["warnings"])
    assert any("commercial" in text for text in wdpa["warnings"])
    assert wdpa["coverage"] is None and wdpa["files"] == []
    check = response["statistics"]["eudr_deforestation"]
    assert check["ready"]
    meanings = {item["role"]: item["meaning"] for item in check["missing"]}
    assert "single_system" in meanings["detection"]
    assert {"tmf", "dynamic_world", "radd", "wdpa", "natural_forest", "jrc_forest"} <= set(meanings)
    assert not response["statistics"]["luc_emissions"]["ready"]
    assert response["estimate"]["plots"] == 3 and response["estimate"]["seconds"] > 0 and response["estimate"]["memory_mb"] > 0


def test_without_plots_and_without_a_baseline(tmp_path):
    write(tmp_path / GLAD["source"])
    response = check_datasets(datasets(tmp_path, GLAD), None, NoProgress())
    assert (response["estimate"], response["coverage_method"], response["entries"][0]["coverage"]) == (None, None, None)
    check = response["statistics"]["eudr_deforestation"]
    assert not check["ready"]
    assert "no plot can be assessed" in next(item["meaning"] for item in check["missing"] if item["role"] == "forest_2020")


def test_defaults_stand_in_for_context_roles(tmp_path):
    write(tmp_path / "f.tif")
    jrc = {"role": "forest_2020", "profile": "jrc_gfc2020_v4", "source": "f.tif"}
    tmf = {"role": "tmf", "profile": "jrc_tmf_annual_change", "sources": {"2020": "f.tif", "2021": "f.tif"}}
    response = check_datasets(datasets(tmp_path, jrc, tmf), None, NoProgress())
    assert not {"jrc_forest", "tmf_forest"} & {item["role"] for item in response["statistics"]["eudr_deforestation"]["missing"]}
    assert (response["roles"]["jrc_forest"], response["roles"]["tmf_forest"], response["ok_count"]) == ("found", "found", 2)
    assert response["defaults"] == {"jrc_forest": "forest_2020", "tmf_forest": "tmf"}
    # bound itself, but not there: no default hides that; and another baseline or a file that is missing stands in for nothing
    gone = {"role": "jrc_forest", "profile": "jrc_gfc2020_v4", "source": "gone.tif"}
    response = check_datasets(datasets(tmp_path, jrc, gone), None, NoProgress())
    assert (response["roles"]["jrc_forest"], response["roles"]["tmf_forest"], response["defaults"]) == ("missing", "missing", {})
    for baseline in (FOREST, {**jrc, "source": "gone.tif"}):
        response = check_datasets(datasets(tmp_path, baseline), None, NoProgress())
        assert response["roles"]["jrc_forest"] == "missing" and response["defaults"] == {}


def test_one_missing_year_makes_the_entry_missing(tmp_path):
    write(tmp_path / "a.tif")
    tmf = {"role": "tmf", "profile": "jrc_tmf_annual_change", "sources": {"2020": "a.tif", "2022": "b.tif"}}
    entry = check_datasets(datasets(tmp_path, tmf), None, NoProgress())["entries"][0]
    assert entry["status"] == "missing" and "year 2022" in entry["problems"][0] and len(entry["problems"]) == 1
    assert any("not covered are 2021, 2022" in text for text in entry["warnings"])


def test_cancelling_stops(tmp_path):
    class Stop(NoProgress):
        def cancelled(self) -> bool:
            return True

    write(tmp_path / "f.tif")
    with pytest.raises(CancelledError):
        check_datasets(datasets(tmp_path, FOREST), None, Stop())


def test_gaps_between_tiles_are_not_covered():
    plots = plot_boxes([plot(0, 0, 3, 1)])
    tiles = np.array([[0, 0, 1, 1], [2, 0, 3, 1]], float)
    assert covered_share(plots, "EPSG:4326", tiles) == pytest.approx(2 / 3)


def test_plot_across_180_degrees_is_judged_by_its_parts():
    halves = geometry.MultiPolygon([geometry.box(179.9, 0, 180, 0.1), geometry.box(-180, 0, -179.9, 0.1)])
    plots = plot_boxes([wkb.dumps(halves)])
    assert plots.plots == 1
    assert covered_share(plots, "EPSG:4326", np.array([[170, -10, 180, 0.1]], float)) == pytest.approx(0.5)


def test_share_in_another_crs():
    plots = plot_boxes([plot(-3.01, 0.5, -2.99, 0.52)])
    assert covered_share(plots, "EPSG:32630", np.array([[500000, 0, 600000, 100000]], float)) == pytest.approx(0.5, abs=1e-3)


def test_ground_resolution_is_geodesic():
    grid = Grid("EPSG:4326", 0, 1, 0.00025, -0.00025, 4000, 4000)
    # at the equator a degree is 111319.49 m of longitude and 110574 m of latitude
    assert ground_resolution(grid, 0.0, 0.0) == pytest.approx(0.00025 * math.sqrt(111319.49 * 110574.3), rel=1e-4)
    assert ground_resolution(Grid("EPSG:3857", 0, 0, 10, -10, 10, 10), 0.0, 60.0) == pytest.approx(5.0, rel=5e-3)


def test_provenance(tmp_path):
    write(tmp_path / GLAD["source"], nodata=0)
    write(tmp_path / "cover.tif", nodata=255)
    item = datasets(tmp_path, {**GLAD, "mask": {"source": "cover.tif", "min": 10}}).entries[0]
    layers = [open_layer(item, item.sources[0]), open_mask(item)]
    record = provenance(item, layers)
    assert json.loads(json.dumps(record, allow_nan=False)) == json.loads(json.dumps(provenance(item, layers)))
    assert record["profile"] == {"id": "hansen_gfc", "version": 1, "product_version": "release from the file name (GFC-20YY)"}
    assert (record["years"], record["encoding"]["kind"], record["mask"]["min"]) == ([2001, 2023], "loss_year", 10)
    loss, cover = record["layers"]
    path = tmp_path / GLAD["source"]
    assert loss["files"][0]["path"] == str(path)
    assert (loss["files"][0]["size"], loss["files"][0]["band"]) == (path.stat().st_size, 1)
    assert (loss["crs"], loss["cell_size"], loss["nodata"]) == ("EPSG:4326", [0.01, -0.01], 0)
    assert loss["nodata_in_words"] == "0 is an answer, although the file tags it as nodata; looked, found none: 0"
    assert cover["nodata_in_words"] == "255 is no data (the file's tag)"
    before = record["layers"][0]["files"][0]["mtime"]
    os.utime(path, (1, 1))
    assert provenance(item, layers)["layers"][0]["files"][0]["mtime"] == "1970-01-01T00:00:01+00:00" != before


def test_real_plots_on_real_hansen():
    folder = REAL / "sierra_de_neiba"
    if not folder.exists():
        pytest.skip(f"{folder} is absent")
    entry = {"role": "glad", "profile": "hansen_gfc", "source": str(folder / "Hansen_GFC-2023-v1.11_lossyear_20N_080W.tif")}
    inside, outside = plot(-71.73, 18.65, -71.72, 18.66), plot(-60, 18.65, -59.99, 18.66)
    response = check_datasets(datasets(Path("."), entry), [inside, outside], NoProgress())
    assert response["entries"][0]["coverage"] == pytest.approx(0.5)
    assert response["entries"][0]["resolution_m"] == pytest.approx(27.0, abs=0.5)  # 27.8 m x cos 18.7 degrees in width
