"""Reading the country borders that QGIS brings along, from a copy: opening a GeoPackage can rewrite it, and this one is QGIS's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.errors import InputError

Box = tuple[float, float, float, float]
_COUNTRIES, _STATES = "countries", "states_provinces"
_NO_CODE = ("-1", "-99")
# the map draws overseas departments as part of France: west, south, east, north of each
_DEPARTMENTS = {
    "GF": (-55, 2, -51, 6), "GP": (-62, 15.8, -60.9, 16.6), "MQ": (-61.3, 14.3, -60.7, 15), "RE": (55, -22, 56, -20),
    "YT": (44.9, -13.1, 45.4, -12.5),
}  # fmt: skip


@dataclass(frozen=True)
class WorldMap:
    """Countries as (alpha-2 code, WKB), first-level divisions as (code or name of the country, name, WKB) with their boxes in degrees."""

    countries: list[tuple[str, bytes]]
    states: list[tuple[str, str, bytes]]
    boxes: list[Box]  # west, south, east, north of each division


def read_world_map(path: str) -> WorldMap:
    """Read QGIS's `world_map.gpkg`; raise `InputError` if it is missing or has no layer `countries` with `iso_a2`."""
    from osgeo import gdal

    from epoch_plugin.core.datasets.gdal_state import gdal_exceptions

    if not os.path.isfile(path):
        raise InputError(f"The country borders '{path}' are missing: give the path of QGIS's resources/data/world_map.gpkg.")
    folder = tempfile.mkdtemp(prefix="epoch-borders-")
    try:
        copy = shutil.copy(path, os.path.join(folder, "borders.gpkg"))
        with gdal_exceptions():
            try:
                dataset = gdal.OpenEx(copy, gdal.OF_VECTOR | gdal.OF_READONLY)
                countries = [(code, wkb) for (code,), wkb, _ in _rows(dataset.GetLayerByName(_COUNTRIES), "iso_a2")]
                layer = dataset.GetLayerByName(_STATES)
                states = list(_rows(layer, "iso_a2", "name", "admin")) if layer else []
            except (RuntimeError, AttributeError, KeyError) as error:
                raise InputError(f"'{path}' has no layer '{_COUNTRIES}' with 'iso_a2' ({error}): give QGIS's world_map.gpkg.") from None
    finally:
        layer = dataset = None
        shutil.rmtree(folder, ignore_errors=True)
    named = [row for row in states if row[0][1] and row[0][1] not in _NO_CODE]
    return WorldMap(
        [row for code, wkb in countries if code and code not in _NO_CODE[:1] for row in _with_departments(code, wkb)],
        [(admin if code in ("", *_NO_CODE) else code, name, wkb) for (code, name, admin), wkb, _ in named],
        [box for _, _, box in named],
    )


def _rows(layer: Any, *fields: str) -> Iterator[tuple[tuple[str, ...], bytes, Box]]:
    for feature in layer:
        geometry = feature.GetGeometryRef()
        if geometry is not None:
            west, east, south, north = geometry.GetEnvelope()
            yield tuple(str(feature.GetField(field) or "") for field in fields), bytes(geometry.ExportToWkb()), (west, south, east, north)


def _with_departments(code: str, wkb: bytes) -> list[tuple[str, bytes]]:
    """Take the overseas departments out of France's outline."""
    if code != "FR":
        return [(code, wkb)]
    import shapely.wkb
    from shapely.geometry import MultiPolygon

    left, rows = list(shapely.wkb.loads(wkb).geoms), []
    for department, (west, south, east, north) in _DEPARTMENTS.items():
        own = [p for p in left if west <= p.bounds[0] and p.bounds[2] <= east and south <= p.bounds[1] and p.bounds[3] <= north]
        left = [p for p in left if p not in own]
        rows += [(department, MultiPolygon(own).wkb)] if own else []
    return [(code, MultiPolygon(left).wkb), *rows]
