"""Canonical plots: what is kept, mended, cut, circled, and what is said of the rest."""

import csv
import io
import json
import math

import numpy as np
import pyproj
import pytest
import shapely.wkb
from shapely.geometry import Polygon, box

from epoch_plugin.core.collections.plots import BadFeature, Plot, StageOptions, StageReport, canonical_plots
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.collections.report import bad_features_csv
from epoch_plugin.core.collections.shapes import Shape, multipolygon_wkb, point_wkb, shape_wkb
from epoch_plugin.core.collections.source import PlotSource, SourceFeature
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.progress import NoProgress

GEOD = pyproj.Geod(ellps="WGS84")
NAN = float("nan")


def polygon(*rings):
    return shape_wkb(Shape([[np.array(r, float) for r in rings]]))


def run(features, crs="EPSG:4326", default=None, **options):
    report = StageReport()
    numbered = [f if isinstance(f, SourceFeature) else SourceFeature(n, {}, f) for n, f in enumerate(features, start=1)]
    items = list(canonical_plots(PlotSource("test", crs, numbered, default_crs=default), StageOptions(**options), report, NoProgress()))
    return [i for i in items if isinstance(i, Plot)], [i for i in items if isinstance(i, BadFeature)], report


SQUARE = [(-5, 6), (-4.99, 6), (-4.99, 6.01), (-5, 6.01), (-5, 6)]
BOWTIE = [(-5, 6), (-4.99, 6.01), (-4.99, 6), (-5, 6.01), (-5, 6)]
LINE = b"\x01\x02\x00\x00\x00\x02\x00\x00\x00" + np.array([[1, 2], [3, 4]], "<f8").tobytes()
SHIFTED = [(-5.001, 5.999), (-4.995, 5.999), (-4.995, 6.005), (-5.001, 6.005), (-5.001, 5.999)]
OUTSIDE_HOLE = [(-4, 6), (-4, 6.001), (-3.999, 6.001), (-4, 6)]

BAD = {
    "no geometry": (None, "missing_geometry"),
    "empty polygon": (multipolygon_wkb([]), "empty_geometry"),
    "empty point": (point_wkb(NAN, NAN), "empty_geometry"),
    "garbage bytes": (b"\x01\x03\x00\x00", "unreadable_geometry"),
    "NaN coordinate": (polygon([(-5, 6), (NAN, 6), (-4.99, 6.01), (-5, 6)]), "nan_coordinate"),
    "infinite coordinate": (polygon([(-5, 6), (math.inf, 6), (-4.99, 6.01), (-5, 6)]), "nan_coordinate"),
    "line": (LINE, "line_geometry"),
    "3-point ring": (polygon([(-5, 6), (-4.99, 6), (-5, 6)]), "too_few_points"),
    "1-point ring": (polygon([(-5, 6)]), "too_few_points"),
    "unclosed ring": (polygon(SQUARE[:-1]), "unclosed_ring"),
    "self-crossing": (polygon(BOWTIE), "self_crossing"),
    "zero area on a line": (polygon([(-5, 6), (-4.99, 6.01), (-4.98, 6.02), (-5, 6)]), "zero_area"),
    "zero area in a point": (polygon([(-5, 6)] * 4), "zero_area"),
    "hole outside": (polygon(SQUARE, OUTSIDE_HOLE), "hole_outside"),
    "overlapping parts": (multipolygon_wkb([[np.array(SQUARE, float)], [np.array(SHIFTED, float)]]), "self_crossing"),
    "latitude and longitude swapped": (polygon([(y, x) for x, y in [(105, -6), (105.1, -6), (105.1, -6.1), (105, -6)]]), "swapped_axes"),
    "out of range": (polygon([(181, 6), (182, 6), (182, 7), (181, 6)]), "out_of_range"),
    "projected metres": (polygon([(278000, 663000), (278100, 663000), (278100, 663100), (278000, 663000)]), "projected_coordinates"),
    "polygon and line mixed": (shape_wkb(Shape([[np.array(SQUARE, float)]], lines=[np.array([[0, 0], [1, 1]], float)])), "mixed_geometry"),
    "TIN": (b"\x01\x10\x00\x00\x00\x00\x00\x00\x00", "unsupported_geometry"),
    "around the pole": (polygon([(-179, 80), (-60, 80), (60, 80), (179, 80), (-179, 80)]), "around_pole"),
}


