"""Locations: each check with a plot that passes and one that fails, the bands, the country."""

import json
import math
import os

import numpy as np
import pytest

from epoch_plugin.core.collections.checks import CheckedPlot, LocationContext, check_locations
from epoch_plugin.core.collections.geodesy import circle, polygons_area_ha
from epoch_plugin.core.collections.location_rules import isoperimetric_quotient, low_precision
from epoch_plugin.core.collections.shapes import multipolygon_wkb, point_wkb
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.regions.countries import Borders, CountryHits, CountryVote, override_info, vote
from epoch_plugin.core.regions.country_names import find_country

WORLD_MAP = "/usr/share/qgis/resources/data/world_map.gpkg"


def rectangle(lon, lat, size=0.001, width=None):
    ring = np.array([[lon, lat], [lon + (width or size), lat], [lon + (width or size), lat + size], [lon, lat + size], [lon, lat]])
    return [[ring]]


def plot(name, polygons, source=None, **metadata):
    return CheckedPlot(f"u-{name}", name, multipolygon_wkb(polygons), source, polygons_area_ha(polygons), json.dumps(metadata))


def point(name, lon, lat, hectares=4.0, **metadata):
    return plot(name, [[circle(lon, lat, hectares)]], point_wkb(lon, lat), **metadata)


class FakeBorders:
    """Two countries: AA west of longitude 0, BB east of it, sea beyond 50 degrees; 5 km around 0 are border."""

    def locate(self, lons, lats):
        codes = ["" if abs(x) > 50 else "AA" if x < 0 else "BB" for x in lons]
        near = np.abs(lons) < 0.045
        return CountryHits(codes, near, (np.abs(lons) <= 50) & ~near, np.abs(lons) > 50)

    def same(self, one, other):
        return one == other


def check(plots, **context):
    return check_locations(plots, LocationContext(**context), NoProgress())


def values(report, name):
    return [p.checks[name] for p in report.plots]


def test_a_good_collection_scores_one_and_is_high():
    plots = [plot("a", rectangle(-10.12345, 5.12345)), plot("b", rectangle(-10.23456, 5.2, 0.002))]
    report = check(plots, country="AA", crop="cocoa", borders=FakeBorders())
    assert report.confidence == "high" and report.score == pytest.approx(1.0) and report.weight_run == pytest.approx(0.8)
    assert all(v is None for v in values(report, "commodity")) and "commodity" in report.not_run


def test_declared_country_and_near_border():
    plots = [plot("in", rectangle(-10, 5)), plot("out", rectangle(10, 6)), plot("near", rectangle(0.01, 7))]
    report = check(plots, country="AA", borders=FakeBorders())
    assert values(report, "country") == [True, False, None] and "near_border" in report.plots[2].flags
    assert report.plots[1].problems == ("lies in BB, not in the declared country AA",)
    weights = 0.15 + 0.15 + 0.15 + 0.05  # land, area, overlap, not synthetic
    assert report.plots[1].score == pytest.approx(weights / (weights + 0.25))


def test_swapped_axes_that_fall_into_the_declared_country_fail_hard():
    report = check([plot("swapped", rectangle(6, -10)), plot("fine", rectangle(-10, 6))], country="AA", borders=FakeBorders())
    assert values(report, "range") == [False, True] and report.plots[0].score == 0
    assert "swapped" in report.plots[0].problems[0]
    assert report.score == pytest.approx(0.5, abs=0.01)


def test_land():
    report = check([plot("sea", rectangle(60, 5)), plot("land", rectangle(-10, 5)), plot("coast", rectangle(0.001, 5))], borders=FakeBorders())
    assert values(report, "land") == [False, True, None]
    assert values(check([plot("a", rectangle(1, 1))]), "land") == [None]


@pytest.mark.parametrize("item, passed", [
    (plot("usual", rectangle(1, 1)), True), (plot("tiny", rectangle(1, 1, 0.00005)), False), (plot("huge", rectangle(1, 1, 0.04)), False),
    (plot("estate", rectangle(1, 1, 0.04), system_type="Estate"), True), (plot("declared", rectangle(1, 1), area=1.3), True),
    (plot("half", rectangle(1, 1), area=2.6), False), (plot("double", rectangle(1, 1), area=0.5), False), (point("assumed", 1, 1), None),
    (point("told", 1, 1, 2.0, area=2.0), True),
])  # fmt: skip
def test_area(item, passed):
    assert values(check([item]), "area") == [passed]


