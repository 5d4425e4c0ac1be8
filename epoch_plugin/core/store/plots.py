"""Plots: the assessed polygons with what was uploaded beside them."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from epoch_plugin.core.store.codec import encode
from epoch_plugin.core.store.geometry import blob_wkb
from epoch_plugin.core.store.rows import insert_rows
from epoch_plugin.core.store.schema import TABLES

_TABLE = TABLES["plots"]


@dataclass(frozen=True)
class PlotRow:
    """One stored plot: `polygon` and `source_geometry` are WKB in EPSG:4326 (the first a 2D MULTIPOLYGON), `area` is ha, `metadata` JSON text."""

    uuid: str
    plotid: str
    collection_id: str
    area: float
    soliditysha3_256_hash: str
    polygon: bytes
    ingestion_date: str
    metadata: str = "{}"
    source_geometry: bytes | None = None
    facility_id: str | None = None
    flags: tuple[str, ...] = ()


_FIELDS = tuple(field.name for field in dataclasses.fields(PlotRow) if field.name != "polygon")


def insert(connection: sqlite3.Connection, plots: Iterable[PlotRow]) -> int:
    """Insert plots in the order given and return how many."""
    return insert_rows(connection, _TABLE, (_values(plot) for plot in plots))


def _values(plot: PlotRow) -> dict[str, Any]:
    values = {name: getattr(plot, name) for name in _FIELDS}
    values["geom"] = plot.polygon
    return values


def geometries(connection: sqlite3.Connection, collection_id: str) -> tuple[list[str], list[bytes], list[float]]:
    """Return uuids, WKB polygons and areas (ha) of a collection, in position order."""
    rows = connection.execute("SELECT uuid, geom, area FROM plots WHERE collection_id = ? ORDER BY fid", (collection_id,)).fetchall()
    return [row["uuid"] for row in rows], [blob_wkb(row["geom"]) for row in rows], [row["area"] for row in rows]


class PlotShape(NamedTuple):
    """What the engine needs of one plot: `polygon` is WKB, `area` ha, `flags` as staged."""

    uuid: str
    polygon: bytes
    area: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class PlotShapes(Sequence[PlotShape]):
    """Plots as columns: one object each would be thousands for Python's garbage collector to visit, whose pauses are felt in QGIS's windows."""

    uuids: list[str]
    polygons: list[bytes]
    areas: list[float]
    flags: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.uuids)

    @overload
    def __getitem__(self, place: int) -> PlotShape: ...

    @overload
    def __getitem__(self, place: slice) -> PlotShapes: ...

    def __getitem__(self, place: int | slice) -> PlotShape | PlotShapes:
        columns: tuple[Any, ...] = self.uuids[place], self.polygons[place], self.areas[place], self.flags[place]
        return PlotShapes(*columns) if isinstance(place, slice) else PlotShape(*columns)

    def __iter__(self) -> Iterator[PlotShape]:
        return map(PlotShape, self.uuids, self.polygons, self.areas, self.flags)


def boxes(connection: sqlite3.Connection, collection_id: str) -> list[tuple[int, float, float, float, float]]:
    """Return fid, xmin, ymin, xmax, ymax of a collection's plots, in position order, from the spatial index (outward to 32 bits)."""
    sql = "SELECT p.fid, r.minx, r.miny, r.maxx, r.maxy FROM plots p JOIN rtree_plots_geom r ON r.id = p.fid WHERE p.collection_id = ? ORDER BY p.fid"
    return [tuple(row) for row in connection.execute(sql, (collection_id,))]


def shapes(connection: sqlite3.Connection, fids: Iterable[int]) -> PlotShapes:
    """Return the plots with these fids, in that order."""
    wanted = list(fids)
    sql = "SELECT p.fid, p.uuid, p.geom, p.area, p.flags FROM json_each(?) w JOIN plots p ON p.fid = w.value"
    rows = connection.execute(sql, (json.dumps(wanted),))
    known: dict[str | None, tuple[str, ...]] = {None: ()}  # most plots have the same flags, or none
    found: list[int] = []
    uuids: list[str] = []
    polygons: list[bytes] = []
    areas: list[float] = []
    flags: list[tuple[str, ...]] = []
    for fid, uuid, geom, area, words in rows:
        if words not in known:
            known[words] = tuple(json.loads(words))
        found.append(fid)
        uuids.append(uuid)
        polygons.append(blob_wkb(geom))
        areas.append(area)
        flags.append(known[words])
    if found == wanted:
        return PlotShapes(uuids, polygons, areas, flags)
    place = {fid: number for number, fid in enumerate(found)}  # SQLite follows the list of fids, but does not promise it
    order = [place[fid] for fid in wanted]
    return PlotShapes([uuids[i] for i in order], [polygons[i] for i in order], [areas[i] for i in order], [flags[i] for i in order])


