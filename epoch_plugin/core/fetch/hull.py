"""The convex hull of many plots, in bounded memory, also across the antimeridian."""

from __future__ import annotations

from typing import Any

from epoch_plugin.core.store.geometry import outer_rings

_REDUCE_AT = 50_000


class HullBuilder:
    """Collects plots (WKB MULTIPOLYGON, EPSG:4326) and keeps only what their hull needs.

    Two hulls are kept: of longitudes as they are, and of western ones shifted by 360 degrees; the narrower one counts, so
    plots on both sides of the antimeridian have a small hull.
    """

    def __init__(self) -> None:
        self._points: list[tuple[float, float]] = []
        self._hulls: list[list[tuple[float, float]]] = [[], []]

    def add(self, wkb: bytes) -> None:
        """Add the outer rings of one plot."""
        for ring in outer_rings(wkb):
            self._points.extend(zip(ring[0::2], ring[1::2]))
        if len(self._points) > _REDUCE_AT:
            self._reduce()

    def _reduce(self) -> None:
        from shapely.geometry import LineString

        shifted = [(x + 360 if x < 0 else x, y) for x, y in self._points]
        for i, points in enumerate((self._points, shifted)):
            self._hulls[i] = list(LineString(self._hulls[i] + points).convex_hull.exterior.coords)
        self._points = []

    def build(self) -> Hull:
        """Return the hull of everything added (at least one plot)."""
        from shapely.geometry import Polygon

        if self._points:
            self._reduce()
        plain, shifted = (Polygon(points) for points in self._hulls)
        return Hull(shifted if shifted.bounds[2] - shifted.bounds[0] < plain.bounds[2] - plain.bounds[0] else plain)


class Hull:
    """A convex hull: `wkb` (MULTIPOLYGON, split at 180 degrees), `area_ha` (geodesic, WGS84) and `centroid` (lon, lat)."""

    def __init__(self, polygon: Any) -> None:
        from pyproj import Geod

        self.area_ha = abs(Geod(ellps="WGS84").geometry_area_perimeter(polygon)[0]) / 10_000
        x, y = polygon.centroid.coords[0]
        self.centroid = (x - 360 if x > 180 else x, y)
        self.wkb = _split(polygon)


def _split(polygon: Any) -> bytes:
    from shapely.affinity import translate
    from shapely.geometry import MultiPolygon, box

    if polygon.bounds[2] <= 180:
        parts = [polygon]
    else:
        parts = [polygon.intersection(box(-180, -90, 180, 90)), translate(polygon.intersection(box(180, -90, 540, 90)), -360)]
    return bytes(MultiPolygon(parts).wkb)
