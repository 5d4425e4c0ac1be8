"""Writes the rasters: GeoTIFF, 512 x 512 tiles, deflate, as the public products come."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from bench.stack import CELLS_PER_DEGREE, METRES_PER_DEGREE, NORTH, WEST, Layer

STRIP = 512
PREDICTOR = {"uint8": 1, "uint16": 2, "int16": 2, "float32": 3}


def write_layer(layer: Layer, degrees: float, path: Path) -> float:
    """Write one raster and return how many times smaller than its cells the file is."""
    from osgeo import gdal, osr

    per_degree = CELLS_PER_DEGREE[layer.grid]
    side = math.ceil(degrees * per_degree - 1e-9)
    types = {"uint8": gdal.GDT_Byte, "uint16": gdal.GDT_UInt16, "int16": gdal.GDT_Int16, "float32": gdal.GDT_Float32}
    options = ["TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "COMPRESS=DEFLATE", f"PREDICTOR={PREDICTOR[layer.dtype]}", "NUM_THREADS=2"]
    partial = path.with_suffix(".partial")
    dataset = gdal.GetDriverByName("GTiff").Create(str(partial), side, side, 1, types[layer.dtype], options)
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    dataset.SetProjection(reference.ExportToWkt())
    dataset.SetGeoTransform((WEST, 1 / per_degree, 0, NORTH, 0, -1 / per_degree))
    band = dataset.GetRasterBand(1)
    if layer.nodata is not None:
        band.SetNoDataValue(layer.nodata)
    strip = layer.recipe.strips(side, METRES_PER_DEGREE / per_degree)
    for first in range(0, side, STRIP):
        band.WriteArray(strip(np.arange(first, min(first + STRIP, side))).astype(layer.dtype, copy=False), 0, first)
    del band, dataset
    partial.rename(path)
    return side * side * np.dtype(layer.dtype).itemsize / path.stat().st_size
