"""What the engine reads from files: layouts, gaps, masks, other grids and CRSs, vectors; the expectations are worked out by hand."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest
import rasterio
from osgeo import gdal
from pyproj import Transformer
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box

from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.datasets.open import open_layer
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.zonal import engine
from epoch_plugin.core.zonal.cell_area import CellArea
from epoch_plugin.core.zonal.kernel import LayerRead
from tests.core.raster_files import write_datasets, write_sparse_tif, write_tif, write_vector
from tests.core.test_zonal_coverage import cells_of
from tests.core.zonal_kernels import ClassKernel, Numbers, ValueKernel, areas_by_class, class_areas, open_classes, run, task_of

X0, Y0, D = 10.0, 5.0, 0.001


def cells(c0, r0, c1, r1, x0=X0, y0=Y0, d=D):
    """A box given in columns and rows of the test rasters."""
    return box(x0 + c0 * d, y0 - r1 * d, x0 + c1 * d, y0 - r0 * d)


def hectare_of(row, y0=Y0, d=D):
    """Area (m2) of a cell in a row (checked against pyproj in test_zonal_cell_area)."""
    return float(CellArea(Grid("EPSG:4326", 0.0, y0, d, -d, 10, 10000))(np.array([row]), np.array([0]))[0])


def expected(fractions, values):
    """{value: m2} from {(row, col): fraction} and an array of values, NaN for no data."""
    found = {}
    for (row, col), fraction in fractions.items():
        value = values[row][col]
        key = None if np.isnan(value) else int(value)
        found[key] = found.get(key, 0.0) + fraction * hectare_of(row)
    return found


def all_of(c0, r0, c1, r1):
    return {cell: 1.0 for cell in itertools.product(range(r0, r1), range(c0, c1))}


def same(found, wanted, rel=1e-9):
    assert found.keys() == wanted.keys()
    for key in wanted:
        assert found[key] == pytest.approx(wanted[key], rel=rel), key


NINE = np.arange(1, 10, dtype="uint8").reshape(3, 3)


def test_square_half_a_cell_off_on_nine_cells(tmp_path):
    write_tif(tmp_path / "a.tif", NINE, X0, Y0, D)
    (found,) = areas_by_class(tmp_path, [cells(0.5, 0.5, 2.5, 2.5)], source="a.tif")
    # corners are covered by a quarter, sides by a half, the middle wholly
    shares = {(0, 0): 0.25, (0, 1): 0.5, (0, 2): 0.25, (1, 0): 0.5, (1, 1): 1.0, (1, 2): 0.5, (2, 0): 0.25, (2, 1): 0.5, (2, 2): 0.25}
    same(found, expected(shares, NINE))


def test_south_up_raster(tmp_path):
    # the same nine cells, stored from south to north
    write_tif(tmp_path / "a.tif", NINE[::-1], X0, Y0 - 3 * D, D, D)
    (found,) = areas_by_class(tmp_path, [cells(0.5, 0.25, 2.5, 2.5)], source="a.tif")
    shares = {(0, 0): 0.375, (0, 1): 0.75, (0, 2): 0.375, (1, 0): 0.5, (1, 1): 1.0, (1, 2): 0.5, (2, 0): 0.25, (2, 1): 0.5, (2, 2): 0.25}
    same(found, expected(shares, NINE))


BIG = np.random.default_rng(1).integers(0, 5, (700, 1100)).astype("uint8")
PLOTS = [
    cells(10.3, 10.2, 60.7, 70.9),
    cells(255.4, 255.3, 256.8, 256.9),  # corner of four blocks of 256
    cells(511.9, 511.8, 512.1, 512.3),  # and of 512
    cells(0, 0, 1100, 700),
    MultiPolygon([cells(200.5, 500.5, 300.25, 520.75), cells(900, 20, 1000.1, 30.6)]),
    Polygon([(X0 + 0.02, Y0 - 0.03), (X0 + 1.05, Y0 - 0.4), (X0 + 0.6, Y0 - 0.69)]),
]
LAYOUTS = {
    "strips": dict(options=["BLOCKYSIZE=3"]),
    "one strip": dict(options=["BLOCKYSIZE=700"]),
    "tiles of 256": dict(tile=256),
    "tiles of 512": dict(tile=512),
    "tiles of 32": dict(tile=32),
    "compressed with a predictor": dict(tile=256, options=["COMPRESS=DEFLATE", "PREDICTOR=2"]),
    "two bytes": dict(tile=512, dtype="uint16"),
    "signed": dict(tile=256, dtype="int16"),
    "four bytes": dict(tile=256, dtype="int32"),
    "floats": dict(tile=256, dtype="float32"),
}


@pytest.fixture(scope="module")
def big_expected():
    grid = Grid("EPSG:4326", X0, Y0, D, -D, 1100, 700)
    row_area = np.array([hectare_of(row) for row in range(700)])
    wanted = []
    for _, found in sorted(cells_of(PLOTS, grid).items()):
        areas = {}
        for (row, col), (fraction, _) in found.items():
            areas[int(BIG[row, col])] = areas.get(int(BIG[row, col]), 0.0) + fraction * row_area[row]
        wanted.append(areas)
    return wanted


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_of_a_file(tmp_path, layout, big_expected):
    layout = dict(layout)
    write_tif(tmp_path / "a.tif", BIG.astype(layout.pop("dtype", "uint8")), X0, Y0, D, **layout)
    for found, wanted in zip(areas_by_class(tmp_path, PLOTS, source="a.tif"), big_expected):
        same(found, wanted, rel=1e-11)


def tiles_with_a_gap(folder):
    """Columns 0-9 are 1, 12-21 are 2, 10-11 are in no file; rows 20-29 only exist in the first columns."""
    write_tif(folder / "t_1.tif", np.full((30, 10), 1, "uint8"), X0, Y0, D)
    write_tif(folder / "t_2.tif", np.full((20, 10), 2, "uint8"), X0 + 12 * D, Y0, D)
    values = np.full((30, 22), np.nan)
    values[:, :10], values[:20, 12:] = 1, 2
    return values


def test_gap_between_tiles_is_no_data(tmp_path):
    values = tiles_with_a_gap(tmp_path)
    found = areas_by_class(tmp_path, [cells(5, 5, 20, 25), cells(10, 3, 12, 9)], source="t_*.tif")
    same(found[0], expected(all_of(5, 5, 20, 25), values))
    same(found[1], expected(all_of(10, 3, 12, 9), values))
    assert list(found[1]) == [None]


@pytest.mark.parametrize("separate", [True, False], ids=["plain", "read as one file"])
def test_mosaic_with_a_gap(tmp_path, separate):
    values = tiles_with_a_gap(tmp_path)
    if not separate:  # a resampled part makes the mosaic more than a list of files
        write_tif(tmp_path / "t_2.tif", np.full((10, 5), 2, "uint8"), X0 + 12 * D, Y0, 2 * D)
    vrt = gdal.BuildVRT(str(tmp_path / "m.vrt"), [str(tmp_path / "t_1.tif"), str(tmp_path / "t_2.tif")], resolution="highest")
    vrt.FlushCache()
    (found,) = areas_by_class(tmp_path, [cells(5.5, 5, 20, 25)], source="m.vrt")
    shares = {(row, col): 0.5 if col == 5 else 1.0 for row, col in all_of(5, 5, 20, 25)}
    same(found, expected(shares, values))


def test_empty_blocks_of_a_sparse_file_are_no_data(tmp_path):
    nearly = np.zeros((64, 64))  # GDAL would not write a block of zeros only
    nearly[40, 40] = 1
    write_sparse_tif(tmp_path / "a.tif", {(0, 0): np.full((64, 64), 3), (1, 1): nearly}, 128, 128, 64, X0, Y0, D)
    (found,) = areas_by_class(tmp_path, [cells(60, 60, 70, 70)], source="a.tif", nodata=None)
    values = np.full((128, 128), np.nan)
    values[:64, :64], values[64:, 64:] = 3, 0
    same(found, expected(all_of(60, 60, 70, 70), values))


HIDDEN = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]], "uint8")


@pytest.mark.parametrize("kind", ["mask", "alpha"])
@pytest.mark.parametrize("nodata", [None, 9])
def test_mask_and_alpha_bands_hide_cells(tmp_path, kind, nodata):
    write_tif(tmp_path / "a.tif", NINE, X0, Y0, D, nodata=nodata, **{kind: HIDDEN})
    (found,) = areas_by_class(tmp_path, [cells(0, 0, 3, 3)], source="a.tif")
    values = np.where(HIDDEN, NINE, np.nan)
    if nodata is not None:
        values[2, 2] = np.nan
    same(found, expected(all_of(0, 0, 3, 3), values))


def test_the_mask_that_gdal_derives_from_the_tag_is_not_followed(tmp_path):
    write_tif(tmp_path / "a.tif", NINE, X0, Y0, D, nodata=5)
    (found,) = areas_by_class(tmp_path, [cells(0, 0, 3, 3)], source="a.tif", nodata=None)
    same(found, expected(all_of(0, 0, 3, 3), NINE))
    (found,) = areas_by_class(tmp_path, [cells(0, 0, 3, 3)], source="a.tif")
    same(found, expected(all_of(0, 0, 3, 3), np.where(NINE == 5, np.nan, NINE)))


def test_second_band(tmp_path):
    write_tif(tmp_path / "a.tif", np.stack([NINE, NINE + 100, NINE * 0]), X0, Y0, D)
    (found,) = areas_by_class(tmp_path, [cells(1, 1, 3, 2)], source="a.tif", band=2)
    same(found, {105: hectare_of(1), 106: hectare_of(1)})


@pytest.mark.parametrize("nodata", [None, float("nan"), -1.0])
def test_values_that_are_not_numbers_are_no_data(tmp_path, nodata):
    values = np.array([[1.5, np.nan, 4.0], [np.inf, 2.0, -1.0]], "float32")
    write_tif(tmp_path / "a.tif", values, X0, Y0, D, nodata=nodata)
    entry = {"role": "height", "source": "a.tif", "encoding": {"kind": "continuous", "scale": 2, "offset": 1}, "stats": ["mean"]}
    found = load_datasets(write_datasets(tmp_path, entry)).entries[0]
    layer = open_layer(found, found.sources[0])
    read = LayerRead("height", layer, Numbers(found.encoding, layer.nodata), float("nan"))
    plots = [cells(0.5, 0, 3, 2), cells(1, 0, 2, 1), cells(9, 9, 10, 10)]
    result = run(task_of(layer, ValueKernel(read)), plots).kernels[0]
    # stored value * 2 + 1, in half a cell 1.5 and whole cells 4.0, 2.0 and (unless it is the tag) -1.0
    a, b = hectare_of(0), hectare_of(1)
    seen = [(0.5, a, 4.0), (1, a, 9.0), (1, b, 5.0)] + ([(1, b, -1.0)] if nodata != -1.0 else [])
    assert result.count.tolist() == [len(seen), 0, 0]
    assert result.weight[0] == pytest.approx(sum(f * w for f, w, _ in seen), rel=1e-11)
    assert result.weighted[0] == pytest.approx(sum(f * w * v for f, w, v in seen), rel=1e-11)
    assert result.weighted_square[0] == pytest.approx(sum(f * w * v * v for f, w, v in seen), rel=1e-11)
    assert result.fraction_sum[0] == pytest.approx(sum(f * v for f, _, v in seen), rel=1e-11)
    assert (result.minimum[0], result.maximum[0]) == (min(v for _, _, v in seen), 9.0)
    assert result.weight[1:].tolist() == [0, 0] and np.isnan(result.minimum[1:]).all() and np.isnan(result.maximum[1:]).all()


# layers of other grids, read at the centre of the analysis cell


def at_centres(path, shapes, grid, crs="EPSG:4326"):
    """{value: m2} per plot, every cell's value sampled with rasterio at its centre."""
    transformer = Transformer.from_crs(grid.crs, crs, always_xy=True)
    wanted = []
    with rasterio.open(path) as source:
        for _, found in sorted(cells_of(shapes, grid).items()):
            areas = {}
            for (row, col), (fraction, _) in found.items():
                x, y = transformer.transform(grid.x0 + (col + 0.5) * grid.dx, grid.y0 + (row + 0.5) * grid.dy)
                r, c = source.index(x, y)
                value = int(next(source.sample([(x, y)]))[0]) if 0 <= r < source.height and 0 <= c < source.width else None
                areas[value] = areas.get(value, 0.0) + fraction * hectare_of(row)
            wanted.append(areas)
    return wanted


