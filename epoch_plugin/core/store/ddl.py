"""The SQL that turns an empty file into the store: GeoPackage system tables, our tables, R-trees and spatial views."""

from __future__ import annotations

import sqlite3

from epoch_plugin.core.store.current import current_row
from epoch_plugin.core.store.geometry import SRS_ID
from epoch_plugin.core.store.schema import PLOT_STATISTICS, TABLES, Table

APPLICATION_ID = 0x47504B47  # "GPKG"
GEOPACKAGE_VERSION = 10200

_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],'
    'PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],'
    'AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
_SYSTEM_TABLES = (
    """CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
       organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT)""",
    """CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
       last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
       srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))""",
    """CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
       srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
       CONSTRAINT uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
       CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id))""",
    """CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
       CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))""",
    # GDAL's cache of feature counts. It stays empty: because it is there, QGIS counts, instead of estimating without the layer's filter.
    "CREATE TABLE gpkg_ogr_contents (table_name TEXT NOT NULL PRIMARY KEY, feature_count INTEGER DEFAULT NULL)",
)
_REFERENCE_SYSTEMS = (
    ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinate reference system"),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
    ("WGS 84 geodetic", SRS_ID, "EPSG", 4326, _WGS84, "longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid"),
)
_CORNERS = "NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)"
_FILLED = "NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom)"
_BLANK = "NEW.geom ISNULL OR ST_IsEmpty(NEW.geom)"


def create_all(connection: sqlite3.Connection) -> None:
    """Create every table, index, trigger and view in an empty database, inside the caller's transaction."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {GEOPACKAGE_VERSION}")
    for statement in _SYSTEM_TABLES:
        connection.execute(statement)
    connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", _REFERENCE_SYSTEMS)
    for table in TABLES.values():
        create_table(connection, table)
    # Names are unique whatever their case; beyond ASCII, collections.py compares before it writes.
    connection.execute("CREATE UNIQUE INDEX collections_collection_name ON collections (collection_name COLLATE NOCASE)")
    create_views(connection)


def create_table(connection: sqlite3.Connection, table: Table) -> None:
    """Create one table with its key, indexes, R-tree and registration."""
    spatial = table.kind == "features"
    lines = ["fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"] + (["geom MULTIPOLYGON"] if spatial else [])
    for column in table.columns:
        sql_type = "TEXT" if column.type == "JSON" else column.type
        lines.append(f'"{column.name}" {sql_type}' + (" NOT NULL" if column.name in table.key else ""))
    lines.append(f"UNIQUE ({', '.join(table.key)})")
    connection.execute(f"CREATE TABLE {table.name} ({', '.join(lines)})")
    for name in table.indexes:
        connection.execute(f"CREATE INDEX {table.name}_{name} ON {table.name} ({name})")
    _register(connection, table.name, table.kind, table.title)
    if spatial:
        _create_rtree(connection, table.name)


def create_views(connection: sqlite3.Connection) -> None:
    """Create and register, or replace, the spatial view of every statistic."""
    for statistic in PLOT_STATISTICS:
        name, table = f"view_{statistic}", TABLES[f"stat_{statistic}"]
        columns = ", ".join(f"s.{column.name} AS {column.name}" for column in table.columns if column.name not in ("uuid", "collection_id"))
        connection.execute(f"DROP VIEW IF EXISTS {name}")
        connection.execute("DELETE FROM gpkg_geometry_columns WHERE table_name = ?", (name,))
        connection.execute("DELETE FROM gpkg_contents WHERE table_name = ?", (name,))
        connection.execute(
            f"CREATE VIEW {name} AS SELECT p.fid AS fid, p.geom AS geom, p.uuid AS uuid, p.plotid AS plotid,"  # nosec B608
            f" p.collection_id AS collection_id, p.area AS area, {columns} FROM plots p JOIN {table.name} s ON s.fid = {current_row(statistic)}"
        )
        _register(connection, name, "features", f"{table.title} (current results)")


def refresh_contents(connection: sqlite3.Connection) -> None:
    """Write the extents of plots and regions, and the time of change, into `gpkg_contents`, where GIS programs look for them."""
    for source, shown in (("plots", ("plots", *(f"view_{name}" for name in PLOT_STATISTICS))), ("stat_supply_shed", ("stat_supply_shed",))):
        extent = connection.execute(f"SELECT min(minx), min(miny), max(maxx), max(maxy) FROM rtree_{source}_geom").fetchone()  # nosec B608
        connection.executemany(
            "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?,"
            " last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now') WHERE table_name = ?",
            [(*extent, name) for name in shown],
        )


def _register(connection: sqlite3.Connection, name: str, kind: str, title: str) -> None:
    srs_id = SRS_ID if kind == "features" else None
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?, ?, ?, ?, ?)", (name, kind, name, title, srs_id)
    )
    if kind == "features":
        connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'MULTIPOLYGON', ?, 0, 0)", (name, SRS_ID))


def _create_rtree(connection: sqlite3.Connection, table: str) -> None:
    """Create the spatial index and its triggers as the GeoPackage standard (annex F.3) words them."""
    tree = f"rtree_{table}_geom"
    put = f"INSERT OR REPLACE INTO {tree} VALUES ({_CORNERS})"
    drop_old, drop_both = f"DELETE FROM {tree} WHERE id = OLD.fid", f"DELETE FROM {tree} WHERE id IN (OLD.fid, NEW.fid)"  # nosec B608
    triggers = (
        ("insert", f"AFTER INSERT ON {table} WHEN ({_FILLED})", put),
        ("update1", f"AFTER UPDATE OF geom ON {table} WHEN OLD.fid = NEW.fid AND ({_FILLED})", put),
        ("update2", f"AFTER UPDATE OF geom ON {table} WHEN OLD.fid = NEW.fid AND ({_BLANK})", drop_old),
        ("update3", f"AFTER UPDATE ON {table} WHEN OLD.fid != NEW.fid AND ({_FILLED})", f"{drop_old}; {put}"),
        ("update4", f"AFTER UPDATE ON {table} WHEN OLD.fid != NEW.fid AND ({_BLANK})", drop_both),
        ("delete", f"AFTER DELETE ON {table} WHEN OLD.geom NOT NULL", drop_old),
    )
    connection.execute(f"CREATE VIRTUAL TABLE {tree} USING rtree(id, minx, maxx, miny, maxy)")
    for name, when, action in triggers:
        connection.execute(f"CREATE TRIGGER {tree}_{name} {when} BEGIN {action}; END")
    connection.execute(
        "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', ?, 'write-only')",
        (table, "http://www.geopackage.org/spec120/#extension_rtree"),
    )
