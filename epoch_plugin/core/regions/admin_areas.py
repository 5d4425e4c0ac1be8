"""Administrative areas around plots, from the coarse borders that QGIS brings along: first-level divisions, else countries."""

from __future__ import annotations

from typing import Any

from epoch_plugin.core.box_tree import BoxTree
from epoch_plugin.core.regions.countries import country_name
from epoch_plugin.core.regions.region import ADMIN_AREA, Region, multipolygon, region_uuid
from epoch_plugin.core.regions.world_map import read_world_map

Box = tuple[float, float, float, float]


def admin_areas(path: str, near: Box) -> list[Region]:
    """Return the divisions whose boxes meet `near` (degrees), and the countries that the map does not divide, sorted by id.

    `path` is QGIS's `world_map.gpkg`, of which a copy is opened. Divisions of one name in one country are one region.
    """
    from shapely.ops import unary_union

    world = read_world_map(path)
    divided: dict[tuple[str, str], list[bytes]] = {}
    for country, name, wkb in world.states:
        divided.setdefault((country, name), []).append(wkb)
    countries = {code for code, _ in divided}
    for code, wkb in world.countries:
        if code not in countries:
            divided.setdefault((code, ""), []).append(wkb)
    found = []
    for (code, name), wkbs in divided.items():
        shapes = _near(wkbs, near)
        if not shapes:
            continue
        country = country_name(code)
        whole = multipolygon(unary_union(shapes) if len(shapes) > 1 else shapes[0])
        found.append(Region(region_uuid(ADMIN_AREA, code, name), ADMIN_AREA, name or country, whole.wkb, country, name or None, coarse=True))
    return sorted(found, key=lambda region: region.uuid)


def _near(wkbs: list[bytes], near: Box) -> list[Any]:
    """Return all shapes of a division if the box of any meets `near`."""
    import shapely.wkb
    from shapely.geometry import box

    shapes = [multipolygon(shapely.wkb.loads(wkb)) for wkb in wkbs]
    return shapes if BoxTree(shapes).hits(box(*near)) else []
