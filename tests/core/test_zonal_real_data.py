"""Class areas on real rasters against exactextract's coverage times true cell areas; plots as given and at random."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal, ogr
from pyproj import Geod, Transformer
from shapely import wkb
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.ops import transform

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.zonal import engine
from epoch_plugin.core.zonal.cell_area import CellArea
from tests.core.raster_files import wkb_of, write_tif
from tests.core.zonal_kernels import ClassKernel, class_areas, open_classes, run, task_of

GEOD = Geod(ellps="WGS84")
PER_PLOT = 5e-7  # of the plot's area; exactextract's own coverage is float32


def random_plots(extent, n, seed, sizes):
    """Plots of 3 to 40 vertices, boxes, holes and pairs; some reach over the edge of the extent."""
    rng = np.random.default_rng(seed)
    left, bottom, right, top = extent
    plots = []
    while len(plots) < n:
        size = 10 ** rng.uniform(*np.log10(sizes))
        x, y = rng.uniform(left, right), rng.uniform(bottom, top)
        kind = len(plots) % 5
        if kind == 0:
            shape = box(x, y, x + size, y + size * rng.uniform(0.3, 3))
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 40))))
            radii = size * rng.uniform(0.5, 1, len(angles))
            shape = Polygon(np.c_[x + radii * np.cos(angles), y + radii * np.sin(angles)])
        if not shape.is_valid:
            continue
        if kind == 1:
            shape = shape.difference(box(x - size / 4, y - size / 4, x + size / 4, y + size / 3))
        if kind == 2:
            shape = shape.union(box(x + 2 * size, y, x + 3 * size, y + size))
        if shape.is_valid and not shape.is_empty and shape.geom_type in ("Polygon", "MultiPolygon"):
            plots.append(shape)
    return plots


def coverage_table(path, shapes):
    """Return per plot the arrays cell_id and coverage of a raster; through a mosaic without nodata, so that no cell is hidden."""
    exactextract = pytest.importorskip("exactextract")
    bare = f"/vsimem/{abs(hash(path))}.vrt"
    options = gdal.BuildVRTOptions(srcNodata="none", VRTNodata="none")
    gdal.BuildVRT(bare, [str(path)], options=options).FlushCache()
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": shape.__geo_interface__} for n, shape in enumerate(shapes)]
    found = exactextract.exact_extract(gdal.Open(bare), features, ["cell_id", "coverage", "values"], include_cols=["n"])
    gdal.Unlink(bare)
    return [item["properties"] for item in sorted(found, key=lambda item: item["properties"]["n"])]


def expected_areas(path, shapes):
    """{value: m2} per plot."""
    dataset = gdal.Open(str(path))
    x0, dx, _, y0, _, dy = dataset.GetGeoTransform()
    grid = Grid(dataset.GetSpatialRef().ExportToWkt(), x0, y0, dx, dy, dataset.RasterXSize, dataset.RasterYSize)
    values = dataset.GetRasterBand(1).ReadAsArray().ravel()
    areas = CellArea(grid)  # itself held against pyproj in test_zonal_cell_area
    wanted = []
    for row in coverage_table(path, shapes):
        cell = np.asarray(row["cell_id"], np.int64)
        weight = np.asarray(row["coverage"], float) * areas(cell // grid.ncols, cell % grid.ncols)
        wanted.append({int(value): float(weight[values[cell] == value].sum()) for value in np.unique(values[cell])})
    return wanted


def differences(found, wanted):
    """Return the largest difference of any class area, as a share of the plot's weight, over all plots that lie in the raster."""
    worst, compared = 0.0, 0
    for ours, theirs in zip(found, wanted):
        whole = sum(theirs.values())
        if whole == 0:
            assert sum(ours.values()) == 0
            continue
        compared += 1
        worst = max(worst, max(abs(ours.get(value, 0) - theirs.get(value, 0)) for value in {*ours, *theirs}) / whole)
    return worst, compared


def given(path):
    dataset = ogr.Open(str(path))
    return [wkb.loads(bytes(feature.GetGeometryRef().ExportToWkb())) for feature in dataset.GetLayer(0)]


