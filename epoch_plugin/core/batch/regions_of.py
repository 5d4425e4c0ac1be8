"""Which regions a batch compares with: administrative areas, and those of the user's layer."""

from __future__ import annotations

import os
from typing import Any

from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.regions.admin_areas import admin_areas
from epoch_plugin.core.regions.region import ADMIN_AREA, Region
from epoch_plugin.core.regions.region_layer import describe_layer, read_regions
from epoch_plugin.core.zonal.rings import Floats


def regions_around(request: BatchRequest, boxes: Floats) -> list[Region]:
    """Return the regions that may hold plots of these boxes (n, 4: west, south, east, north in degrees).

    Administrative areas of the user's own replace the coarse ones of QGIS's map. Raises `InputError` for a layer that cannot be used.
    """
    if len(boxes) == 0:
        return []
    west, south = boxes[:, :2].min(axis=0).tolist()
    east, north = boxes[:, 2:].max(axis=0).tolist()
    near = (west, south, east, north)
    own = read_regions(request.regions, request.region_name_field, near) if request.regions else []
    if request.borders and not any(region.stat_type == ADMIN_AREA for region in own):
        return [*admin_areas(request.borders, near), *own]
    return own


def describe_regions(request: BatchRequest) -> dict[str, Any] | None:
    """Return what decides the regions, for a job's inputs; None where there are none but the collection's own."""
    if not (request.regions or request.borders):
        return None
    described: dict[str, Any] = {}
    if request.regions:
        described["layer"] = describe_layer(request.regions, request.region_name_field)
    if request.borders:
        stat = os.stat(request.borders)
        described["borders"] = {"file": request.borders, "size": stat.st_size, "mtime": stat.st_mtime}
    return described