def test_overlap_needs_five_percent_and_a_hundredth_of_a_hectare():
    base = plot("base", rectangle(1, 1))
    touching, slight, much = (plot(n, rectangle(1 + s * 0.001, 1)) for n, s in (("touching", 1), ("slight", 0.96), ("much", 0.5)))
    assert values(check([base, touching]), "overlap") == [True, True]
    assert values(check([base, slight]), "overlap") == [True, True]
    report = check([base, much])
    assert values(report, "overlap") == [False, False] and report.plots[0].problems == ("50% lie in plot 'much'",)
    tiny = plot("tiny", rectangle(1.0001, 1.0001, 0.00008))  # 0.008 ha inside base
    assert values(check([base, tiny]), "overlap") == [True, True]
    small = plot("small", rectangle(1.0001, 1.0001, 0.0002))  # 4 % of base, all of itself
    assert values(check([base, small]), "overlap") == [True, False]


def test_the_assumed_circles_of_points_overlap_only_if_the_points_are_the_same():
    near = [point("a", 1, 1), point("b", 1.0005, 1), plot("c", rectangle(1, 1))]
    assert values(check(near), "overlap") == [True, True, True]
    assert values(check([point("a", 1, 1), point("b", 1, 1)]), "overlap") == [False, False]
    others = [("other", "x", multipolygon_wkb(rectangle(1.0005, 1)))]
    assert values(check([plot("c", rectangle(1, 1)), point("p", 1.0005, 1)], others=others), "overlap") == [False, True]


def test_latitude():
    plots = [plot("tropics", rectangle(1, 5)), plot("north", rectangle(1, 50))]
    assert values(check(plots, crop="cocoa"), "latitude") == [True, False]
    assert values(check(plots, crop="soy"), "latitude") == [True, True]
    assert values(check(plots), "latitude") == [None, None]


def test_synthetic_shapes():
    copies = [plot(str(n), rectangle(n, 1)) for n in range(5)]
    assert values(check(copies), "not_synthetic") == [False] * 5
    assert values(check(copies[:4]), "not_synthetic") == [True] * 4
    grown = [plot(str(n), rectangle(n, 1, 0.001, 0.001 * (1 + n / 100))) for n in range(5)]
    assert values(check(grown), "not_synthetic") == [True] * 5
    drawn_circle = plot("circle", [[circle(1, 1, 3.0)]])
    assert values(check([drawn_circle, point("p", 2, 2)]), "not_synthetic") == [False, None]


def test_isoperimetric_quotient_of_known_shapes():
    assert isoperimetric_quotient(rectangle(0, -0.0005)) == pytest.approx(math.pi / 4, rel=1e-6)
    n = 64  # 4 pi A / P^2 of a regular n-gon = pi / (n tan(pi / n))
    assert isoperimetric_quotient([[circle(10, 0, 1.0)]]) == pytest.approx(math.pi / (n * math.tan(math.pi / n)), rel=2e-2)


def test_flags():
    report = check([plot("a", rectangle(1, 1, 0.0123)), plot("a", rectangle(2.12345, 1)), point("p", 3.25, 1.5)])
    assert [p.flags for p in report.plots] == [("duplicate_plotid", "low_precision"), ("duplicate_plotid",), ("area_assumed", "low_precision")]
    assert low_precision(np.array([[179.1234, -89.9999]])) and not low_precision(np.array([[179.12345, 1.0]]))


@pytest.mark.parametrize("swapped, confidence", [(0, "high"), (2, "high"), (4, "medium"), (6, "low"), (10, "low")])
def test_bands(swapped, confidence):
    """`swapped` of 10 plots score 0, the others 1; their sizes differ so that none looks generated."""
    sizes = [0.001 + n * 1e-5 for n in range(10)]
    plots = [plot(str(n), rectangle(6 + n, -10, s) if n < swapped else rectangle(-10 - n, 6, s)) for n, s in enumerate(sizes)]
    report = check(plots, country="AA", borders=FakeBorders())
    assert report.score == pytest.approx(1 - swapped / 10, abs=0.05)
    assert report.confidence == confidence


def test_no_plots_is_invalid_and_the_score_is_area_weighted():
    assert check([]).confidence == "invalid"
    big, small = plot("big", rectangle(-10, 6, 0.02)), plot("small", rectangle(6, -10, 0.002))
    report = check([big, small], country="AA", borders=FakeBorders())
    assert report.score == pytest.approx(big.area / (big.area + small.area))


def hits(codes, near=()):
    n = len(codes)
    return CountryHits(codes, np.array([i in near for i in range(n)]), np.ones(n, bool), np.zeros(n, bool))