def extent_of(path):
    dataset = gdal.Open(str(path))
    x0, dx, _, y0, _, dy = dataset.GetGeoTransform()
    return x0, y0 + dataset.RasterYSize * dy, x0 + dataset.RasterXSize * dx, y0


@pytest.fixture
def neiba(shared):
    return shared / "data" / "sierra_de_neiba"


def test_hansen_loss_year_in_degrees(tmp_path, neiba):
    path = neiba / "Hansen_GFC-2023-v1.11_lossyear_20N_080W.tif"
    plots = [shape for name in ("gfw_sample.gpkg", "sierra_de_neiba_478140.gpkg") for shape in given(neiba / name)]
    assert len(plots) == 2
    plots += random_plots(extent_of(path), 250, 7, (0.00005, 0.02))
    layer, read = open_classes(tmp_path, source=str(path), nodata=None)
    found = class_areas(run(task_of(layer, ClassKernel(read)), plots), len(plots))
    worst, compared = differences(found, expected_areas(path, plots))
    assert compared >= 202
    assert worst < PER_PLOT


@pytest.mark.parametrize("name", ["fcc123.tif", "fcc123_GLP_utm.tif"])
def test_forest_change_in_metres(tmp_path, shared, name):
    path = shared / "data" / "guadeloupe" / name
    plots = random_plots((-61.84, 15.82, -61.0, 16.52), 300, 8, (0.0003, 0.05))
    layer, read = open_classes(tmp_path, source=str(path), nodata=None)
    to_metres = Transformer.from_crs("EPSG:4326", layer.grid.crs, always_xy=True).transform
    found = class_areas(run(task_of(layer, ClassKernel(read)), plots), len(plots))
    wanted = expected_areas(path, [transform(to_metres, densified(shape, 0.0002)) for shape in plots])
    compared = 0
    for shape, ours, theirs in zip(plots, found, wanted):
        # the engine cuts edges until none bends by more than 0.1 m: over all edges that is a margin of at most 0.1 m x the outline
        margin = 0.1 * abs(GEOD.geometry_length(shape)) + PER_PLOT * sum(theirs.values())
        compared += sum(theirs.values()) > 0
        for value in {*ours, *theirs}:
            assert ours.get(value, 0) == pytest.approx(theirs.get(value, 0), abs=margin)
    assert compared >= 200


@pytest.mark.parametrize("name", ["fcc123.tif", "fcc123_GLP_utm.tif"])
def test_plots_of_short_edges_in_metres(tmp_path, shared, name):
    # edges under 300 m bend by millimetres only: nothing is cut, and both sides have the same straight edges
    path = shared / "data" / "guadeloupe" / name
    plots = random_plots((-61.84, 15.82, -61.0, 16.52), 300, 9, (0.0002, 0.002))
    layer, read = open_classes(tmp_path, source=str(path), nodata=None)
    to_metres = Transformer.from_crs("EPSG:4326", layer.grid.crs, always_xy=True).transform
    found = class_areas(run(task_of(layer, ClassKernel(read)), plots), len(plots))
    worst, compared = differences(found, expected_areas(path, [transform(to_metres, shape) for shape in plots]))
    assert compared >= 200
    assert worst < PER_PLOT


def densified(shape, step):
    """Cut every edge into parts of at most `step` degrees."""

    def ring(coordinates):
        points = []
        for (x0, y0), (x1, y1) in zip(coordinates[:-1], coordinates[1:]):
            n = max(int(np.ceil(np.hypot(x1 - x0, y1 - y0) / step)), 1)
            points += [(x0 + (x1 - x0) * k / n, y0 + (y1 - y0) * k / n) for k in range(n)]
        return points

    parts = [Polygon(ring(part.exterior.coords), [ring(hole.coords) for hole in part.interiors]) for part in getattr(shape, "geoms", [shape])]
    return MultiPolygon(parts)


def geodesic_area(shape, step):
    """Area (m2) of a shape whose edges are straight in degrees."""
    return abs(GEOD.geometry_area_perimeter(densified(shape, step))[0])


