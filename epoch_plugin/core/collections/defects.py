"""What makes a polygon unusable, in words for the supplier, and what can honestly be mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from epoch_plugin.core.collections.antimeridian import rings_of
from epoch_plugin.core.collections.geodesy import polygons_area_ha
from epoch_plugin.core.collections.shapes import Polygons, Ring, closed, multipolygon_wkb

ZERO_AREA_HA = 1e-6
_SMALL_DEGREES2 = 1e-10  # more than ZERO_AREA_HA up to 89.4 degrees of latitude: saves a geodesic area for nearly every plot
_POSITION = re.compile(r"\[(\S+) (\S+)\]")
# GEOS's words -> our code and sentence
_GEOS = {
    "Self-intersection": ("self_crossing", "the boundary crosses itself"),
    "Ring Self-intersection": ("self_touching", "the boundary touches itself, so that the area is ambiguous"),
    "Hole lies outside shell": ("hole_outside", "a hole lies outside its polygon"),
    "Holes are nested": ("nested_holes", "a hole lies inside another hole"),
    "Nested shells": ("nested_parts", "a part lies inside another part"),
    "Duplicate Rings": ("duplicate_rings", "the same ring occurs twice"),
    "Interior is disconnected": ("self_touching", "holes or the boundary cut the polygon into pieces"),
    "Too few points in geometry component": ("too_few_points", "a ring has too few different positions"),
}


@dataclass(frozen=True)
class Defect:
    """Why a feature is not a plot; the position is where to look, in degrees."""

    code: str
    reason: str
    lon: float | None = None
    lat: float | None = None


def ring_defect(polygons: Polygons) -> Defect | None:
    """Return the first ring with too few positions, not closed, or without extent."""
    for rings in polygons:
        for number, ring in enumerate(rings):
            label = "the outer ring" if number == 0 else f"hole {number}"
            is_closed = len(ring) > 1 and bool((ring[0] == ring[-1]).all())
            if len(ring) < (4 if is_closed else 3):
                count = f"{len(ring)} position{'s' if len(ring) != 1 else ''}"
                return _at(ring, "too_few_points", f"{label} has {count}; a closed ring needs at least 4, the last equal to the first")
            if not is_closed:
                return _at(ring, "unclosed_ring", f"{label} is not closed: its last position differs from its first")
            if _flat(ring):
                return _at(ring, "zero_area", f"{label} encloses no area: all its positions lie on one line")
    return None


def _at(ring: Ring, code: str, reason: str) -> Defect:
    return Defect(code, reason, *(ring[0].tolist() if len(ring) else (None, None)))


def _flat(ring: Ring) -> bool:
    """Tell whether all vertices lie on one line, to within rounding."""
    offset = ring - ring[0]
    length = np.hypot(offset[:, 0], offset[:, 1])
    far = offset[int(np.argmax(length))]
    reach = float(length.max())
    away = np.abs(offset[:, 0] * far[1] - offset[:, 1] * far[0])
    return reach == 0 or float(away.max()) / reach <= 1e-12


def shape_defect(polygons: Polygons) -> Defect | None:
    """Return what GEOS finds wrong with polygons of sound rings, else whether there is no area."""
    import shapely.wkb
    from shapely.validation import explain_validity

    geometry = shapely.wkb.loads(multipolygon_wkb(polygons))
    if not geometry.is_valid:
        return _explained(explain_validity(geometry))
    if geometry.area < _SMALL_DEGREES2 and polygons_area_ha(polygons) < ZERO_AREA_HA:
        return _at(polygons[0][0], "zero_area", "the polygon's area is zero")
    return None


def _explained(text: str) -> Defect:
    found = _POSITION.search(text)
    lon, lat = (float(found.group(1)), float(found.group(2))) if found else (None, None)
    what = text.split("[")[0].strip()
    code, reason = _GEOS.get(what, ("invalid_geometry", f"the polygon is invalid ({what})"))
    return Defect(code, reason, lon, lat)


def mend(polygons: Polygons) -> tuple[Polygons, list[str]]:
    """Close rings, leave out degenerate ones, and let GEOS rebuild what crosses itself; return polygons and what was done.

    The result is empty where nothing with an area is left.
    """
    import shapely.wkb
    from shapely.validation import make_valid

    sound, done = _sound_rings(polygons)
    if not sound:
        return [], done
    geometry: Any = shapely.wkb.loads(multipolygon_wkb(sound))
    if not geometry.is_valid:
        done.append(f"rebuilt: {_explained_reason(geometry)}")
        geometry = make_valid(geometry)
        sound = rings_of(geometry)
        if geometry.geom_type == "GeometryCollection":
            done.append("lines and points that were left over were dropped")
    return (sound if sound and polygons_area_ha(sound) >= ZERO_AREA_HA else []), done


def _explained_reason(geometry: Any) -> str:
    from shapely.validation import explain_validity

    return _explained(explain_validity(geometry)).reason


def _sound_rings(polygons: Polygons) -> tuple[Polygons, list[str]]:
    kept: Polygons = []
    done = []
    for rings in polygons:
        good = []
        for number, ring in enumerate(rings):
            shut = closed(ring)
            if len(shut) < 4 or _flat(shut):
                done.append("a part without area was dropped" if number == 0 else "a hole without area was dropped")
                if number == 0:
                    break
                continue
            if len(shut) != len(ring):
                done.append("a ring was closed")
            good.append(shut)
        if good:
            kept.append(good)
    return kept, done