ANALYSIS = Grid("EPSG:4326", X0, Y0, D, -D, 60, 50)
SOME = [cells(3.3, 4.4, 25.5, 31.2), cells(30, 2, 59, 49), Polygon([(X0, Y0), (X0 + 0.05, Y0 - 0.01), (X0 + 0.02, Y0 - 0.045)])]


@pytest.fixture
def analysis(tmp_path):
    write_tif(tmp_path / "analysis.tif", np.zeros((50, 60), "uint8"), X0, Y0, D)
    return open_classes(tmp_path, name="analysis", source="analysis.tif", nodata=None)[0]


@pytest.mark.parametrize("d", [0.00037, 0.00193, 0.0041])
def test_layer_of_another_resolution(tmp_path, analysis, d):
    shape = int(0.06 / d), int(0.05 / d)  # ends inside the analysis grid: what lies beyond is no data
    write_tif(tmp_path / "b.tif", np.random.default_rng(2).integers(0, 9, shape).astype("uint8"), X0 - 0.000713, Y0 + 0.000317, d, tile=64)
    _, read = open_classes(tmp_path, source="b.tif", nodata=None)
    result = run(task_of(analysis, ClassKernel(read)), SOME)
    for found, wanted in zip(class_areas(result, len(SOME)), at_centres(tmp_path / "b.tif", SOME, ANALYSIS)):
        same(found, wanted)


