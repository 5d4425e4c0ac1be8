"""Regions from a vector layer of the user's: any format of OGR, any CRS; features of one name are one region."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.regions.country_names import find_country
from epoch_plugin.core.regions.layer_kinds import LayerKind, layer_kind
from epoch_plugin.core.regions.region import ADMIN_AREA, Region, multipolygon, region_uuid

Box = tuple[float, float, float, float]
EDGE_SHARE = 1 / 400  # of the layer's width: longer straight edges of a projected layer get vertices in between before it is reprojected
_LAYER = "|layername="


@dataclass(frozen=True)
class _Feature:
    name: str
    country: str
    uuid: str
    geometry: Any


def split_source(source: str) -> tuple[str, str]:
    """Return file and layer ('' = the only one) of `file|layername=x`."""
    path, _, rest = source.partition(_LAYER)
    return path.partition("|")[0], rest.partition("|")[0]


def describe_layer(source: str, name_field: str) -> dict[str, Any]:
    """Return what decides the regions, for a job's inputs: file, layer, name field, size, modification time."""
    path, layer = split_source(source)
    _require_file(path)
    stat = os.stat(path)
    return {"file": path, "layer": layer, "name_field": name_field, "size": stat.st_size, "mtime": stat.st_mtime}


def read_regions(source: str, name_field: str, near: Box) -> list[Region]:
    """Return the regions whose boxes meet `near` (degrees), sorted by id; raise `InputError` saying what the layer lacks.

    What kind of regions they are follows from the fields (`layer_kinds`).
    """
    from shapely.ops import unary_union

    kind, features = _read(source, name_field)
    by_uuid: dict[str, list[_Feature]] = {}
    for feature in features:
        west, south, east, north = feature.geometry.bounds
        if west <= near[2] and east >= near[0] and south <= near[3] and north >= near[1]:
            by_uuid.setdefault(feature.uuid, []).append(feature)
    found = []
    for key in sorted(by_uuid):
        same = by_uuid[key]
        geometry = multipolygon(unary_union([feature.geometry for feature in same])) if len(same) > 1 else same[0].geometry
        country = find_country(same[0].country)
        found.append(
            Region(key, kind.stat_type, same[0].name, geometry.wkb, country.name if country else same[0].country or None,
                   same[0].name if kind.stat_type == ADMIN_AREA else None)
        )  # fmt: skip
    return found


def _require_file(path: str) -> None:
    if not os.path.exists(path):
        raise InputError(f"REGIONS: there is no file {path}.")


def _read(source: str, name_field: str) -> tuple[LayerKind, list[_Feature]]:
    from osgeo import gdal

    from epoch_plugin.core.datasets.gdal_state import gdal_exceptions

    path, name = split_source(source)
    _require_file(path)
    with gdal_exceptions():
        try:
            dataset = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
        except RuntimeError as error:
            raise InputError(f"REGIONS: GDAL cannot read {path} as vectors ({error}).") from None
        names = [dataset.GetLayer(i).GetName() for i in range(dataset.GetLayerCount())]
        if (name and name not in names) or (not name and len(names) != 1):
            raise InputError(f"REGIONS: name one layer of {path} as file|layername=...; it has {', '.join(names) or 'none'}.")
        layer = dataset.GetLayer(names.index(name) if name else 0)
        definition = layer.GetLayerDefn()
        fields = [definition.GetFieldDefn(i).GetName() for i in range(definition.GetFieldCount())]
        kind = layer_kind(fields, name_field, f"'{layer.GetName()}' of {os.path.basename(path)}")
        return kind, list(_features(layer, kind))


def _features(layer: Any, kind: LayerKind) -> Iterator[_Feature]:
    import shapely.wkb

    transform, longest = _to_degrees(layer)
    for feature in layer:
        geometry = feature.GetGeometryRef()
        name = _text(feature, kind.name_field)
        if geometry is None or geometry.IsEmpty():
            continue
        if not name:
            raise InputError(f"REGIONS: feature {feature.GetFID()} of '{layer.GetName()}' has no '{kind.name_field}': name it, or take it out.")
        geometry = geometry.GetLinearGeometry()
        if transform is not None:
            geometry.Segmentize(longest)
            geometry.Transform(transform)
        shape = multipolygon(shapely.wkb.loads(bytes(geometry.ExportToWkb())))
        if shape.is_empty:
            raise InputError(f"REGIONS: feature {feature.GetFID()} ('{name}') of '{layer.GetName()}' encloses no area: REGIONS takes polygons.")
        country = _text(feature, kind.country_field)
        key = _text(feature, kind.id_field)
        yield _Feature(name, country, key or region_uuid(kind.stat_type, country, name), shape)


def _text(feature: Any, field: str) -> str:
    if not field or feature.IsFieldSetAndNotNull(field) == 0:
        return ""
    return str(feature.GetFieldAsString(field)).strip()


def _to_degrees(layer: Any) -> tuple[Any, float]:
    """Return the transformation to EPSG:4326 (None if it is that already) and the longest edge that needs no vertices in between."""
    from osgeo import osr

    source = layer.GetSpatialRef()
    if source is None:
        raise InputError(f"REGIONS: '{layer.GetName()}' has no coordinate reference system; set it and save the layer.")
    source = source.Clone()
    target = osr.SpatialReference()
    target.ImportFromEPSG(4326)
    for reference in (source, target):
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    if source.IsSame(target):
        return None, 0.0
    west, east, south, north = layer.GetExtent()
    return osr.CoordinateTransformation(source, target), max(east - west, north - south, 1e-9) * EDGE_SHARE