def test_country_vote_and_the_apis_message():
    found = hits(["NG"] * 75 + ["GH"] * 25)
    result = vote(found, np.ones(100, bool))
    assert override_info("Ghana", result) == {
        "was_overridden": True, "original_country": "Ghana", "detected_country": "Nigeria",
        "message": "Country automatically overridden from 'Ghana' to 'Nigeria' based on file locations (75/100 locations in Nigeria)",
    }  # fmt: skip
    assert override_info("NGA", result) is None and override_info(None, result) is None


def test_plots_near_a_border_count_in_the_denominator_only():
    found = hits(["NG"] * 10, near=range(6))
    assert vote(found, np.ones(10, bool)) == CountryVote("NG", 4, 10)
    assert override_info("Ghana", vote(found, np.ones(10, bool))) is None
    assert vote(hits(["NG"] * 4 + ["GH"] * 4), np.arange(8) != 0) == CountryVote("GH", 4, 7)
    assert vote(hits(["", ""]), np.ones(2, bool)) is None
    assert override_info("Ghana", CountryVote("NG", 5, 10)) is not None  # at least half


@pytest.mark.parametrize("text, code", [
    ("Ivory Coast", "CI"), ("Côte d'Ivoire", "CI"), ("cote d’ivoire", "CI"), ("CI", "CI"), ("civ", "CI"), ("Costa do Marfim", "CI"),
    ("Pantai Gading", "CI"), ("Brasil", "BR"), ("Indonésie", "ID"), ("DRC", "CD"), ("Viet Nam", "VN"), ("PNG", "PG"), ("GHA", "GH"),
    ("Atlantis", None), ("", None), (None, None),
])  # fmt: skip
def test_country_names(text, code):
    found = find_country(text)
    assert (found.iso2 if found else None) == code


@pytest.fixture(scope="module")
def world():
    if not os.path.isfile(WORLD_MAP):
        pytest.skip("QGIS's world_map.gpkg is not installed here")
    return Borders(WORLD_MAP)


def test_countries_of_known_places(world):
    places = {"CI": (-5.03, 7.69), "GH": (-1.62, 6.69), "ID": (101.45, 0.53), "BR": (-55.5, -12.5), "GF": (-52.8, 4.4), "FR": (2.5, 47.0),
              "FJ": (178.0, -17.8), "": (0.0, 0.0)}  # fmt: skip
    found = world.locate(np.array([p[0] for p in places.values()]), np.array([p[1] for p in places.values()]))
    assert found.codes == list(places)
    assert found.at_sea.tolist() == [False] * 7 + [True] and found.near_border.tolist() == [False] * 8
    assert world.admin1(np.array([-1.62, -1.5]), np.array([6.69, 6.7])) == "Ashanti"
    assert world.same("GF", "FR") and not world.same("GF", "BR")


def test_near_border_is_the_distance_to_the_other_country(world):
    """Against brute force: distances in a local plane to Ghana's whole outline, for points around its western border."""
    import shapely.wkb
    from osgeo import ogr
    from shapely.affinity import scale
    from shapely.geometry import Point

    dataset = ogr.Open(WORLD_MAP)
    layer = dataset.GetLayerByName("countries")
    layer.SetAttributeFilter("iso_a2 = 'GH'")
    feature = layer.GetNextFeature()  # kept: its geometry lives in it
    ghana = shapely.wkb.loads(bytes(feature.GetGeometryRef().ExportToWkb()))
    rng = np.random.default_rng(5)
    lons, lats = rng.uniform(-3.6, -3.0, 300), rng.uniform(6.4, 7.4, 300)
    found = world.locate(lons, lats)
    assert {"CI", "GH"} == set(found.codes)
    for lon, lat, code, near in zip(lons, lats, found.codes, found.near_border):
        shrink = math.cos(math.radians(lat))
        km = scale(ghana, shrink, 1, origin=(0, 0)).distance(Point(lon * shrink, lat)) * 111.2
        assert (code == "GH") == (km == 0)
        if code == "CI" and abs(km - 5) > 0.05:
            assert near == (km < 5)


def test_the_packaged_map_is_not_touched(world):
    before = os.stat(WORLD_MAP).st_mtime_ns
    Borders(WORLD_MAP)
    assert os.stat(WORLD_MAP).st_mtime_ns == before
    assert not [f for f in os.listdir(os.path.dirname(WORLD_MAP)) if f.startswith("world_map.gpkg-")]
