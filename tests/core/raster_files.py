"""Small rasters, vectors and datasets files for tests, and polygons as the store keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely.wkb
from osgeo import gdal, ogr, osr

TYPES = {
    "uint8": gdal.GDT_Byte, "int16": gdal.GDT_Int16, "uint16": gdal.GDT_UInt16, "int32": gdal.GDT_Int32, "float32": gdal.GDT_Float32,
    "float64": gdal.GDT_Float64,
}  # fmt: skip


def spatial_reference(crs: str) -> Any:
    """Return GDAL's object of a CRS, longitude before latitude."""
    reference = osr.SpatialReference()
    reference.SetFromUserInput(crs)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def write_tif(
    path: Path,
    values: Any,
    x0: float,
    y0: float,
    dx: float,
    dy: float | None = None,
    crs: str = "EPSG:4326",
    nodata: float | None = None,
    tile: int = 0,
    options: Sequence[str] = (),
    mask: Any = None,
    alpha: Any = None,
) -> Path:
    """Write values (rows, cols) or (bands, rows, cols); `tile` = side of square tiles, 0 = strips; `mask` and `alpha`: 0 hides a cell."""
    values = np.asarray(values)
    bands = values[None] if values.ndim == 2 else values
    count, rows, cols = bands.shape
    options = [*options, *((f"BLOCKXSIZE={tile}", f"BLOCKYSIZE={tile}", "TILED=YES") if tile else ())]
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), cols, rows, count + (alpha is not None), TYPES[values.dtype.name], options)
    dataset.SetGeoTransform((x0, dx, 0, y0, 0, -dx if dy is None else dy))
    dataset.SetSpatialRef(spatial_reference(crs))
    for number, band in enumerate(bands, start=1):
        if nodata is not None:
            dataset.GetRasterBand(number).SetNoDataValue(nodata)
        dataset.GetRasterBand(number).WriteArray(band)
    if alpha is not None:
        dataset.GetRasterBand(count + 1).SetColorInterpretation(gdal.GCI_AlphaBand)
        dataset.GetRasterBand(count + 1).WriteArray(np.asarray(alpha, values.dtype))
    if mask is not None:
        dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
        dataset.GetRasterBand(1).GetMaskBand().WriteArray(np.where(np.asarray(mask), 255, 0).astype("uint8"))
    dataset.FlushCache()
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", None)
    return path


def write_sparse_tif(path: Path, blocks: dict[tuple[int, int], Any], rows: int, cols: int, tile: int, x0: float, y0: float, dx: float) -> Path:
    """Write an EPSG:4326 file of bytes of which only the given blocks (block row, block column) exist."""
    options = ["SPARSE_OK=TRUE", "TILED=YES", f"BLOCKXSIZE={tile}", f"BLOCKYSIZE={tile}"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), cols, rows, 1, gdal.GDT_Byte, options)
    dataset.SetGeoTransform((x0, dx, 0, y0, 0, -dx))
    dataset.SetSpatialRef(spatial_reference("EPSG:4326"))
    for (row, col), values in blocks.items():
        dataset.GetRasterBand(1).WriteArray(np.asarray(values, "uint8"), col * tile, row * tile)
    dataset.FlushCache()
    return path


def write_vector(path: Path, features: Sequence[tuple[Any, dict[str, Any]]], crs: str = "EPSG:4326", layer: str = "areas") -> Path:
    """Write polygons with attributes (text or whole numbers) as a GeoPackage."""
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    out = dataset.CreateLayer(layer, spatial_reference(crs), ogr.wkbPolygon)
    for name, value in (features[0][1] if features else {}).items():
        out.CreateField(ogr.FieldDefn(name, ogr.OFTString if isinstance(value, str) else ogr.OFTInteger))
    for polygon, attributes in features:
        feature = ogr.Feature(out.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkb(shapely.wkb.dumps(polygon)))
        for name, value in attributes.items():
            feature.SetField(name, value)
        assert out.CreateFeature(feature) == 0
    dataset.FlushCache()
    return path


def write_datasets(folder: Path, *entries: dict[str, Any], name: str = "datasets.json") -> str:
    """Write a datasets file and return its path."""
    path = folder / name
    path.write_text(json.dumps({"datasets": list(entries)}), encoding="utf-8")
    return str(path)


def wkb_of(geometry: Any) -> bytes:
    """Return WKB as the store keeps it: little-endian, 2D."""
    found = shapely.wkb.dumps(geometry)
    assert found[0] == 1 and not geometry.has_z
    return found
