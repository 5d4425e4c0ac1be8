"""Describing and opening sources: small rasters written here, and the real files beside the project."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from epoch_plugin.core.datasets.encodings import ContinuousEncoding
from epoch_plugin.core.datasets.gdal_state import gdal_exceptions
from epoch_plugin.core.datasets.open import encoding_of, open_layer, open_mask
from epoch_plugin.core.errors import DatasetError
from tests.core.datasets_files import MASK, ONES, entry, opened, srs, write

gdal = pytest.importorskip("osgeo.gdal")
osr = pytest.importorskip("osgeo.osr")

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_one_file(tmp_path):
    write(tmp_path / "a.tif", ONES, x0=10, y0=50, dx=2, dy=-3, nodata=255)
    layer = opened(tmp_path, source="a.tif")
    grid, tile = layer.grid, layer.tiles[0]
    assert (grid.x0, grid.y0, grid.dx, grid.dy, grid.ncols, grid.nrows) == (10, 50, 2, -3, 5, 4)
    assert (tile.path, tile.band, tile.row0, tile.col0, tile.nrows, tile.ncols, tile.dtype) == (str(tmp_path / "a.tif"), 1, 0, 0, 4, 5, "uint8")
    assert (layer.nodata, layer.scale, layer.offset, layer.kind, layer.name) == (255, 1, 0, "raster", "forest_2020")
    assert not tile.has_mask and not tile.may_be_sparse
    assert osr.SpatialReference(grid.crs).IsSame(srs())


@pytest.mark.parametrize("state", [True, False])
def test_gdal_exceptions_are_left_as_they_were(tmp_path, state):
    before = gdal.GetUseExceptions()
    (gdal.UseExceptions if state else gdal.DontUseExceptions)()
    try:
        write(tmp_path / "a.tif", ONES)
        opened(tmp_path, source="a.tif")
        with pytest.raises(DatasetError):
            opened(tmp_path, source="missing.tif")
        assert bool(gdal.GetUseExceptions()) is state
    finally:
        (gdal.UseExceptions if before else gdal.DontUseExceptions)()


def test_the_last_to_leave_restores_gdal_exceptions():
    before = gdal.GetUseExceptions()
    gdal.DontUseExceptions()
    try:
        with gdal_exceptions():
            with gdal_exceptions():
                assert gdal.GetUseExceptions()
            assert gdal.GetUseExceptions()
        assert not gdal.GetUseExceptions()
    finally:
        if before:
            gdal.UseExceptions()


def test_reading_a_datasets_file_loads_no_gdal(tmp_path):
    code = (
        "import sys\n"
        "import epoch_plugin.core.datasets.check, epoch_plugin.core.datasets.open, epoch_plugin.core.datasets.provenance\n"
        "from epoch_plugin.core.datasets.datasets_file import load_datasets\n"
        "load_datasets(sys.argv[1])\n"
        "sys.exit(', '.join({'osgeo', 'shapely', 'pyproj', 'qgis'} & set(sys.modules)) or None)\n"
    )
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"datasets": [{"role": "forest_2020", "profile": "jrc_gfc2020_v4", "source": "a.tif"}]}))
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


@pytest.mark.parametrize(
    ("role", "encoding", "more"),
    [
        ("forest_2020", MASK, {}),
        ("glad", {"kind": "loss_year", "offset": 2000}, {"years": [2001, 2023]}),
        ("radd", {"kind": "alert_date", "packing": "yyddd"}, {"years": [2020, 2023]}),
        ("tmf", {"kind": "classes", "forest": [1, 2]}, {"year": 2020}),
    ],
)
def test_nodata_tag_of_zero_must_be_decided(tmp_path, role, encoding, more):
    write(tmp_path / "a.tif", ONES, nodata=0)
    with pytest.raises(DatasetError, match=r'"nodata": null.*"nodata": 0'):
        opened(tmp_path, role=role, source="a.tif", encoding=encoding, **more)
    assert opened(tmp_path, role=role, source="a.tif", encoding=encoding, nodata=None, **more).nodata is None
    item = entry(tmp_path, role=role, source="a.tif", encoding=encoding, nodata=0, **more)
    assert open_layer(item, item.sources[0]).nodata == 0
    # the usual `none` of years and dates gives way to the entry's word that 0 means not seen
    assert item.encoding.decode(np.array([0], "uint8"), 0).tolist() == [0 if role == "forest_2020" else -1]
    named = {**encoding, "none": [0]}
    item = entry(tmp_path, role=role, source="a.tif", encoding=named, **more)
    assert item.encoding.decode(np.array([0], "uint8"), open_layer(item, item.sources[0]).nodata)[0] == (1 if role == "forest_2020" else 0)


def test_nodata_tag_of_zero_in_measured_values_is_followed(tmp_path):
    write(tmp_path / "a.tif", ONES, nodata=0)
    assert opened(tmp_path, role="agb", unit="Mg/ha", source="a.tif", year=2020, encoding=None).nodata == 0


def test_nodata_tag_that_the_encoding_lists_must_be_decided(tmp_path):
    write(tmp_path / "a.tif", ONES, nodata=1)
    with pytest.raises(DatasetError, match="tags 1 as nodata"):
        opened(tmp_path, source="a.tif")


def test_profile_decides_a_tag_of_zero(tmp_path):
    write(tmp_path / "Hansen_GFC-2023-v1.11_lossyear_x.tif", np.array([[0, 23, 255]], "uint8"), nodata=0)
    item = entry(tmp_path, role="glad", profile="hansen_gfc", source="Hansen*.tif", encoding=None, years=[2001, 2023])
    layer = open_layer(item, item.sources[0])
    assert item.encoding.decode(np.array([0, 23, 255], "uint8"), layer.nodata).tolist() == [0, 2023, -1]


def test_nodata_of_a_mask_is_decided_in_the_mask(tmp_path):
    write(tmp_path / "a.tif", ONES)
    write(tmp_path / "cover.tif", ONES, nodata=0)
    keys = {"role": "glad", "source": "a.tif", "years": [2001, 2023], "encoding": {"kind": "loss_year", "offset": 2000}}
    with pytest.raises(DatasetError, match=r'"mask\.nodata": null'):
        open_mask(entry(tmp_path, **keys, mask={"source": "cover.tif", "min": 10}))
    layer = open_mask(entry(tmp_path, **keys, mask={"source": "cover.tif", "min": 10, "nodata": None}))
    assert layer is not None and layer.nodata is None and layer.name == "glad mask"
    assert open_mask(entry(tmp_path, **keys)) is None


def test_nan_and_text_nodata(tmp_path):
    write(tmp_path / "a.tif", np.ones((2, 2), "float32"), nodata=math.nan)
    layer = opened(tmp_path, role="chm", source="a.tif", year=2020, encoding=None)
    assert layer.nodata is not None and math.isnan(layer.nodata)
    write(tmp_path / "b.tif", np.ones((2, 2), "float32"))
    layer = opened(tmp_path, role="chm", source="b.tif", year=2020, encoding=None, nodata="nan")
    assert layer.nodata is not None and math.isnan(layer.nodata)


def test_mask_band_is_a_mask_and_the_nodata_mask_is_not(tmp_path):
    write(tmp_path / "tag.tif", ONES, nodata=255)
    assert not opened(tmp_path, source="tag.tif").tiles[0].has_mask
    for name, config in (("inside.tif", "YES"), ("beside.tif", "NO")):
        write(tmp_path / name, ONES)
        gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", config)
        try:
            dataset = gdal.Open(str(tmp_path / name), gdal.GA_Update)
            dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
            dataset.GetRasterBand(1).GetMaskBand().WriteArray(np.array([[0, 255, 255, 255, 255]] * 4, "uint8"))
            dataset = None
        finally:
            gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", None)
        tile = opened(tmp_path, source=name).tiles[0]
        assert tile.has_mask and tile.alpha_band == 0


@pytest.mark.parametrize("nodata", [None, 255])
def test_alpha_band_is_found_also_behind_a_nodata_tag(tmp_path, nodata):
    dataset = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "a.tif"), 5, 4, 2, gdal.GDT_Byte, ["ALPHA=YES"])
    dataset.SetGeoTransform((0, 1, 0, 4, 0, -1))
    dataset.SetSpatialRef(srs())
    dataset.GetRasterBand(2).SetColorInterpretation(gdal.GCI_AlphaBand)
    if nodata is not None:
        dataset.GetRasterBand(1).SetNoDataValue(nodata)
    dataset.GetRasterBand(1).WriteArray(ONES)
    dataset.GetRasterBand(2).WriteArray(ONES)
    dataset = None
    tile = opened(tmp_path, source="a.tif").tiles[0]
    assert (tile.has_mask, tile.alpha_band) == (True, 2)


def test_sparse_file(tmp_path):
    options = ["SPARSE_OK=YES", "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64"]
    write(tmp_path / "full.tif", np.ones((128, 128), "uint8"), options=options)
    dataset = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "sparse.tif"), 128, 128, 1, gdal.GDT_Byte, options)
    dataset.SetGeoTransform((0, 1, 0, 100, 0, -1))
    dataset.SetSpatialRef(srs())
    dataset.GetRasterBand(1).WriteArray(np.ones((64, 64), "uint8"))
    dataset = None
    assert not opened(tmp_path, source="full.tif").tiles[0].may_be_sparse
    tile = opened(tmp_path, source="sparse.tif").tiles[0]
    assert tile.may_be_sparse and (tile.block_rows, tile.block_cols) == (64, 64)


def test_striped_file_keeps_its_strips(tmp_path):
    write(tmp_path / "a.tif", np.ones((50, 30), "uint8"), options=["BLOCKYSIZE=1"])
    tile = opened(tmp_path, source="a.tif").tiles[0]
    assert (tile.block_rows, tile.block_cols) == (1, 30)


def test_south_up_is_supported_and_rotated_is_refused(tmp_path):
    write(tmp_path / "up.tif", ONES, y0=0, dy=1)
    grid = opened(tmp_path, source="up.tif").grid
    assert (grid.y0, grid.dy) == (0, 1)
    write(tmp_path / "turned.tif", ONES, rotation=0.1)
    with pytest.raises(DatasetError, match="rotated"):
        opened(tmp_path, source="turned.tif")
    write(tmp_path / "west.tif", ONES, dx=-1)
    with pytest.raises(DatasetError, match="east to west"):
        opened(tmp_path, source="west.tif")


def test_files_that_say_too_little(tmp_path):
    write(tmp_path / "nocrs.tif", ONES, code=None)
    with pytest.raises(DatasetError, match="coordinate reference system"):
        opened(tmp_path, source="nocrs.tif")
    dataset = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "nowhere.tif"), 5, 4, 1, gdal.GDT_Byte)
    dataset.SetSpatialRef(srs())
    dataset = None
    with pytest.raises(DatasetError, match="georeference"):
        opened(tmp_path, source="nowhere.tif")
    write(tmp_path / "a.tif", ONES)
    with pytest.raises(DatasetError, match=r"has 1 band.*no band 3"):
        opened(tmp_path, source="a.tif", band=3)
    (tmp_path / "text.tif").write_text("hello")
    with pytest.raises(DatasetError, match="cannot read"):
        opened(tmp_path, source="text.tif")


def test_missing_files_are_named_with_role_and_entry(tmp_path):
    with pytest.raises(DatasetError, match=r"entry 1 \('forest_2020'\).*gone\.tif does not exist"):
        opened(tmp_path, source="gone.tif")
    with pytest.raises(DatasetError, match=r"no file matches .*tiles.\*\.tif"):
        opened(tmp_path, source="tiles/*.tif")


def test_scale_and_offset_of_the_file(tmp_path):
    write(tmp_path / "a.tif", np.array([[10, 20]], "int16"), scale=0.1)
    item = entry(tmp_path, role="agb", unit="Mg/ha", source="a.tif", year=2020, encoding=None)
    layer = open_layer(item, item.sources[0])
    assert layer.scale == 0.1
    np.testing.assert_allclose(encoding_of(item, layer).decode(np.array([10, 20], "int16"), layer.nodata), [1, 2])
    item = entry(tmp_path, role="agb", unit="Mg/ha", source="a.tif", year=2020, encoding={"kind": "continuous", "scale": 2})
    layer = open_layer(item, item.sources[0])
    assert encoding_of(item, layer) == ContinuousEncoding(2, 0.0)  # the entry's word, once
    with pytest.raises(DatasetError, match="carries a scale"):
        opened(tmp_path, source="a.tif")


def real(name: str) -> str:
    if not (REAL / name).exists():
        pytest.skip(f"{REAL / name} is absent")
    return str(REAL / name)


def test_real_hansen():
    path = real("sierra_de_neiba/Hansen_GFC-2023-v1.11_lossyear_20N_080W.tif")
    item = entry(Path("."), role="glad", profile="hansen_gfc", source=path, encoding=None)
    assert item.years == (2001, 2023)
    layer = open_layer(item, item.sources[0])
    assert (layer.grid.ncols, layer.grid.nrows, layer.nodata, layer.tiles[0].block_rows) == (192, 221, 255, 42)
    assert layer.grid.dx == pytest.approx(0.00025)
    raw = gdal.Open(path).ReadAsArray()
    codes = item.encoding.decode(raw, layer.nodata)
    assert (codes == -1).sum() == (raw == 255).sum()
    assert (codes == 0).sum() == (raw == 0).sum()
    assert set(np.unique(codes)) <= {-1, 0, *range(2001, 2024)}


def test_real_guadeloupe_tag_of_zero_must_be_decided():
    path = real("guadeloupe/fcc123.tif")
    keys = {"role": "forest_2020", "source": path, "encoding": {"kind": "mask", "values": [3]}}
    with pytest.raises(DatasetError, match="tags 0 as nodata"):
        opened(Path("."), **keys)
    layer = opened(Path("."), **keys, nodata=None)
    assert (layer.nodata, layer.grid.dx, layer.grid.ncols) == (None, 30, 3340)
    assert "World Mercator" in layer.grid.crs


def test_real_worldcover_tile():
    path = real("sao_tome/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif")
    item = entry(Path("."), role="lc", profile="esa_worldcover_2021_v200", source=path, encoding=None)
    layer = open_layer(item, item.sources[0])
    assert (layer.name, layer.nodata, layer.grid.ncols, layer.tiles[0].block_cols) == ("lc 2021", 0, 36000, 1024)
