"""Regions: which kind a layer holds, which share of a plot lies in which region, and the borders that QGIS brings along."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest
import shapely.wkb
from pyproj import Geod
from shapely.geometry import MultiPolygon, Polygon, box

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.regions.admin_areas import admin_areas
from epoch_plugin.core.regions.layer_kinds import layer_kind
from epoch_plugin.core.regions.region import Region, area_ha, region_uuid
from epoch_plugin.core.regions.region_layer import describe_layer, read_regions
from epoch_plugin.core.regions.shares import Share, belongs, shares
from tests.core.raster_files import write_vector

GEOD = Geod(ellps="WGS84")
WORLD = (-180.0, -90.0, 180.0, 90.0)
WORLD_MAP = Path("/usr/share/qgis/resources/data/world_map.gpkg")
needs_map = pytest.mark.skipif(not WORLD_MAP.exists(), reason="QGIS's world_map.gpkg is not installed")


def region(shape, name="r", **changes):
    return Region(**{"uuid": name, "stat_type": "region", "name": name, "polygon": MultiPolygon([shape]).wkb, **changes})


def found(plots, regions, **options):
    boxes = np.array([plot.bounds for plot in plots])
    return list(shares(boxes, lambda positions: [plots[i].wkb for i in positions], regions, **options))


def ha(shape):
    return abs(GEOD.geometry_area_perimeter(shape)[0]) / 1e4


def test_shares_by_hand():
    left, right = region(box(9, 4, 10, 6), "left"), region(box(10, 4, 11, 6), "right")
    plots = [box(9.5, 5, 9.501, 5.001), box(9.999, 5, 10.003, 5.001), box(12, 5, 12.001, 5.001)]
    rows = {(share.plot, share.region): share.share for share in found(plots, [left, right])}
    assert rows.keys() == {(0, 0), (1, 0), (1, 1)}  # the third plot lies in none
    assert rows[0, 0] == 1.0
    # a quarter lies left of 10 degrees: between two meridians area goes with the difference of longitude
    assert rows[1, 0] == pytest.approx(0.25, abs=1e-9) and rows[1, 1] == pytest.approx(0.75, abs=1e-9)


def test_a_share_is_that_of_geodesic_areas_with_holes_and_slanted_borders():
    plot = Polygon([(10, 60), (10.02, 60), (10.02, 60.02), (10, 60.02)], [[(10.005, 60.005), (10.01, 60.005), (10.01, 60.01), (10.005, 60.01)]])
    half_plane = Polygon([(9, 59), (10.013, 59), (10.007, 61), (9, 61)])
    (share,) = found([plot], [region(half_plane)])
    assert share.share == pytest.approx(ha(_oriented(plot.intersection(half_plane))) / ha(_oriented(plot)), rel=1e-9)


def _oriented(shape):
    from shapely.geometry.polygon import orient

    return MultiPolygon([orient(part) for part in getattr(shape, "geoms", [shape])])


def test_areas_subtract_holes():
    shape = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [[(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)]])
    assert area_ha(shape) == pytest.approx(ha(_oriented(shape)), rel=1e-12)


def test_a_plot_belongs_from_the_threshold_on_less_what_rounding_takes():
    assert belongs(0.5, 0.5) and belongs(0.5 - 0.9e-6, 0.5) and not belongs(0.5 - 1.1e-6, 0.5)
    assert belongs(1 - 1e-9, 1.0) and not belongs(0.999, 1.0)


def test_plots_near_a_coarse_border_are_marked():
    plots = [box(9.9, 5, 9.901, 5.001), box(9.97, 5, 9.971, 5.001)]  # 11 km and 3.2 km from 10 degrees
    coarse = region(box(9, 4, 10, 6), coarse=True)
    assert found(plots, [coarse]) == [Share(0, 0, 1.0, False), Share(1, 0, 1.0, True)]
    assert [share.near_edge for share in found(plots, [coarse], near_border_km=12.0)] == [True, True]
    assert [share.near_edge for share in found(plots, [region(box(9, 4, 10, 6))])] == [False, False]


def test_many_plots_in_reasonable_time():
    rng = np.random.default_rng(7)
    angles = np.linspace(0, 2 * np.pi, 20_001)[:-1]
    radius = 1.5 + 0.02 * np.sin(800 * angles)
    regions = [region(Polygon(np.c_[k + radius * np.cos(angles), radius * np.sin(angles)]), f"r{k}") for k in (0, 3)]
    corners = rng.uniform(-2, 5, (20_000, 1)), rng.uniform(-2, 2, (20_000, 1))
    boxes = np.hstack([*corners, *(corner + 0.001 for corner in corners)])
    began = time.perf_counter()
    number = sum(1 for _ in shares(boxes, lambda positions: [box(*boxes[i]).wkb for i in positions], regions))
    assert 8_000 < number < 14_000
    assert time.perf_counter() - began < 30  # some 3 s on an idle machine


@pytest.mark.parametrize(
    ("fields", "chosen", "stat_type", "name_field"),
    [
        (["HYBAS_ID", "NEXT_DOWN", "PFAF_ID"], "", "watershed", "HYBAS_ID"),
        (["GID_0", "COUNTRY", "GID_1", "NAME_1"], "", "admin_area", "NAME_1"),
        (["shapeName", "shapeISO", "shapeID", "shapeGroup", "shapeType"], "", "admin_area", "shapeName"),
        (["id", "Name"], "", "region", "Name"),
        (["id", "zone"], "ZONE", "region", "zone"),
        (["HYBAS_ID", "river"], "river", "watershed", "river"),
    ],
)
def test_what_a_layer_holds_follows_from_its_fields(fields, chosen, stat_type, name_field):
    kind = layer_kind(fields, chosen, "the layer")
    assert (kind.stat_type, kind.name_field) == (stat_type, name_field)


def test_a_missing_name_field_is_named_with_those_there_are():
    with pytest.raises(InputError, match=r"has no field 'zone'; it has id, area"):
        layer_kind(["id", "area"], "zone", "the layer")
    with pytest.raises(InputError, match=r"REGION_NAME_FIELD is missing.*id, area"):
        layer_kind(["id", "area"], "", "the layer")


def test_features_of_one_name_are_one_region_in_any_crs(tmp_path):
    features = [(box(500_000, 600_000, 510_000, 610_000), {"zone": "north"}), (box(520_000, 600_000, 530_000, 610_000), {"zone": "north"}),
                (box(500_000, 500_000, 510_000, 510_000), {"zone": "south"})]  # fmt: skip
    path = str(write_vector(tmp_path / "zones.gpkg", features, crs="EPSG:32632"))
    regions = {region.name: region for region in read_regions(path, "zone", WORLD)}
    assert set(regions) == {"north", "south"} and regions["north"].stat_type == "region"
    north = shapely.wkb.loads(regions["north"].polygon)
    assert len(north.geoms) == 2
    assert area_ha(north) == pytest.approx(2 * 10_000 / 0.9996**2, rel=2e-4)  # 10 km squares at UTM's scale
    assert regions["north"].uuid == region_uuid("region", "", "north")
    assert [region.name for region in read_regions(path, "zone", (9.0, 4.0, 9.1, 4.6))] == ["south"]
    assert describe_layer(path, "zone")["size"] == Path(path).stat().st_size


def test_watersheds_keep_their_number(tmp_path):
    path = str(write_vector(tmp_path / "hybas.gpkg", [(box(0, 0, 1, 1), {"HYBAS_ID": 1100926160})]))
    (watershed,) = read_regions(path, "", WORLD)
    assert (watershed.uuid, watershed.stat_type, watershed.name) == ("1100926160", "watershed", "1100926160")


def test_a_region_without_a_name_is_refused(tmp_path):
    path = str(write_vector(tmp_path / "zones.gpkg", [(box(0, 0, 1, 1), {"zone": ""})]))
    with pytest.raises(InputError, match="feature 1 of 'areas' has no 'zone'"):
        read_regions(path, "zone", WORLD)
    with pytest.raises(InputError, match="there is no file"):
        read_regions(str(tmp_path / "nothing.gpkg"), "zone", WORLD)


@needs_map
def test_divisions_of_qgis_map_and_the_map_itself_stays_as_it_is():
    before = hashlib.sha256(WORLD_MAP.read_bytes()).hexdigest()
    areas = admin_areas(str(WORLD_MAP), (-6.6, 7.2, -6.4, 7.5))
    names = {area.name: area for area in areas}
    assert "Haut-Sassandra" in names
    area = names["Haut-Sassandra"]
    assert (area.stat_type, area.country, area.admin1, area.coarse) == ("admin_area", "Côte d'Ivoire", "Haut-Sassandra", True)
    assert area.uuid == region_uuid("admin_area", "CI", "Haut-Sassandra")
    assert area_ha(shapely.wkb.loads(area.polygon)) == pytest.approx(15_200 * 100, rel=0.05)  # 15,200 km2 by the country's statistics
    assert hashlib.sha256(WORLD_MAP.read_bytes()).hexdigest() == before
