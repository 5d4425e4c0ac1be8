"""Writes the sample: small GeoTIFFs, one GeoPackage, GeoJSON and JSON, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from osgeo import gdal, ogr, osr

from scripts.sample.grids import ANALYSIS, NORTH, WEST, Layer
from scripts.sample.plan import Plan
from scripts.sample.scene import DYNAMIC_WORLD_NO_DATA, FOREST_NO_DATA, RADD_NO_DATA, TMF_NO_DATA, Protected

OPTIONS = ["TILED=YES", "BLOCKXSIZE=256", "BLOCKYSIZE=256", "COMPRESS=DEFLATE", "ZLEVEL=9"]
# Nodata tags as users meet them: Hansen's and soy's 0 is wrong on purpose (it means "no"), the datasets file sets it right.
TAGS = {"forest_2020": FOREST_NO_DATA, "glad": 0, "tmf": TMF_NO_DATA, "dynamic_world": DYNAMIC_WORLD_NO_DATA, "radd": RADD_NO_DATA, "soy": 0}
NAMES = {"glad": "glad_lossyear", "radd": "radd_date"}
GPKG_DATE = "2025-12-31T00:00:00.000Z"


def write_rasters(plan: Plan, folder: Path) -> None:
    """Write every layer, one file per part."""
    for role, layer in plan.scene.single.items():
        write_layer(layer, folder, NAMES.get(role, role), TAGS.get(role))
    for role, layers in plan.scene.series.items():
        (folder / role).mkdir(exist_ok=True)
        for year, layer in layers.items():
            write_layer(layer, folder / role, f"{role}_{year}", TAGS[role])


def write_layer(layer: Layer, folder: Path, name: str, tag: int | None) -> None:
    """Write a layer, one file per part, with a nodata tag or without."""
    lattice, kind = layer.lattice, {"uint8": gdal.GDT_Byte, "uint16": gdal.GDT_UInt16, "int16": gdal.GDT_Int16}[layer.values.dtype.name]
    step = float(lattice.step)
    for part in layer.parts:
        path = folder / f"{name}_{part.name}.tif" if part.name else folder / f"{name}.tif"
        raster = gdal.GetDriverByName("GTiff").Create(str(path), part.columns, part.rows, 1, kind, OPTIONS)
        west, north = lattice.west + part.column * lattice.step, lattice.north - part.row * lattice.step
        raster.SetGeoTransform((float(west), step, 0.0, float(north), 0.0, -step))
        raster.SetProjection(_wgs84().ExportToWkt())
        band = raster.GetRasterBand(1)
        if tag is not None:
            band.SetNoDataValue(tag)
        band.WriteArray(layer.values[part.row : part.row + part.rows, part.column : part.column + part.columns])
        band = raster = None  # closes the file


def write_protected_areas(plan: Plan, path: Path) -> None:
    """Write the layers `polygons` and `mandate`."""
    before = gdal.GetConfigOption("OGR_CURRENT_DATE")
    gdal.SetConfigOption("OGR_CURRENT_DATE", GPKG_DATE)
    try:
        package = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
        _write_polygons(package, "polygons", plan.scene.protected)
        _write_polygons(package, "mandate", plan.scene.mandate)
        package = None
    finally:
        gdal.SetConfigOption("OGR_CURRENT_DATE", before)


def _write_polygons(package: Any, name: str, areas: Sequence[Protected]) -> None:
    layer = package.CreateLayer(name, _wgs84(), ogr.wkbPolygon)
    for key, value in areas[0].attributes.items():
        layer.CreateField(ogr.FieldDefn(key, ogr.OFTInteger if isinstance(value, int) else ogr.OFTString))
    for area in areas:
        feature = ogr.Feature(layer.GetLayerDefn())
        for key, value in area.attributes.items():
            feature.SetField(key, value)
        feature.SetGeometry(ogr.CreateGeometryFromWkt(_rectangle(area)))
        layer.CreateFeature(feature)


def _rectangle(area: Protected) -> str:
    step = float(ANALYSIS.step)
    west, east = (float(WEST) + step * c for c in (area.west, area.east))
    south, north = (float(NORTH) - step * r for r in (area.south, area.north))
    return f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


def _wgs84() -> osr.SpatialReference:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def write_plots(plan: Plan, path: Path) -> None:
    """Write plots.geojson, one feature a line."""
    lines = [_line({"type": "Feature", "properties": plot.properties, "geometry": plot.geometry}) for plot in plan.plots]
    path.write_text('{"type": "FeatureCollection", "name": "vavoua_sample", "features": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


def write_datasets(entries: list[dict[str, Any]], path: Path) -> None:
    """Write a datasets file, one entry a line."""
    path.write_text('{"datasets": [\n' + ",\n".join("  " + _line(entry) for entry in entries) + "\n]}\n", encoding="utf-8")


def write_truth(head: Mapping[str, Any], plots: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Write a truth file, one plot a line; areas in hectares, rounded to 1e-11."""
    lines = [f"{json.dumps(plotid)}: {_line(_rounded(fields))}" for plotid, fields in plots.items()]
    opening = _line(head)[:-1]
    path.write_text(opening + ', "plots": {\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 11)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return value