def test_layer_of_the_same_cells_elsewhere(tmp_path, analysis):
    write_tif(tmp_path / "b.tif", np.random.default_rng(2).integers(0, 9, (20, 30)).astype("uint8"), X0 + 7 * D, Y0 - 11 * D, D)
    _, read = open_classes(tmp_path, source="b.tif", nodata=None)
    result = run(task_of(analysis, ClassKernel(read)), SOME)
    for found, wanted in zip(class_areas(result, len(SOME)), at_centres(tmp_path / "b.tif", SOME, ANALYSIS)):
        same(found, wanted)


@pytest.mark.parametrize(("crs", "d"), [("EPSG:32632", 90.0), ("EPSG:3395", 37.0), ("EPSG:3857", 300.0)])
def test_layer_in_another_crs(tmp_path, analysis, crs, d):
    left, top = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(X0 - 0.002, Y0 + 0.002)
    shape = int(5000 / d), int(7500 / d)
    write_tif(tmp_path / "b.tif", np.random.default_rng(4).integers(0, 9, shape).astype("uint8"), left, top, d, crs=crs)
    _, read = open_classes(tmp_path, source="b.tif", nodata=None)
    result = run(task_of(analysis, ClassKernel(read)), SOME)
    for found, wanted in zip(class_areas(result, len(SOME)), at_centres(tmp_path / "b.tif", SOME, ANALYSIS, crs)):
        same(found, wanted)


