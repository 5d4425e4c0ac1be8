"""Small rasters for tests of datasets, and the way from an entry to its layer."""

from __future__ import annotations

import numpy as np
import pytest

from epoch_plugin.core.datasets.datasets_file import Entry, datasets_from_dict
from epoch_plugin.core.datasets.open import open_layer
from epoch_plugin.core.datasets.raster import RasterLayer

gdal = pytest.importorskip("osgeo.gdal")
osr = pytest.importorskip("osgeo.osr")

MASK = {"kind": "mask", "values": [1]}
ONES = np.ones((4, 5), "uint8")


def srs(code: int = 32630):
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(code)
    return reference


def write(path, values, x0=0.0, y0=100.0, dx=1.0, dy=-1.0, nodata=None, code=32630, options=(), scale=None, rotation=0.0):
    values = np.asarray(values)
    kinds = {"uint8": gdal.GDT_Byte, "int16": gdal.GDT_Int16, "uint16": gdal.GDT_UInt16, "float32": gdal.GDT_Float32, "float64": gdal.GDT_Float64}
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, kinds[values.dtype.name], list(options))
    dataset.SetGeoTransform((x0, dx, rotation, y0, rotation, dy))
    if code:
        dataset.SetSpatialRef(srs(code))
    band = dataset.GetRasterBand(1)
    if nodata is not None:
        band.SetNoDataValue(nodata)
    if scale is not None:
        band.SetScale(scale)
    band.WriteArray(values)
    band = dataset = None
    return path


def entry(folder, **keys) -> Entry:
    keys = {"role": "forest_2020", "encoding": MASK, **keys}
    if keys["encoding"] is None:
        del keys["encoding"]
    return datasets_from_dict({"datasets": [keys]}, str(folder / "datasets.json")).entries[0]


def opened(folder, **keys) -> RasterLayer:
    item = entry(folder, **keys)
    return open_layer(item, item.sources[0])
