"""Areas on the WGS 84 ellipsoid and the circles that stand for point plots (METHODS section 1)."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from epoch_plugin.core.collections.shapes import Polygons, Ring

CIRCLE_VERTICES = 64
_M2_PER_HA = 10_000.0
_NOISE_HA = 3e-8  # measured: pyproj's geodesic areas of small polygons scatter by some 1e-4 m2


@functools.lru_cache(maxsize=1)
def _geod() -> Any:
    import pyproj

    return pyproj.Geod(ellps="WGS84")


def ring_area_ha(ring: Ring) -> float:
    """Return the geodesic area (ha, positive) that a ring of degrees encloses, its vertices as they are (Karney 2013)."""
    area, _ = _geod().polygon_area_perimeter(ring[:, 0], ring[:, 1])
    return abs(float(area)) / _M2_PER_HA


def polygons_area_ha(polygons: Polygons) -> float:
    """Return the geodesic area (ha) of polygons, holes subtracted."""
    return math.fsum(ring_area_ha(ring) if number == 0 else -ring_area_ha(ring) for rings in polygons for number, ring in enumerate(rings))


def circle(lon: float, lat: float, area_ha: float) -> Ring:
    """Return the closed 64-gon (65, 2) around a point whose geodesic area is `area_ha`; longitudes may leave -180..180.

    Starts from the planar 64-gon and corrects the radius by the square root of the area ratio until it fits, down to the noise of
    geodesic areas in double precision: chasing that noise would only add to it.
    """
    azimuths = -np.arange(CIRCLE_VERTICES) * (360.0 / CIRCLE_VERTICES)  # counter-clockwise
    radius = math.sqrt(area_ha * _M2_PER_HA / (0.5 * CIRCLE_VERTICES * math.sin(2 * math.pi / CIRCLE_VERTICES)))
    centre = np.full(CIRCLE_VERTICES, 1.0)
    for _ in range(4):
        lons, lats, _back = _geod().fwd(centre * lon, centre * lat, azimuths, centre * radius)
        ratio = area_ha / ring_area_ha(np.column_stack([lons, lats]))
        if abs(ratio - 1) * area_ha < max(_NOISE_HA, 1e-12 * area_ha):
            break
        radius *= math.sqrt(ratio)
    ring = np.column_stack([lons, lats])
    return np.concatenate([ring, ring[:1]])