# vectors, burnt by cell centre


@pytest.mark.parametrize("up", [False, True], ids=["north-up", "south-up"])
def test_vector_is_burnt_by_centre(tmp_path, up):
    write_tif(tmp_path / "a.tif", np.zeros((10, 12), "uint8"), X0, Y0 - 10 * D if up else Y0, D, D if up else -D)
    grid = open_classes(tmp_path, name="analysis", source="a.tif", nodata=None)[0]
    # holds the centres of columns 2-4 (2.5 to 4.5) and rows 3-5; the proposed one is left out
    write_vector(
        tmp_path / "v.gpkg", [(cells(2.4, 3.4, 4.6, 5.6), {"status": "Designated"}), (cells(6, 6, 9, 9), {"status": "Proposed"})]
    )  # fmt: skip
    encoding = {"kind": "mask", "values": [1], "none": [0]}
    _, read = open_classes(tmp_path, grid.grid, name="v", source="v.gpkg", where="status <> 'Proposed'", encoding=encoding)
    result = run(task_of(grid, ClassKernel(read)), [cells(1, 1, 11, 9)])
    (found,) = class_areas(result, 1)  # a mask decodes to 0 no data, 1 no, 2 yes; ClassCodes adds one
    values = np.ones((10, 12))
    values[3:6, 2:5] = 2
    same(found, expected(all_of(1, 1, 11, 9), values))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32632"])