@pytest.mark.parametrize("wkb, code", BAD.values(), ids=BAD.keys())
def test_each_bad_feature_is_reported_between_good_ones(wkb, code):
    plots, bad, report = run([polygon(SQUARE), SourceFeature(2, {"plotid": "bad one"}, wkb), polygon(SQUARE)])
    assert len(plots) == 2 and report.read == 3 and report.rejected == 1 and dict(report.rejected_reasons) == {code: 1}
    assert (bad[0].row, bad[0].plotid, bad[0].reason_code) == (2, "bad one", code)
    assert len(bad[0].reason) > 15
    if code not in ("missing_geometry", "empty_geometry", "unreadable_geometry", "out_of_range", "projected_coordinates", "unsupported_geometry"):
        assert bad[0].lon is not None and -180 <= bad[0].lon <= 180 and bad[0].wkt


def test_the_position_of_a_self_crossing_is_the_crossing():
    _, bad, _ = run([polygon(BOWTIE)])
    assert (bad[0].lon, bad[0].lat) == (pytest.approx(-4.995), pytest.approx(6.005))


def test_the_report_for_the_supplier_is_csv():
    bad = [BadFeature(3, "=1+1", 'a "reason", long', "zero_area", 1.5, None, "POINT(1 2)")]
    rows = list(csv.reader(io.StringIO(bad_features_csv(bad))))
    assert rows == [["row", "plotid", "reason_code", "reason", "longitude", "latitude", "wkt"],
                    ["3", "'=1+1", "zero_area", 'a "reason", long', "1.5", "", "POINT(1 2)"]]  # fmt: skip


MENDABLE = {
    "self-crossing": (polygon(BOWTIE), Polygon(BOWTIE).buffer(0).area, 2),
    "unclosed ring": (polygon(SQUARE[:-1]), Polygon(SQUARE).area, 1),
    "degenerate hole": (polygon(SQUARE, [(-4.995, 6.005)] * 4), Polygon(SQUARE).area, 1),
    "mixed": (shape_wkb(Shape([[np.array(SQUARE, float)]], lines=[np.array([[0, 0], [1, 1]], float)])), Polygon(SQUARE).area, 1),
}


@pytest.mark.parametrize("wkb, area, parts", MENDABLE.values(), ids=MENDABLE.keys())
def test_fix_geometries_mends_and_says_what(wkb, area, parts):
    plots, bad, report = run([wkb], fix_geometries=True)
    assert not bad
    geometry = shapely.wkb.loads(plots[0].polygon)
    assert geometry.is_valid and geometry.geom_type == "MultiPolygon"
    if parts == 2:  # a symmetric bow-tie: two triangles, each a quarter of the square
        assert len(geometry.geoms) == 2 and geometry.area == pytest.approx(0.5 * 0.01 * 0.01)
    else:
        assert geometry.area == pytest.approx(area)
    assert plots[0].source_geometry is not None and "mended" in plots[0].flags
    entry = report.mended[0]
    assert entry["row"] == 1 and entry["changes"] and entry["area_after_ha"] == pytest.approx(plots[0].area)


@pytest.mark.parametrize("name", ["no geometry", "NaN coordinate", "line", "3-point ring", "zero area on a line", "swapped", "projected metres"])
def test_fix_geometries_invents_nothing(name):
    wkb, code = next(v for k, v in BAD.items() if name in k)
    plots, bad, _ = run([wkb], fix_geometries=True)
    assert not plots and bad[0].reason_code == code


def test_source_geometry_is_null_where_nothing_was_changed():
    z = b"\x01\xeb\x03\x00\x00\x01\x00\x00\x00\x05\x00\x00\x00" + np.array([(*p, 9.0) for p in SQUARE], "<f8").tobytes()
    plots, _, _ = run([polygon(SQUARE), z])
    assert [p.source_geometry for p in plots] == [None, None] and plots[0].polygon == plots[1].polygon and plots[0].text == plots[1].text


