"""One layer from many files: tiles, mosaics, patterns of years, archives."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from epoch_plugin.core.datasets.open import open_layer, open_layers
from epoch_plugin.core.errors import DatasetError
from tests.core.datasets_files import MASK, ONES, entry, opened, srs, write

gdal = pytest.importorskip("osgeo.gdal")


def test_tiles_of_a_glob_with_a_gap(tmp_path):
    write(tmp_path / "t_a.tif", ONES, x0=0, y0=8)
    write(tmp_path / "t_b.tif", ONES, x0=15, y0=4)  # ten columns of gap, one row of tiles lower
    layer = opened(tmp_path, source="t_*.tif")
    assert [(Path(t.path).name, t.row0, t.col0) for t in layer.tiles] == [("t_a.tif", 0, 0), ("t_b.tif", 4, 15)]
    assert (layer.grid.x0, layer.grid.y0, layer.grid.ncols, layer.grid.nrows) == (0, 8, 20, 8)


def test_tiles_of_south_up_rasters(tmp_path):
    write(tmp_path / "t_a.tif", ONES, y0=4, dy=1)
    write(tmp_path / "t_b.tif", ONES, y0=0, dy=1)
    layer = opened(tmp_path, source="t_*.tif")
    assert layer.grid.y0 == 0
    assert [(t.row0, t.col0) for t in layer.tiles] == [(4, 0), (0, 0)]


def test_overlap_of_one_cell_is_allowed_and_of_two_refused(tmp_path):
    write(tmp_path / "t_a.tif", ONES, x0=0)
    write(tmp_path / "t_b.tif", ONES, x0=4)
    assert [t.col0 for t in opened(tmp_path, source="t_*.tif").tiles] == [0, 4]
    write(tmp_path / "t_c.tif", ONES, x0=7)
    with pytest.raises(DatasetError, match=r"t_b\.tif and .*t_c\.tif overlap by 2 x 4 cells"):
        opened(tmp_path, source="t_*.tif")


def test_tiles_with_rounded_cell_size_are_refitted(tmp_path):
    """10 degrees written as 37037 x 0.00027: one tile seems 0.037 cells short, four tiles in a row 0.11."""
    for i in range(4):
        path = str(tmp_path / f"t_{i}.vrt")
        dataset = gdal.GetDriverByName("VRT").Create(path, 37037, 10, 1, gdal.GDT_Byte)
        dataset.SetGeoTransform((10.0 * i, 0.00027, 0, 0, 0, -0.00027))
        dataset.SetSpatialRef(srs(4326))
        dataset = None
    layer = opened(tmp_path, source="t_*.vrt")
    assert [t.col0 for t in layer.tiles] == [0, 37037, 74074, 111111]
    assert layer.grid.dx == pytest.approx(10 / 37037, rel=1e-12)
    assert layer.grid.dy == -0.00027


def test_tiles_that_do_not_fit_are_named(tmp_path):
    write(tmp_path / "t_a.tif", ONES)
    for values, keys, problem in (
        (ONES, {"x0": 5.3}, "do not lie on those of"),
        (ONES, {"x0": 5.0, "dx": 1.001}, "cell size"),
        (ONES, {"x0": 5.0, "code": 32631}, "coordinate reference systems"),
        (ONES, {"x0": 5.0, "nodata": 255}, "nodata tags"),
        (ONES, {"x0": 5.0, "scale": 0.5}, "scales"),
        (ONES.astype("int16"), {"x0": 5.0}, "types"),
    ):
        write(tmp_path / "t_b.tif", values, **keys)
        with pytest.raises(DatasetError, match=problem) as caught:
            opened(tmp_path, source="t_*.tif")
        assert "t_a.tif" in str(caught.value) and "t_b.tif" in str(caught.value)
        (tmp_path / "t_b.tif").unlink()
    write(tmp_path / "t_b.tif", ONES, x0=5.0, nodata=255)
    assert opened(tmp_path, source="t_*.tif", nodata=255).nodata == 255  # decided by the entry, the tags do not matter


@pytest.mark.parametrize("nodata", [None, 0])
def test_plain_mosaic_is_taken_apart_into_its_tiles(tmp_path, nodata):
    write(tmp_path / "t_a.tif", ONES, x0=0, nodata=nodata)
    write(tmp_path / "t_b.tif", ONES, x0=8, nodata=nodata)
    gdal.BuildVRT(str(tmp_path / "m.vrt"), [str(tmp_path / "t_a.tif"), str(tmp_path / "t_b.tif")]).FlushCache()
    layer = opened(tmp_path, source="m.vrt", encoding={**MASK, "none": [0]})
    assert [(Path(t.path).name, t.col0, t.may_be_sparse) for t in layer.tiles] == [("t_a.tif", 0, False), ("t_b.tif", 8, False)]
    assert (layer.grid.ncols, layer.nodata) == (13, nodata)


def test_sparse_tile_of_a_mosaic_is_seen_as_sparse(tmp_path):
    """GDAL says of the mosaic that it holds data where its file has an empty block; the tile itself says the truth."""
    options = ["SPARSE_OK=YES", "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "sparse.tif"), 64, 128, 1, gdal.GDT_Byte, options)
    dataset.SetGeoTransform((0, 1, 0, 128, 0, -1))
    dataset.SetSpatialRef(srs())
    dataset.GetRasterBand(1).WriteArray(np.ones((64, 64), "uint8"))
    dataset = None
    gdal.BuildVRT(str(tmp_path / "m.vrt"), [str(tmp_path / "sparse.tif")]).FlushCache()
    assert [(Path(t.path).name, t.may_be_sparse) for t in opened(tmp_path, source="m.vrt").tiles] == [("sparse.tif", True)]


def test_overlapping_mosaic_stays_one_file(tmp_path):
    write(tmp_path / "t_a.tif", ONES, x0=0)
    write(tmp_path / "t_b.tif", ONES, x0=3)
    gdal.BuildVRT(str(tmp_path / "m.vrt"), [str(tmp_path / "t_a.tif"), str(tmp_path / "t_b.tif")]).FlushCache()
    assert [(Path(t.path).name, t.ncols) for t in opened(tmp_path, source="m.vrt").tiles] == [("m.vrt", 8)]


def test_other_vrts_stay_as_they_are(tmp_path):
    write(tmp_path / "a.tif", ONES)
    for name, options in (
        ("moved", {"outputBounds": [1000, 4, 1005, 0]}),
        ("other_crs", {"outputSRS": "EPSG:32631"}),
        ("window", {"srcWin": [1, 0, 3, 4]}),
        ("coarse", {"width": 2, "height": 2}),
        ("nodata", {"noData": 9}),
    ):
        gdal.Translate(str(tmp_path / f"{name}.vrt"), str(tmp_path / "a.tif"), format="VRT", **options).FlushCache()
        layer = opened(tmp_path, source=f"{name}.vrt")
        assert [(Path(t.path).name, t.may_be_sparse) for t in layer.tiles] == [(f"{name}.vrt", True)], name
    assert opened(tmp_path, source="moved.vrt").grid.x0 == 1000


def test_missing_tile_of_a_mosaic_is_named(tmp_path):
    write(tmp_path / "a.tif", ONES)
    gdal.BuildVRT(str(tmp_path / "m.vrt"), [str(tmp_path / "a.tif")]).FlushCache()
    (tmp_path / "a.tif").unlink()
    with pytest.raises(DatasetError, match=r"a\.tif does not exist"):
        opened(tmp_path, source="m.vrt")


def test_combine_gives_one_layer_a_file(tmp_path):
    for month in (1, 2):
        write(tmp_path / f"p{month}.tif", np.ones((4, 5), "float32"))
    keys = {"role": "precipitation", "encoding": None, "sources": {"2018": ["p1.tif", "p2.tif"]}}
    item = entry(tmp_path, **keys, combine="sum")
    assert [Path(layer.tiles[0].path).name for layer in open_layers(item, item.sources[0])] == ["p1.tif", "p2.tif"]
    with pytest.raises(DatasetError, match="combined by sum"):
        open_layer(item, item.sources[0])
    item = entry(tmp_path, **keys)  # without combine they would be tiles, and these overlap
    with pytest.raises(DatasetError, match="overlap"):
        open_layers(item, item.sources[0])


def test_year_patterns(tmp_path):
    for year in (2019, 2020, 2022):
        write(tmp_path / f"lc_{year}_a.tif", ONES)
    encoding = {"kind": "classes", "class_map": {"1": "natural"}}
    item = entry(tmp_path, role="lc", source="lc_{year}_*.tif", encoding=encoding)
    assert item.bound_years == (2019, 2020, 2022)
    assert [open_layer(item, ref).name for ref in item.sources] == ["lc 2019", "lc 2020", "lc 2022"]
    item = entry(tmp_path, role="lc", source="lc_{year}_*.tif", encoding=encoding, years=[2020, 2021])
    assert item.bound_years == (2020, 2021)
    with pytest.raises(DatasetError, match="year 2021: no file matches"):
        open_layer(item, item.sources[1])


def test_zip_with_and_without_glob(tmp_path):
    for name, x0 in (("t_a.tif", 0), ("t_b.tif", 5)):
        write(tmp_path / name, ONES, x0=x0)
    with zipfile.ZipFile(tmp_path / "tiles.zip", "w") as archive:
        for name in ("t_a.tif", "t_b.tif"):
            archive.write(tmp_path / name, f"in/{name}")
    assert opened(tmp_path, source="/vsizip/tiles.zip/in/t_a.tif").tiles[0].path == f"/vsizip/{tmp_path}/tiles.zip/in/t_a.tif"
    assert [t.col0 for t in opened(tmp_path, source="/vsizip/tiles.zip/in/t_*.tif").tiles] == [0, 5]
    with pytest.raises(DatasetError, match="does not exist"):
        opened(tmp_path, source="/vsizip/tiles.zip/in/t_c.tif")


def test_names_with_brackets_are_files_first(tmp_path):
    folder = tmp_path / "tiles [new]"
    folder.mkdir()
    write(folder / "a.tif", ONES)
    assert opened(tmp_path, source="tiles [new]/a.tif").tiles[0].path == str(folder / "a.tif")
