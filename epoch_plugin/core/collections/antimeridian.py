"""Rings that cross the line of 180 degrees: unrolled to be judged, cut to be stored."""

from __future__ import annotations

import numpy as np

from epoch_plugin.core.collections.shapes import Polygons, Ring, multipolygon_wkb


class PoleError(ValueError):
    """A ring runs around a pole, so that it encloses no area in longitude and latitude."""


def jumps(polygons: Polygons) -> bool:
    """Tell whether a ring jumps more than 180 degrees in longitude."""
    return any(len(ring) > 1 and float(np.abs(np.diff(ring[:, 0])).max()) > 180 for rings in polygons for ring in rings)


def unrolled(polygons: Polygons) -> Polygons:
    """Return the polygons with continuous longitudes (beyond +-180); raise `PoleError` if a ring does not come back to its start."""
    result = []
    for shell, *holes in polygons:
        outer = _unrolled_ring(shell)
        middle = float(outer[:, 0].min() + outer[:, 0].max()) / 2
        result.append([outer, *(_nearest(_unrolled_ring(hole), middle) for hole in holes)])
    return result


def _unrolled_ring(ring: Ring) -> Ring:
    steps = np.diff(ring[:, 0])
    turns = np.concatenate([[0.0], np.cumsum(np.where(steps > 180, -360.0, np.where(steps < -180, 360.0, 0.0)))])
    if turns[-1] != 0 and (ring[0] == ring[-1]).all():
        raise PoleError("the ring runs around a pole")
    return np.column_stack([ring[:, 0] + turns, ring[:, 1]])


def _nearest(ring: Ring, middle: float) -> Ring:
    own = float(ring[:, 0].min() + ring[:, 0].max()) / 2
    moved: Ring = ring + np.array([360.0 * round((middle - own) / 360.0), 0.0])
    return moved


def split(polygons: Polygons) -> Polygons:
    """Cut polygons with continuous longitudes at every odd multiple of 180 and bring the parts back into -180..180."""
    import shapely.wkb
    from shapely.geometry import box

    whole = shapely.wkb.loads(multipolygon_wkb(polygons))
    west, _, east, _ = whole.bounds
    parts: Polygons = []
    for turn in range(int(np.floor((west + 180) / 360)), int(np.ceil((east - 180) / 360)) + 1):
        piece = whole.intersection(box(360 * turn - 180, -90, 360 * turn + 180, 90))
        parts += [[ring - np.array([360.0 * turn, 0.0]) for ring in rings] for rings in rings_of(piece)]
    return parts


def rings_of(geometry: object) -> Polygons:
    """Return the rings of the polygonal parts of a shapely geometry; lines and points of a collection are left out."""
    kind = geometry.geom_type  # type: ignore[attr-defined]
    if kind == "Polygon":
        if geometry.is_empty:  # type: ignore[attr-defined]
            return []
        rings = [geometry.exterior, *geometry.interiors]  # type: ignore[attr-defined]
        return [[np.array(ring.coords, np.float64)[:, :2] for ring in rings]]
    return [rings for part in getattr(geometry, "geoms", ()) for rings in rings_of(part)]