# weights against geodesic areas


def flat_layer(folder, extent, d):
    left, bottom, right, top = extent
    shape = int(np.ceil((top - bottom) / d)), int(np.ceil((right - left) / d))
    write_tif(folder / "flat.tif", np.ones(shape, "uint8"), left, top, d, tile=256)
    return open_classes(folder, source="flat.tif")


@pytest.mark.parametrize("latitude", [0.0, 5.0, -12.0, 23.5, 35.0])
def test_weights_add_up_to_the_geodesic_area(tmp_path, latitude):
    extent = (20.0, latitude - 0.1, 20.2, latitude + 0.1)
    layer, read = flat_layer(tmp_path, extent, 0.00025)
    plots = [shape for shape in random_plots((20.02, latitude - 0.08, 20.18, latitude + 0.08), 120, 10, (0.00003, 0.002))]
    result = run(task_of(layer, ClassKernel(read)), plots)
    assert not result.clipped.any()
    for shape, weight, areas in zip(plots, result.weight, class_areas(result, len(plots))):
        area = abs(GEOD.geometry_area_perimeter(shape)[0])
        assert weight == pytest.approx(area, rel=1e-5)  # edges under 0.002 degrees, vertices as they are
        assert weight == pytest.approx(sum(areas.values()), rel=1e-12)


def test_long_edges_are_straight_in_degrees(tmp_path):
    layer, read = flat_layer(tmp_path, (20.0, 50.0, 22.0, 52.0), 0.005)
    plots = [box(20.1, 50.2, 21.9, 51.8), Polygon([(20.2, 50.1), (21.8, 50.6), (21.1, 51.9)])]
    result = run(task_of(layer, ClassKernel(read)), plots)
    for shape, weight in zip(plots, result.weight):
        assert weight == pytest.approx(geodesic_area(shape, 1e-5), rel=1e-9)
        assert abs(weight / abs(GEOD.geometry_area_perimeter(shape)[0]) - 1) > 1e-5  # geodesics between the corners enclose another area


# the same bits for every number of threads and every chunk


def test_same_bits_for_all_threads_and_chunks(tmp_path):
    rng = np.random.default_rng(12)
    write_tif(tmp_path / "a.tif", rng.integers(0, 30, (900, 1300)).astype("uint8"), 10.0, 5.0, 0.00025, tile=256)
    write_tif(tmp_path / "b.tif", rng.integers(0, 5, (300, 400)).astype("int16"), 10.001, 4.999, 0.0009)
    write_tif(tmp_path / "c.tif", rng.integers(0, 5, (500, 700)).astype("uint8"), 1_113_000.0, 556_000.0, 100.0, crs="EPSG:3395")
    layers = [open_classes(tmp_path, name=name, source=f"{name}.tif", nodata=None) for name in "abc"]
    tasks = [task_of(layers[0][0], ClassKernel(layers[0][1]), ClassKernel(layers[1][1])), task_of(layers[2][0], ClassKernel(layers[2][1]))]
    plots = random_plots((9.99, 4.77, 10.33, 5.01), 90, 13, (0.0001, 0.15))
    wkbs = [wkb_of(shape) for shape in plots]

    def bits(threads, size, order=None):
        order = np.arange(len(wkbs)) if order is None else order
        rows = {}
        for start in range(0, len(wkbs), size):
            chunk = order[start : start + size]
            for number, result in enumerate(engine.run([wkbs[i] for i in chunk], tasks, threads, NoProgress())):
                for i, weight in zip(chunk, result.weight):
                    rows[number, "weight", int(i)] = float(weight).hex()
                for kernel, answer in enumerate(result.kernels):
                    for plot, state, area in zip(answer.plot, answer.state, answer.area):
                        rows[number, kernel, int(chunk[plot]), tuple(answer.states[state])] = float(area).hex()
        return rows

    first = bits(1, 90)
    assert len(first) > 90 * 30
    assert all(bits(*run) == first for run in ((2, 90), (7, 90), (2, 1), (7, 13), (1, 40)))
    assert bits(3, 29, np.random.default_rng(14).permutation(90)) == first
