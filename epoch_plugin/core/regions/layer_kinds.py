"""What a layer of regions holds, by its fields: watersheds, administrative areas, or regions of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.regions.region import ADMIN_AREA, REGION, WATERSHED


@dataclass(frozen=True)
class LayerKind:
    """How a layer is read: kind of region, and the fields with name, country and id ('' = none). Where an id field is given it is the region's id."""

    stat_type: str
    name_field: str
    country_field: str = ""
    id_field: str = ""


# marks (all needed, ignoring case) -> how the layer is read; HydroBASINS, GADM and geoBoundaries name their fields so
_KNOWN: tuple[tuple[tuple[str, ...], LayerKind], ...] = (
    (("hybas_id",), LayerKind(WATERSHED, "hybas_id", "", "hybas_id")),
    (("gid_1", "name_1"), LayerKind(ADMIN_AREA, "name_1", "country")),
    (("shapename", "shapegroup", "shapetype"), LayerKind(ADMIN_AREA, "shapename", "shapegroup")),
)
_NAMES = ("name", "region", "region_name")


def layer_kind(fields: Sequence[str], name_field: str, what: str) -> LayerKind:
    """Return how a layer with these fields is read; `name_field` is the user's choice ('' = none).

    Raises `InputError` naming the fields where the user's is not among them, or where none is chosen and none is known.
    """
    by_key = {name.casefold(): name for name in reversed(fields)}
    chosen = name_field if name_field in fields else by_key.get(name_field.casefold(), "") if name_field else ""
    if name_field and not chosen:
        raise InputError(f"REGION_NAME_FIELD: {what} has no field '{name_field}'; it has {', '.join(fields) or 'none'}.")
    for marks, kind in _KNOWN:
        if all(mark in by_key for mark in marks):
            country = by_key.get(kind.country_field) or by_key.get("name_0", "") if kind.country_field else ""
            return LayerKind(kind.stat_type, chosen or by_key[kind.name_field], country, by_key.get(kind.id_field, ""))
    found = chosen or next((by_key[name] for name in _NAMES if name in by_key), "")
    if not found:
        raise InputError(f"REGION_NAME_FIELD is missing: name the field of {what} with the regions' names; it has {', '.join(fields) or 'none'}.")
    return LayerKind(REGION, found)
