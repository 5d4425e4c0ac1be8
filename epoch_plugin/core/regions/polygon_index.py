"""Which of many polygons a point lies in, and how far the next border is; for 100,000 points at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.box_tree import BoxTree

Floats = npt.NDArray[np.float64]
_CELL = 0.25  # degrees: points of one cell share the few border pieces around it
_TILE = 4.0  # degrees: long borders are cut in two steps
_KM_PER_DEGREE = 111.2
_TILE_MARGIN = 1.0


@dataclass(frozen=True)
class Located:
    """Per point: index of the polygon it lies in (-1: none), distance (km) to its border and to the next other polygon (inf: beyond reach)."""

    inside: npt.NDArray[np.int32]
    edge_km: Floats
    other_km: Floats


class PolygonIndex:
    """An index of (multi)polygons in degrees; `reach_km` is how far distances are looked for."""

    def __init__(self, wkbs: Sequence[bytes], reach_km: float) -> None:
        """Take WKB polygons; their parts are indexed one by one."""
        import shapely.wkb

        self._reach_km = reach_km
        self._parts: list[Any] = []
        self._owner: list[int] = []
        for number, wkb in enumerate(wkbs):
            geometry = shapely.wkb.loads(wkb)
            for part in getattr(geometry, "geoms", [geometry]):
                self._parts.append(part if part.is_valid else part.buffer(0))
                self._owner.append(number)
        self._tree = BoxTree(self._parts)
        self._tiles: dict[tuple[int, int], list[tuple[int, Any]]] = {}

    def far_from_all(self, lon: float, lat: float, km: float) -> bool:
        """Tell whether no polygon lies within `km` of a point (longitudes are not wrapped)."""
        from shapely.affinity import scale
        from shapely.geometry import Point, box

        shrink = max(0.05, float(np.cos(np.radians(lat))))
        reach = km / _KM_PER_DEGREE
        window = box(lon - reach / shrink, lat - reach, lon + reach / shrink, lat + reach)
        here = Point(lon * shrink, lat)
        pieces = [self._parts[i].intersection(window) for i in self._tree.hits(window)]
        return all(p.is_empty or scale(p, shrink, 1.0, origin=(0, 0)).distance(here) > reach for p in pieces)

    def locate(self, lons: Floats, lats: Floats) -> Located:
        """Locate points (degrees)."""
        inside = np.full(len(lons), -1, np.int32)
        edge, other = np.full(len(lons), np.inf), np.full(len(lons), np.inf)
        if not len(lons):
            return Located(inside, edge, other)
        columns, rows = np.floor(lons / _CELL).astype(np.int64), np.floor(lats / _CELL).astype(np.int64)
        keys = columns * 100_000 + rows
        order = np.argsort(keys, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
            pieces, whole = self._cell(int(columns[group[0]]), int(rows[group[0]]))
            if whole:
                inside[group] = pieces[0][0]
                continue
            for index in group.tolist() if pieces else []:
                inside[index], edge[index], other[index] = self._distances(pieces, float(lons[index]), float(lats[index]))
        return Located(inside, edge, other)

    def _cell(self, column: int, row: int) -> tuple[list[tuple[int, Any]], bool]:
        """Return the polygons' pieces in and around a cell in kilometres, and whether one polygon covers it with its surroundings."""
        from shapely.affinity import scale
        from shapely.geometry import box

        west, south = column * _CELL, row * _CELL
        east, north = west + _CELL, south + _CELL
        pad_y = self._reach_km / _KM_PER_DEGREE
        pad_x = pad_y / max(0.05, float(np.cos(np.radians(max(abs(south), abs(north))))))
        window = box(west - pad_x, south - pad_y, east + pad_x, north + pad_y)
        if pad_x > _TILE_MARGIN:  # near the poles
            pieces = [(self._owner[i], self._parts[i].intersection(window)) for i in self._tree.hits(window)]
        else:
            pieces = [(owner, part.intersection(window)) for owner, part in self._tile(west, south) if part.intersects(window)]
        pieces = [(owner, piece) for owner, piece in pieces if not piece.is_empty and piece.area > 0]
        if len(pieces) == 1 and pieces[0][1].area >= window.area * (1 - 1e-9):
            return pieces, True
        shrink = float(np.cos(np.radians((south + north) / 2))) * _KM_PER_DEGREE
        return [(owner, scale(piece, shrink, _KM_PER_DEGREE, origin=(0, 0))) for owner, piece in pieces], False

    def _tile(self, lon: float, lat: float) -> list[tuple[int, Any]]:
        from shapely.geometry import box

        key = (int(np.floor(lon / _TILE)), int(np.floor(lat / _TILE)))
        if key not in self._tiles:
            west, south = key[0] * _TILE - _TILE_MARGIN, key[1] * _TILE - _TILE_MARGIN
            window = box(west, south, west + _TILE + 2 * _TILE_MARGIN, south + _TILE + 2 * _TILE_MARGIN)
            cut = [(self._owner[i], self._parts[i].intersection(window)) for i in self._tree.hits(window)]
            self._tiles[key] = [(owner, piece) for owner, piece in cut if not piece.is_empty]
        return self._tiles[key]

    def _distances(self, pieces: list[tuple[int, Any]], lon: float, lat: float) -> tuple[int, float, float]:
        from shapely.geometry import Point

        shrink = float(np.cos(np.radians((np.floor(lat / _CELL) + 0.5) * _CELL))) * _KM_PER_DEGREE
        point = Point(lon * shrink, lat * _KM_PER_DEGREE)
        away = [(owner, piece.distance(point), piece) for owner, piece in pieces]
        owner = next((o for o, distance, _ in away if distance == 0), -1)
        edge = min((piece.boundary.distance(point) for o, _, piece in away if o == owner), default=np.inf)
        other = min((distance for o, distance, _ in away if o != owner), default=np.inf)
        return owner, self._within_reach(edge), self._within_reach(other)

    def _within_reach(self, km: float) -> float:
        return float(km) if km <= self._reach_km else float(np.inf)