def count(connection: sqlite3.Connection, collection_id: str) -> int:
    """Return the number of plots of a collection."""
    return int(connection.execute("SELECT count(*) FROM plots WHERE collection_id = ?", (collection_id,)).fetchone()[0])


def system_types(connection: sqlite3.Connection, collection_id: str) -> list[str | None]:
    """Return each plot's own `system_type` attribute (None where it has none), in position order."""
    sql = "SELECT json_extract(metadata, '$.system_type') FROM plots WHERE collection_id = ? ORDER BY fid"
    return [None if value is None else str(value) for (value,) in connection.execute(sql, (collection_id,))]


def update_metadata(connection: sqlite3.Connection, changes: Mapping[str, Any]) -> None:
    """Replace the metadata (JSON text or dict) of plots, given by uuid."""
    values = [(encode(_TABLE, "metadata", value), uuid) for uuid, value in changes.items()]
    connection.executemany("UPDATE plots SET metadata = ? WHERE uuid = ?", values)


def of_collection(connection: sqlite3.Connection, collection_id: str) -> Iterator[PlotRow]:
    """Yield the plots of a collection in position order."""
    for row in connection.execute("SELECT * FROM plots WHERE collection_id = ? ORDER BY fid", (collection_id,)):
        values = {name: row[name] for name in _FIELDS if name != "flags"}
        yield PlotRow(**values, flags=tuple(json.loads(row["flags"] or "[]")), polygon=blob_wkb(row["geom"]))


def of_others_near(connection: sqlite3.Connection, collection_id: str, box: tuple[float, float, float, float]) -> Iterator[tuple[str, str, bytes]]:
    """Yield collection name, plot id and WKB polygon of other collections' plots that meet a box (west, south, east, north)."""
    sql = (
        "SELECT c.collection_name, p.plotid, p.geom FROM plots p JOIN rtree_plots_geom r ON r.id = p.fid "
        "JOIN collections c ON c.collection_id = p.collection_id "
        "WHERE p.collection_id <> ? AND r.maxx >= ? AND r.maxy >= ? AND r.minx <= ? AND r.miny <= ?"
    )
    for name, plotid, geom in connection.execute(sql, (collection_id, *box)):
        yield name, plotid, blob_wkb(geom)


def meeting(connection: sqlite3.Connection, collection_id: str, box: tuple[float, float, float, float]) -> Iterator[bytes]:
    """Yield the WKB polygons of a collection's plots that meet a box (west, south, east, north), in position order."""
    sql = (  # CROSS JOIN: else SQLite goes through all plots of the collection and asks the spatial index about each
        "SELECT p.geom FROM rtree_plots_geom r CROSS JOIN plots p ON p.fid = r.id "
        "WHERE r.maxx >= ? AND r.maxy >= ? AND r.minx <= ? AND r.miny <= ? AND p.collection_id = ? ORDER BY p.fid"
    )
    for (geom,) in connection.execute(sql, (*box, collection_id)):
        yield blob_wkb(geom)


def areas(connection: sqlite3.Connection, collection_id: str) -> list[tuple[str, float]]:
    """Return uuid and area (ha) of a collection's plots, in position order."""
    return [tuple(row) for row in connection.execute("SELECT uuid, area FROM plots WHERE collection_id = ? ORDER BY fid", (collection_id,))]


def bounds(connection: sqlite3.Connection, collection_id: str) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a collection's plots (degrees); an inverted box that meets nothing if it has none."""
    sql = "SELECT min(r.minx), min(r.miny), max(r.maxx), max(r.maxy) FROM plots p JOIN rtree_plots_geom r ON r.id = p.fid WHERE p.collection_id = ?"
    west, south, east, north = connection.execute(sql, (collection_id,)).fetchone()
    return (180.0, 90.0, -180.0, -90.0) if west is None else (west, south, east, north)