def test_area_of_the_whisp_plots_is_pyprojs_and_attributes_are_kept(shared):
    path = shared / "data" / "plots" / "whisp_example_50.geojson"
    report = StageReport()
    plots = list(canonical_plots(open_source(str(path)), StageOptions(), report, NoProgress()))
    features = json.loads(path.read_text())["features"]
    assert len(plots) == len(features) == 50 and all(isinstance(p, Plot) for p in plots)
    for plot, feature in zip(plots, features):
        total = 0.0
        for rings in feature["geometry"]["coordinates"]:
            for number, ring in enumerate(rings):
                lon, lat = [p[0] for p in ring], [p[1] for p in ring]
                area = abs(GEOD.polygon_area_perimeter(lon, lat)[0])
                total += area if number == 0 else -area
        assert plot.area == pytest.approx(total / 1e4, rel=1e-12)
        assert json.loads(plot.metadata) == feature["properties"]
        assert plot.source_geometry is None
    assert 0.15 < min(p.area for p in plots) and 1400 < max(p.area for p in plots) < 1450


@pytest.mark.parametrize("attributes, area, flags", [
    ({"area": 2.5}, 2.5, ()), ({"Area": "1,75"}, 1.75, ()), ({"AREA": 50_000}, 50_000, ()), ({"area_ha": 0.01}, 0.01, ()),
    ({}, 4.0, ("area_assumed",)), ({"area": -1}, 4.0, ("area_assumed",)), ({"area": "big"}, 4.0, ("area_assumed",)),
    ({"area": NAN}, 4.0, ("area_assumed",)),
])  # fmt: skip
def test_a_point_becomes_a_64_gon_of_the_declared_area(attributes, area, flags):
    plots, _, report = run([SourceFeature(1, attributes, point_wkb(-5.123, 6.5))])
    plot = plots[0]
    ring = np.array(shapely.wkb.loads(plot.polygon).geoms[0].exterior.coords)
    assert len(ring) == 65
    assert abs(GEOD.polygon_area_perimeter(ring[:, 0], ring[:, 1])[0]) / 1e4 == pytest.approx(area, abs=1e-7, rel=1e-9)
    distances = GEOD.inv([-5.123] * 64, [6.5] * 64, ring[:-1, 0], ring[:-1, 1])[2]
    assert max(distances) - min(distances) < 1e-6
    assert plot.text == "POINT(-5.123000 6.500000)" and plot.source_geometry == point_wkb(-5.123, 6.5)
    assert plot.flags == ("point", *flags) and report.assumed_areas_count == len(flags)


def test_a_multipoint_is_one_plot_per_point():
    wkb = shape_wkb(Shape(points=np.array([[1.0, 2.0], [3.0, 4.0]])))
    plots, _, report = run([SourceFeature(1, {"plotid": "a", "x": 1}, wkb)], point_area_ha=1.0)
    assert [p.plotid for p in plots] == ["a-1", "a-2"] and report.stored == 2 and report.read == 1
    assert [p.text for p in plots] == ["POINT(1.000000 2.000000)", "POINT(3.000000 4.000000)"]
    assert all(p.area == pytest.approx(1.0, abs=1e-7) and json.loads(p.metadata) == {"plotid": "a", "x": 1} for p in plots)


def test_a_ring_across_the_antimeridian_is_split_with_its_hole():
    outer = [(179.99, -17), (-179.99, -17), (-179.99, -16.98), (179.99, -16.98), (179.99, -17)]
    hole = [(179.995, -16.995), (179.995, -16.985), (-179.995, -16.985), (-179.995, -16.995), (179.995, -16.995)]
    plots, bad, report = run([SourceFeature(1, {"id": "fiji"}, polygon(outer, hole))])
    assert not bad and report.split == ["fiji"] and "split" in plots[0].flags
    geometry = shapely.wkb.loads(plots[0].polygon)
    west, _, east, _ = geometry.bounds
    assert (west, east) == (-180, 180) and geometry.is_valid and len(geometry.geoms) == 2
    wanted = box(179.99, -17, 180.01, -16.98).area - box(179.995, -16.995, 180.005, -16.985).area
    assert geometry.area == pytest.approx(wanted, rel=1e-9)
    lon, lat = zip(*outer)
    lon_h, lat_h = zip(*hole)
    whole = abs(GEOD.polygon_area_perimeter(lon, lat)[0]) - abs(GEOD.polygon_area_perimeter(lon_h, lat_h)[0])
    assert plots[0].area == pytest.approx(whole / 1e4, rel=1e-6)
    assert shapely.wkb.loads(plots[0].source_geometry).exterior.coords[0] == (179.99, -17)


