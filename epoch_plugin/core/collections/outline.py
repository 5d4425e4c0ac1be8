"""The polygon that is assessed for a feature: checked, mended if wanted, cut at the antimeridian, or a circle for a point."""

from __future__ import annotations

from dataclasses import dataclass, field

from epoch_plugin.core.collections import antimeridian
from epoch_plugin.core.collections.defects import Defect, mend, ring_defect, shape_defect
from epoch_plugin.core.collections.geodesy import circle, polygons_area_ha
from epoch_plugin.core.collections.shapes import Polygons


@dataclass
class Outline:
    """Valid polygons in -180..180, and what was done to get them."""

    polygons: Polygons
    split: bool = False
    mended: list[str] = field(default_factory=list)
    reason_code: str = ""
    area_before_ha: float = 0.0


def polygon_outline(polygons: Polygons, fix: bool) -> Outline | Defect:
    """Return the assessed polygons of uploaded ones, or what is wrong with them."""
    crossing = antimeridian.jumps(polygons)
    defect = ring_defect(polygons)
    try:
        working = antimeridian.unrolled(polygons) if crossing else polygons
    except antimeridian.PoleError:
        lon, lat = polygons[0][0][0].tolist()
        return Defect("around_pole", "the boundary runs around a pole; plots there cannot be assessed", lon, lat)
    defect = defect or shape_defect(working)
    outline = Outline(working)
    if defect is not None:
        if not fix:
            return _wrapped(defect)
        outline = _mended(working, defect)
        if not outline.polygons:
            return _wrapped(defect)
    if crossing:
        outline.polygons = antimeridian.split(outline.polygons)
        outline.split = True
    return outline


def _mended(polygons: Polygons, defect: Defect) -> Outline:
    before = polygons_area_ha([[ring for ring in rings if len(ring) > 2] for rings in polygons])
    result, done = mend(polygons)
    return Outline(result, False, done, defect.code, before)


def _wrapped(defect: Defect) -> Defect:
    """Bring a position with an unrolled longitude back into -180..180."""
    if defect.lon is None or -180 <= defect.lon <= 180:
        return defect
    return Defect(defect.code, defect.reason, (defect.lon + 180) % 360 - 180, defect.lat)


def point_outline(lon: float, lat: float, area_ha: float) -> Outline | Defect:
    """Return the 64-gon of `area_ha` around a point, cut at the antimeridian where it crosses it."""
    ring = circle(lon, lat, area_ha)
    polygons = [[ring]]
    if not antimeridian.jumps(polygons):
        return Outline(polygons)
    try:
        return Outline(antimeridian.split(antimeridian.unrolled(polygons)), True)
    except antimeridian.PoleError:
        return Defect("around_pole", "the plot's circle runs around a pole; plots there cannot be assessed", lon, lat)
