"""The store is a GeoPackage that GDAL lists, filters and counts as it is."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store import collections, jobs, results, schema
from epoch_plugin.core.store.geometry import blob_envelope, blob_wkb, multipolygon_blob, register_functions
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import SIDE, add_collection, job, plot, result, square

ogr = pytest.importorskip("osgeo.ogr")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "new folder" / "collections.gpkg")


def layer_of(store, name):
    """An OGR layer that keeps its data source alive."""
    source = ogr.Open(store.path)
    layer = source.GetLayerByName(name)
    layer.source = source
    return layer


def commit(store, rows, job_id="job-1", status="completed", **changes):
    """Run a whole job: create, claim, one chunk, finish."""
    with store.writing() as connection:
        jobs.create(connection, job(job_id, **changes))
        jobs.claim(connection, job_id, "me")
        jobs.commit_chunk(connection, job_id, "me", "chunk-0", {"eudr_deforestation": rows}, 100.0)
        if status == "completed":
            jobs.finish(connection, job_id, "me", status)


def test_every_table_and_view_is_registered_and_opens_in_gdal(store):
    source = ogr.Open(store.path)
    names = {source.GetLayer(index).GetName() for index in range(source.GetLayerCount())}
    assert names == set(schema.TABLES) | {f"view_{name}" for name in schema.PLOT_STATISTICS}
    for name in names:
        layer = source.GetLayerByName(name)
        spatial = name.startswith("view_") or schema.TABLES[name].kind == "features"
        assert (layer.GetGeomType() == ogr.wkbMultiPolygon) is spatial, name
        assert name.startswith("view_") or layer.GetFIDColumn() == "fid", name


def test_header_and_system_tables_are_those_of_the_standard(store):
    with store.reading() as connection:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == 0x47504B47
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 10200
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
        assert {row[0] for row in connection.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")} == {-1, 0, 4326}
        extensions = {tuple(row) for row in connection.execute("SELECT table_name, column_name, extension_name, scope FROM gpkg_extensions")}
        assert extensions == {(name, "geom", "gpkg_rtree_index", "write-only") for name in ("plots", "stat_supply_shed")}


def test_tables_have_their_keys_and_types(store):
    with store.reading() as connection:
        for table in schema.TABLES.values():
            types = {row["name"]: row["type"] for row in connection.execute(f"PRAGMA table_info({table.name})")}
            assert types.pop("fid") == "INTEGER"
            assert types.pop("geom", "MULTIPOLYGON") == "MULTIPOLYGON"
            assert types == {column.name: "TEXT" if column.type == "JSON" else column.type for column in table.columns}
            indexes = [row["name"] for row in connection.execute(f"PRAGMA index_list({table.name})") if row["unique"]]
            keys = [tuple(row["name"] for row in connection.execute(f"PRAGMA index_info('{name}')")) for name in indexes]
            assert table.key in keys


def test_gdal_reads_plots_with_fid_area_and_spatial_filter(store):
    add_collection(store, 5)
    layer = layer_of(store, "plots")
    assert layer.GetFeatureCount() == 5
    feature = layer.GetFeature(2)
    assert (feature["plotid"], feature["area"]) == ("P2", 1.5)
    assert bytes(feature.GetGeometryRef().ExportToIsoWkb(ogr.wkbNDR)) == plot(2).polygon
    layer.SetSpatialFilterRect(-5.0 + 0.006 + 0.0001, 6.0001, -5.0 + 0.006 + 0.0002, 6.0002)
    assert [found["plotid"] for found in layer] == ["P3"]
    west, east, south, north = layer.GetExtent()
    assert (west, east, south, north) == pytest.approx((-4.998, -4.99 + SIDE, 6.0, 6.0 + SIDE))


def test_a_view_has_one_row_per_plot_its_newest_window_with_the_cut_off_first(store):
    add_collection(store, 6)
    commit(store, [result(1, "a", end="2024-12-31"), result(4, "a", end="2024-12-31")], "a")
    commit(store, [result(1, "b", end="2025-12-31"), result(6, "b", start="2022-12-31", end="2026-06-30")], "b")
    commit(store, [result(1, "c", start="2021-12-31", end="2026-12-31")], "c")
    layer = layer_of(store, "view_eudr_deforestation")
    assert layer.GetFeatureCount() == 3
    assert [(f.GetFID(), f["plotid"], f["job_id"], f["monitoring_end"]) for f in layer] == [
        (1, "P1", "b", "2025/12/31"), (4, "P4", "a", "2024/12/31"), (6, "P6", "b", "2026/06/30"),
    ]  # fmt: skip
    assert layer.GetFIDColumn() == "fid" and layer.TestCapability(ogr.OLCFastSpatialFilter)
    assert layer.GetFeature(6)["plotid"] == "P6"
    layer.SetAttributeFilter("job_id = 'b'")
    assert layer.GetFeatureCount() == 2
    layer.SetSpatialFilterRect(-4.9979, 6.0001, -4.9978, 6.0002)
    assert [found["plotid"] for found in layer] == ["P1"]
    definition = layer.GetLayerDefn()
    assert definition.GetFieldDefn(definition.GetFieldIndex("monitoring_start")).GetType() == ogr.OFTDate


def test_other_statistics_take_the_latest_end_whatever_the_start(store):
    add_collection(store, 1)
    base = {"uuid": "0xabc-000001", "collection_id": "0xabc"}
    with store.writing() as connection:
        for job_id, start, end in (("a", "2020-12-31", "2024-12-31"), ("b", "2022-12-31", "2025-12-31"), ("c", "2021-12-31", "2025-12-31")):
            jobs.create(connection, job(job_id))
            results.insert(connection, "water", [{**base, "job_id": job_id, "monitoring_start": start, "monitoring_end": end}])
    with store.reading() as connection:
        assert [row["job_id"] for row in connection.execute("SELECT job_id FROM view_water")] == ["b"]


def test_a_completed_job_comes_before_a_newer_unfinished_one_and_the_newest_completed_wins(store):
    add_collection(store, 2)
    commit(store, [result(1, "old")], "old")
    commit(store, [result(1, "new"), result(2, "new")], "new")
    commit(store, [result(1, "unfinished"), result(2, "unfinished")], "unfinished", status="in_progress")
    with store.reading() as connection:
        assert [row["job_id"] for row in connection.execute("SELECT job_id FROM view_eudr_deforestation ORDER BY fid")] == ["new", "new"]


def test_rtree_follows_updates_and_deletes(store):
    add_collection(store, 3)
    with store.writing() as connection:
        connection.execute("UPDATE plots SET geom = ? WHERE fid = 1", (multipolygon_blob(square(10, 10)),))
        connection.execute("DELETE FROM plots WHERE fid = 2")
        connection.execute("UPDATE plots SET fid = 9 WHERE fid = 3")
        boxes = {row["id"]: row["minx"] for row in connection.execute("SELECT id, minx FROM rtree_plots_geom")}
        assert set(boxes) == {1, 9} and boxes[1] == pytest.approx(10, abs=1e-5)


def test_blob_functions_agree_with_gdal():
    wkb = bytes(
        ogr.CreateGeometryFromWkt("MULTIPOLYGON (((0 0,4 0,4 3,0 0),(1 0.2,2 0.2,2 1,1 0.2)),((10 -5,11 -5,11 7,10 -5)))").ExportToIsoWkb(ogr.wkbXDR)
    )
    blob = multipolygon_blob(wkb)
    assert blob_wkb(blob) == wkb
    assert blob_envelope(blob) == (0, -5, 11, 7)
    connection = sqlite3.connect(":memory:")
    register_functions(connection)
    assert connection.execute("SELECT ST_MinX(?1), ST_MinY(?1), ST_MaxX(?1), ST_MaxY(?1), ST_IsEmpty(?1), ST_IsEmpty(NULL)", (blob,)).fetchone() == (
        0, -5, 11, 7, 0, None,
    )  # fmt: skip


@pytest.mark.parametrize("wkt", ["POINT (1 2)", "POLYGON ((0 0,1 0,1 1,0 0))", "MULTIPOLYGON EMPTY", "MULTIPOLYGON Z (((0 0 1,1 0 1,1 1 1,0 0 1)))"])
def test_only_filled_flat_multipolygons_are_stored_as_plots(store, wkt):
    wkb = bytes(ogr.CreateGeometryFromWkt(wkt).ExportToIsoWkb())
    with pytest.raises(StoreError, match="MULTIPOLYGON"):
        add_collection(store, plots=[plot(1, polygon=wkb)])


def test_what_a_column_cannot_hold_is_refused_by_name_and_nothing_is_kept(store):
    add_collection(store, 1)
    for column, value in (("forest_area", float("nan")), ("forest_area", float("inf")), ("overlap", {"a": float("nan")}),
                          ("reasons", "[NaN]"), ("reasons", "not json"), ("deforestation_start", "31/12/2020"),
                          ("valid_fraction", "much")):  # fmt: skip
        with pytest.raises(StoreError, match=f"{column} of 0xabc-000001"), store.writing() as connection:
            results.insert(connection, "eudr_deforestation", [result(1, **{column: value})])
    with pytest.raises(StoreError, match="no column forest"), store.writing() as connection:
        results.insert(connection, "eudr_deforestation", [result(1, forest=1)])
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM stat_eudr_deforestation").fetchone()[0] == 0


def test_dates_and_json_come_back_as_they_went_in(store):
    add_collection(store, 1, metadata={"clé": ["é", 1.5, None]}, country_override_info={"was_overridden": True})
    with store.writing() as connection:
        results.insert(connection, "eudr_deforestation", [result(1, deforestation_start=dt.date(2022, 1, 1), reasons='[\n{"code": "edge_only"}]')])
    with store.reading() as connection:
        row = connection.execute("SELECT * FROM stat_eudr_deforestation").fetchone()
        assert (row["deforestation_start"], row["reasons"]) == ("2022-01-01", '[ {"code": "edge_only"}]')
        found = collections.find(connection, "0xabc")
        assert found.metadata == {"clé": ["é", 1.5, None]} and found.country_override_info == {"was_overridden": True}
        assert found.ingestion_time == "2025-11-18T13:38:23.000Z"


def test_a_repeated_chunk_replaces_its_rows(store):
    add_collection(store, 2)
    commit(store, [result(1), result(2)], status="in_progress")
    with store.writing() as connection:
        jobs.commit_chunk(connection, "job-1", "me", "chunk-0", {"eudr_deforestation": [result(1, forest_area=0.75)]}, 50.0)
    with store.reading() as connection:
        assert [row[0] for row in connection.execute("SELECT forest_area FROM stat_eudr_deforestation ORDER BY fid")] == [0.75, 0.5]
        assert jobs.get(connection, "job-1").complete_task_ids == ["chunk-0"]


def test_a_repeated_region_row_keeps_the_spatial_index_right(store):
    row = {
        "uuid": "r",
        "collection_id": "0xabc",
        "stat_type": "region",
        "monitoring_start": "2020-12-31",
        "monitoring_end": "2025-12-31",
        "job_id": "j",
    }
    for west in (1.0, 2.0):
        with store.writing() as connection:
            results.insert(connection, "supply_shed", [{**row, "geom": square(west, 1), "noncompliance_area_ha": west}])
    layer = layer_of(store, "stat_supply_shed")
    assert layer.GetFeatureCount() == 1
    layer.SetSpatialFilterRect(0.9, 0.9, 1.1, 1.1)
    assert layer.GetFeatureCount() == 0
    layer.SetSpatialFilterRect(1.9, 0.9, 2.1, 1.1)
    assert [feature["noncompliance_area_ha"] for feature in layer] == [2.0]
