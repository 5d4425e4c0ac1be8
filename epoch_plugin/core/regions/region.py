"""One region that plots are compared with: who it is, where it lies, how large it is."""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from typing import Any

SUPPLY_SHED, ADMIN_AREA, WATERSHED, REGION = "supply_shed", "admin_area", "watershed", "region"
KINDS = (SUPPLY_SHED, WATERSHED, ADMIN_AREA, REGION)
_NAMESPACE = uuid.UUID("7d1f5a52-6a0e-5d0f-9a43-0b6f3f0c2a11")  # ours, fixed for ever: ids of regions stay the same
_M2_PER_HA = 10_000.0


@dataclass(frozen=True)
class Region:
    """A region; `polygon` is WKB MULTIPOLYGON in EPSG:4326. `coarse`: its border is that of a small-scale map."""

    uuid: str
    stat_type: str
    name: str
    polygon: bytes
    country: str | None = None
    admin1: str | None = None
    coarse: bool = False


def region_uuid(stat_type: str, *names: str) -> str:
    """Return the id of a region of these names, outermost first: the same in every job, also after its border was corrected."""
    return str(uuid.uuid5(_NAMESPACE, "\t".join((stat_type, *names))))


def area_ha(geometry: Any) -> float:
    """Return the geodesic area (ha, WGS84) of a shapely (multi)polygon in degrees, holes subtracted."""
    return sum(_ring_ha(part.exterior) - sum(_ring_ha(hole) for hole in part.interiors) for part in polygons(geometry))


def _ring_ha(ring: Any) -> float:
    xs, ys = ring.coords.xy
    return abs(float(_geod().polygon_area_perimeter(xs, ys)[0])) / _M2_PER_HA


@functools.lru_cache(maxsize=1)
def _geod() -> Any:
    from pyproj import Geod

    return Geod(ellps="WGS84")


def polygons(geometry: Any) -> list[Any]:
    """Return the polygons that a shapely geometry consists of; what has no area is left out."""
    if geometry.is_empty:
        return []
    if geometry.geom_type == "Polygon":
        return [geometry]
    return [polygon for part in getattr(geometry, "geoms", ()) for polygon in polygons(part)]


def multipolygon(geometry: Any) -> Any:
    """Return a shapely geometry's areas as a 2D MultiPolygon, mended where rings cross."""
    from shapely.geometry import MultiPolygon
    from shapely.ops import transform
    from shapely.validation import make_valid

    if geometry.has_z:
        geometry = transform(lambda x, y, z=None: (x, y), geometry)
    return MultiPolygon(polygons(geometry if geometry.is_valid else make_valid(geometry)))