def test_points_and_bow_ties_at_the_antimeridian():
    bowtie = [(179.99, 1), (-179.99, 1.02), (-179.99, 1), (179.99, 1.02), (179.99, 1)]
    plots, bad, _ = run([SourceFeature(1, {"area": 100}, point_wkb(179.9999, -17)), polygon(bowtie)])
    assert len(shapely.wkb.loads(plots[0].polygon).geoms) == 2 and plots[0].area == pytest.approx(100, rel=1e-6)
    assert bad[0].reason_code == "self_crossing" and abs(abs(bad[0].lon) - 180) < 1e-6
    plots, bad, _ = run([polygon(bowtie)], fix_geometries=True)
    assert not bad and set(plots[0].flags) == {"mended", "split"}


@pytest.mark.parametrize("attributes, field, ids", [
    ([{"plotId": "x"}, {"plotId": "y"}], "plotId", ["x", "y"]),
    ([{"external_id": 7, "name": "n"}, {"external_id": 8.0, "name": "m"}], "external_id", ["7", "8"]),
    ([{"ID": 1, "plot_id": "p1"}, {"ID": 2, "plot_id": "p2"}], "plot_id", ["p1", "p2"]),
    ([{"plot_id": "same", "id": 1}, {"plot_id": "same", "id": 2}], "id", ["1", "2"]),
    ([{"plot_id": "same"}, {"plot_id": "same"}], "plot_id", ["same", "same"]),
    ([{"name": "farm"}, {"name": "farm"}], None, ["1", "2"]),
    ([{"user": 1}, {}], None, ["1", "2"]),
])  # fmt: skip
def test_which_attribute_is_the_plot_id(attributes, field, ids):
    plots, _, report = run([SourceFeature(n, a, polygon(SQUARE)) for n, a in enumerate(attributes, start=1)])
    assert report.plot_id_field == field and [p.plotid for p in plots] == ids


def test_the_wanted_id_field_and_an_unknown_one():
    features = [SourceFeature(1, {"plotid": "a", "Code": "z"}, polygon(SQUARE)), SourceFeature(2, {"plotid": "b"}, polygon(SQUARE))]
    assert [p.plotid for p in run(features, plot_id_field="Code")[0]] == ["z", "2"]
    with pytest.raises(InputError, match=r"no attribute 'nope'.*plotid, Code"):
        run(features, plot_id_field="nope")


def test_duplicate_plot_ids_are_kept_and_reported():
    plots, bad, report = run([SourceFeature(n, {"plotid": i}, polygon(SQUARE)) for n, i in enumerate(["a", "b", "a"], start=1)])
    assert len(plots) == 3 and not bad and plots[2].flags == ("duplicate_plotid",)
    assert report.duplicate_plotids == [{"plotid": "a", "row": 3, "first_row": 1}]


def test_metadata_is_valid_json_whatever_the_values():
    import datetime as dt
    import decimal

    values = {"nan": NAN, "inf": math.inf, "day": dt.date(2020, 1, 2), "time": dt.datetime(2020, 1, 2, 3, 4, 5), "bytes": b"\x00\xff",
              "dec": decimal.Decimal("1.5"), "np": np.float32(0.5), "list": [np.int64(1), NAN], "sur": "a\ud800b", "Key": 1, "key": 2}  # fmt: skip
    plots, _, _ = run([SourceFeature(1, values, polygon(SQUARE))])
    assert json.loads(plots[0].metadata) == {
        "nan": None, "inf": None, "day": "2020-01-02", "time": "2020-01-02T03:04:05", "bytes": "00ff", "dec": 1.5, "np": 0.5,
        "list": [1, None], "sur": "a?b", "Key": 1, "key": 2,
    }  # fmt: skip
    assert list(json.loads(plots[0].metadata)) == sorted(values)


def test_coordinates_that_the_crs_does_not_define():
    good = polygon([(278000, 663000), (278100, 663000), (278100, 663100), (278000, 663000)])
    plots, bad, _ = run([good, polygon([(1e12, 0), (1e12, 1), (2e12, 1), (1e12, 0)])], crs="EPSG:32630")
    assert len(plots) == 1 and bad[0].reason_code in ("outside_crs", "out_of_range", "projected_coordinates", "swapped_axes")