def test_vector_values_and_crs(tmp_path, analysis, crs):
    shape = cells(10.3, 10.3, 20.7, 15.7)
    if crs != "EPSG:4326":
        from shapely.ops import transform

        to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
        shape = transform(to_metres, shape.segmentize(0.0001) if hasattr(shape, "segmentize") else shape)
    write_vector(tmp_path / "v.gpkg", [(shape, {"kind": 7})], crs=crs)
    _, read = open_classes(tmp_path, analysis.grid, name="v", source="v.gpkg", value_field="kind")
    (found,) = class_areas(run(task_of(analysis, ClassKernel(read)), [cells(5, 5, 30, 30)]), 1)
    values = np.full((50, 60), np.nan)
    values[10:16, 10:21] = 7  # centres 10.5 .. 20.5 and 10.5 .. 15.5
    same(found, expected(all_of(5, 5, 30, 30), values))


def test_plots_beyond_every_edge(tmp_path):
    write_tif(tmp_path / "a.tif", NINE, X0, Y0, D)
    middle = cells(1, 1, 2, 2)
    plots = [translate(middle, dx * D, dy * D) for dx, dy in ((-1.5, 0), (1.5, 0), (0, -1.5), (0, 1.5), (-9, 0), (9, 0), (0, 9), (0, -9))]
    layer, read = open_classes(tmp_path, source="a.tif")
    result = run(task_of(layer, ClassKernel(read)), plots)
    found = class_areas(result, len(plots))
    same(found[0], {4: 0.5 * hectare_of(1)})
    same(found[1], {6: 0.5 * hectare_of(1)})
    same(found[2], {8: 0.5 * hectare_of(2)})
    same(found[3], {2: 0.5 * hectare_of(0)})
    assert found[4:] == [{}] * 4
    assert result.clipped.all() and result.weight[4:].tolist() == [0.0] * 4


def test_two_kernels_may_call_different_layers_by_the_same_name(tmp_path):
    write_tif(tmp_path / "a.tif", NINE, X0, Y0, D)
    write_tif(tmp_path / "b.tif", NINE + 100, X0, Y0, D)
    (layer, first), (_, second) = (open_classes(tmp_path, name="same", source=source) for source in ("a.tif", "b.tif"))
    result = run(task_of(layer, ClassKernel(first), ClassKernel(second)), [cells(1, 1, 2, 2)])
    assert [list(class_areas(result, 1, number)[0]) for number in (0, 1)] == [[5], [105]]


@pytest.mark.parametrize("tile", [64, 0])
def test_a_damaged_file_is_an_error_even_where_another_plugin_turned_gdals_exceptions_off(tmp_path, monkeypatch, tile):
    path, values = tmp_path / "layer.tif", np.random.default_rng(1).integers(0, 255, (128, 128)).astype(np.uint8)
    write_tif(path, values, 0, 0.128, 0.001, tile=tile, options=("COMPRESS=DEFLATE",))
    layer, read = open_classes(tmp_path, name="layer", source="layer.tif")
    stored = path.read_bytes()
    middle = len(stored) // 2
    path.write_bytes(stored[:middle] + bytes(5000) + stored[middle + 5000 :])
    monkeypatch.setattr(engine, "gdal_exceptions", contextlib.nullcontext)
    with pytest.raises(DatasetError, match=r"layer\.tif cannot be read"):
        run(task_of(layer, ClassKernel(read)), [box(0, 0, 0.128, 0.128)])
