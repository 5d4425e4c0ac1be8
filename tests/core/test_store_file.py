"""Which files the store accepts, refuses, migrates, and how it behaves beside other processes."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store import collections, connection, migrations, schema
from epoch_plugin.core.store import store as store_module
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, plot

ogr = pytest.importorskip("osgeo.ogr")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_is_no_geopackage_is_left_as_it_is(tmp_path):
    path = tmp_path / "plots.gpkg"
    path.write_bytes(b"\x89PNG not a database" * 100)
    before = sha256(path)
    with pytest.raises(StoreError, match="no GeoPackage"):
        Store(path)
    assert sha256(path) == before


def test_somebody_elses_geopackage_is_left_as_it_is(tmp_path):
    path = tmp_path / "mine.gpkg"
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    source.CreateLayer("plots", geom_type=ogr.wkbPolygon)
    source = None
    before = sha256(path)
    with pytest.raises(StoreError, match="not a store of this plugin"):
        Store(path)
    assert sha256(path) == before
    assert os.listdir(tmp_path) == ["mine.gpkg"]


@pytest.mark.parametrize("damage", ["truncated", "garbage after the header"])
def test_a_damaged_database_is_named_and_left_as_it_is(tmp_path, damage):
    path = tmp_path / "store.gpkg"
    Store(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:300] if damage == "truncated" else whole[:100] + b"\xff" * (len(whole) - 100))
    before = sha256(path)
    with pytest.raises(StoreError, match=r"store\.gpkg"):
        Store(path)
    assert sha256(path) == before


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(StoreError, match="folder"):
        Store(tmp_path)


def test_an_empty_file_becomes_a_store(tmp_path):
    path = tmp_path / "store.gpkg"
    path.touch()
    add_collection(Store(path), 1)
    assert Store(path).read_only is None


def test_names_with_spaces_percent_and_accents_work(tmp_path):
    path = tmp_path / "données 100% #1?" / "store é.gpkg"
    add_collection(Store(path), 1)
    with Store(path).reading() as reader:
        assert len(collections.all_rows(reader)) == 1
    assert path.exists()


def test_a_newer_store_is_refused_and_left_as_it_is(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    with store.writing() as writer:
        writer.execute("UPDATE store_info SET value = '999' WHERE name = 'schema_version'")
    before = sha256(tmp_path / "store.gpkg")
    with pytest.raises(StoreError, match="newer than this plugin"):
        Store(store.path)
    assert sha256(tmp_path / "store.gpkg") == before


def test_an_older_store_is_brought_up_to_date_after_a_backup(tmp_path, monkeypatch):
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, 3)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    step = {schema.SCHEMA_VERSION - 1: lambda writer: writer.execute("ALTER TABLE plots ADD COLUMN synthetic_step TEXT")}
    monkeypatch.setattr(migrations, "MIGRATIONS", step)
    migrated = Store(store.path)
    with migrated.reading() as reader:
        assert "synthetic_step" in {row["name"] for row in reader.execute("PRAGMA table_info(plots)")}
        assert reader.execute("SELECT value FROM store_info WHERE name = 'schema_version'").fetchone()[0] == str(schema.SCHEMA_VERSION)
        assert reader.execute("SELECT count(*) FROM plots").fetchone()[0] == 3
        assert reader.execute("SELECT count(*) FROM gpkg_contents WHERE table_name LIKE 'view_%'").fetchone()[0] == len(schema.PLOT_STATISTICS)
    with sqlite3.connect(f"{store.path}.v{schema.SCHEMA_VERSION - 1}.gpkg") as backup:
        assert "synthetic_step" not in {row[1] for row in backup.execute("PRAGMA table_info(plots)")}
        assert backup.execute("SELECT count(*) FROM plots").fetchone()[0] == 3


def test_tasks_that_open_an_older_store_at_once_migrate_it_once(tmp_path, monkeypatch):
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, 300)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    step = {schema.SCHEMA_VERSION - 1: lambda writer: writer.execute("ALTER TABLE plots ADD COLUMN synthetic_step TEXT")}
    monkeypatch.setattr(migrations, "MIGRATIONS", step)
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: Store(store.path), range(8)))
    with opened[0].reading() as reader:
        assert "synthetic_step" in {row["name"] for row in reader.execute("PRAGMA table_info(plots)")}
    assert not list(tmp_path.glob("*.partial"))


def test_regions_of_version_1_get_names_and_references_of_water(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    water = ("soil_moisture_percentile", "evapotranspiration_anomaly")
    new = ["region_name", *(f"{name}_ref{end}" for name in water for end in ("", "_n", "_se", "_year"))]
    with store.writing() as writer:
        for name in new:
            writer.execute(f"ALTER TABLE stat_supply_shed DROP COLUMN {name}")
        writer.execute("UPDATE store_info SET value = '1' WHERE name = 'schema_version'")
    with Store(store.path).reading() as reader:
        assert set(new) <= {row["name"] for row in reader.execute("PRAGMA table_info(stat_supply_shed)")}
    assert (tmp_path / "store.gpkg.v1.gpkg").exists()


def test_a_failing_migration_changes_nothing(tmp_path, monkeypatch):
    store = Store(tmp_path / "store.gpkg")
    old = schema.SCHEMA_VERSION

    def step(writer):
        writer.execute("ALTER TABLE plots ADD COLUMN half_way TEXT")
        raise StoreError("cannot go on")

    monkeypatch.setattr(schema, "SCHEMA_VERSION", old + 1)
    monkeypatch.setattr(migrations, "MIGRATIONS", {old: step})
    with pytest.raises(StoreError, match="cannot go on"):
        Store(store.path)
    with store.reading() as reader:
        assert "half_way" not in {row["name"] for row in reader.execute("PRAGMA table_info(plots)")}


def test_wal_refused_means_read_only_with_advice(tmp_path, monkeypatch):
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, 2)
    with sqlite3.connect(store.path) as direct:
        direct.execute("PRAGMA journal_mode = DELETE")
    real = connection.file_uri
    # A SQLite file system without shared memory, as on a network drive: it really refuses WAL.
    monkeypatch.setattr(connection, "file_uri", lambda path, query: real(path, f"{query}&vfs=unix-dotfile"))
    connect = connection.connect_writing
    monkeypatch.setattr(store_module, "connect_writing", lambda path: connect(path, wait_seconds=0.2))
    with pytest.raises(StoreError, match="copy it to a local disk"), store.writing():
        pytest.fail("was opened for writing without WAL")
    with store.reading() as reader:
        assert reader.execute("SELECT count(*) FROM plots").fetchone()[0] == 2


def test_a_read_only_file_is_read_and_refuses_writing(tmp_path, monkeypatch):
    add_collection(Store(tmp_path / "store.gpkg"), 2)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # tests may run as root, whom permissions do not stop
    store = Store(tmp_path / "store.gpkg")
    assert "copy it to a local disk" in store.read_only
    with pytest.raises(StoreError, match="read-only"), store.writing():
        pytest.fail("was opened for writing")
    with store.reading() as reader:
        assert reader.execute("SELECT count(*) FROM plots").fetchone()[0] == 2


def test_every_writing_connection_puts_the_file_back_to_wal(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    with sqlite3.connect(store.path) as other:  # as QGIS does when it opens or closes the file
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete"
    other.close()
    with store.writing() as writer:
        assert writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert writer.execute("PRAGMA busy_timeout").fetchone()[0] == 10000


def test_a_writer_waits_for_a_file_that_somebody_holds(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    holder = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.6, lambda: (holder.execute("COMMIT"), holder.close()))
    release.start()
    add_collection(store, 1)
    release.join()
    with store.reading() as reader:
        assert reader.execute("SELECT count(*) FROM plots").fetchone()[0] == 1


def test_an_exception_rolls_everything_back(tmp_path):
    store = Store(tmp_path / "store.gpkg")

    def plots():
        yield plot(1)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        add_collection(store, plots=plots())
    with store.reading() as reader:
        assert [reader.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("plots", "collections", "rtree_plots_geom")] == [0, 0, 0]


def test_readers_cannot_write(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    with store.reading() as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM plots")


_CREATE = "import sys; from epoch_plugin.core.store.store import Store; from tests.core.store_samples import add_collection as add; " \
    "add(Store(sys.argv[1]), 20, sys.argv[2], sys.argv[2])"  # fmt: skip


def test_processes_that_create_the_same_store_at_once_all_succeed(tmp_path, root):
    path = str(tmp_path / "store.gpkg")
    running = [subprocess.Popen([sys.executable, "-c", _CREATE, path, f"c{number}"], cwd=root) for number in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with Store(path).reading() as reader:
        assert sorted(row.collection_name for row in collections.all_rows(reader)) == ["c0", "c1", "c2"]
        assert reader.execute("SELECT count(*) FROM plots").fetchone()[0] == 60


def test_a_gdal_reader_beside_a_committing_process_never_sees_a_wrong_count(tmp_path, root):
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, 2000)
    writer = subprocess.Popen([sys.executable, "-m", "tests.core.store_writer", store.path, "0xabc", "2000", "50"], cwd=root)
    counts, reads = {"plots": set(), "view_eudr_deforestation": set()}, 0
    while writer.poll() is None or reads == 0:
        source = ogr.Open(store.path)
        for name, seen in counts.items():
            layer = source.GetLayerByName(name)
            seen.add((layer.GetFeatureCount(), sum(1 for _ in layer)))
        source = None
        reads += 1
    assert writer.returncode == 0
    assert counts["plots"] == {(2000, 2000)}
    # Chunks of 50 plots are committed: whole chunks are seen, and the second number never lags behind the first.
    assert all(first % 50 == 0 and second % 50 == 0 and first <= second for first, second in counts["view_eudr_deforestation"])
    with store.reading() as reader:
        assert reader.execute("SELECT count(*) FROM view_eudr_deforestation").fetchone()[0] == 2000
