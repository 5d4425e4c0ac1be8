"""Administrative areas around plots, from the coarse borders that QGIS brings along: first-level divisions, else countries."""

from __future__ import annotations

from epoch_plugin.core.regions.countries import country_name
from epoch_plugin.core.regions.region import ADMIN_AREA, Region, multipolygon, region_uuid
from epoch_plugin.core.regions.world_map import Box, read_world_map


def admin_areas(path: str, near: Box) -> list[Region]:
    """Return the divisions whose boxes meet `near` (degrees), and the countries that the map does not divide, sorted by id.

    `path` is QGIS's `world_map.gpkg`, of which a copy is opened. Divisions of one name in one country are one region.
    """
    import shapely.wkb
    from shapely.ops import unary_union

    world = read_world_map(path)
    divided: dict[tuple[str, str], list[bytes]] = {}
    for country, name, wkb in world.states:
        divided.setdefault((country, name), []).append(wkb)
    divided_countries = {code for code, _ in divided}
    wanted = [(country, name) for (country, name, _), box in zip(world.states, world.boxes) if _meet(box, near)]
    for code, wkb in world.countries:
        if code not in divided_countries:
            divided[code, ""] = [wkb]
            wanted += [(code, "")] if _meet(shapely.wkb.loads(wkb).bounds, near) else []
    found = []
    for code, name in sorted(set(wanted)):
        shapes = [multipolygon(shapely.wkb.loads(wkb)) for wkb in divided[code, name]]
        country = country_name(code)
        polygon = multipolygon(unary_union(shapes) if len(shapes) > 1 else shapes[0]).wkb
        found.append(Region(region_uuid(ADMIN_AREA, code, name), ADMIN_AREA, name or country, polygon, country, name or None, coarse=True))
    return sorted(found, key=lambda region: region.uuid)


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]
