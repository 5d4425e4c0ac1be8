"""Vector sources: a layer of polygons that the engine burns by cell centre on the analysis grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.datasets.describe import MissingSourceError, is_missing
from epoch_plugin.core.datasets.encodings import Encoding
from epoch_plugin.core.datasets.entries import SourceRef
from epoch_plugin.core.datasets.gdal_state import gdal_exceptions
from epoch_plugin.core.datasets.raster import Grid, RasterLayer, Tile, VectorBurn
from epoch_plugin.core.errors import DatasetError

BLOCK = 512


@dataclass(frozen=True)
class VectorFile:
    """One layer of one vector file; extent (xmin, ymin, xmax, ymax) of the whole layer in `crs` (WKT2)."""

    path: str
    layer: str
    crs: str
    extent: tuple[float, float, float, float] | None  # None: the filter leaves no feature


def describe_vector(ref: SourceRef, who: str) -> VectorFile:
    """Check that layer, filter and field exist and that it holds areas; raise `DatasetError` saying which do."""
    with gdal_exceptions():
        dataset = _open(ref.files[0], who)
        layer = _layer(dataset, ref, who)
        reference = layer.GetSpatialRef()
        if reference is None:
            raise DatasetError(f"{who}: the layer '{layer.GetName()}' of {ref.files[0]} states no coordinate reference system; save it with one.")
        _check_areas(layer, ref, who)
        _check_field(layer, ref, who)
        extent = None
        if _has_features(layer, ref, who):
            xmin, xmax, ymin, ymax = layer.GetExtent()
            extent = (xmin, ymin, xmax, ymax)
        return VectorFile(ref.files[0], layer.GetName(), reference.ExportToWkt(["FORMAT=WKT2_2019"]), extent)


def open_vector(ref: SourceRef, encoding: Encoding, grid: Grid | None, name: str, who: str) -> RasterLayer:
    """Return the layer as it will be burnt on `grid`; a cell in no feature is "no", but no data where values or classes are read."""
    if grid is None:
        raise DatasetError(f"{who}: {ref.files[0]} is a vector layer, which needs the analysis grid of a raster; bind one in its role.")
    described = describe_vector(ref, who)
    outside = 0.0
    if encoding.kind in ("continuous", "classes"):
        outside = math.nan
    elif encoding.none:
        outside = encoding.none[0]
    burn = VectorBurn(described.path, described.layer, ref.where, ref.value_field, outside)
    tile = Tile(
        path=described.path, band=1, row0=0, col0=0, nrows=grid.nrows, ncols=grid.ncols, block_rows=BLOCK, block_cols=BLOCK,
        dtype="float64" if ref.value_field or math.isnan(outside) else "uint8", burn=burn,
    )  # fmt: skip
    return RasterLayer(name, grid, (tile,), None, kind="vector")


def _open(path: str, who: str) -> Any:
    from osgeo import gdal

    try:
        return gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
    except RuntimeError as error:
        if is_missing(path):
            text = f"{who}: the file {path} does not exist. Correct the path (relative: from the datasets file) or get the file."
            raise MissingSourceError(text) from None
        raise DatasetError(f"{who}: GDAL cannot read {path} as vectors ({error}).") from None


def _layer(dataset: Any, ref: SourceRef, who: str) -> Any:
    names = [dataset.GetLayer(i).GetName() for i in range(dataset.GetLayerCount())]
    if ref.layer:
        if ref.layer not in names:
            raise DatasetError(f"{who}, key 'layer': {ref.files[0]} has no layer '{ref.layer}'; it has {', '.join(names) or 'none'}.")
        return dataset.GetLayer(names.index(ref.layer))
    if len(names) != 1:
        raise DatasetError(f"{who}: {ref.files[0]} has {len(names)} layers ({', '.join(names)}); name one with the key 'layer'.")
    return dataset.GetLayer(0)


def _has_features(layer: Any, ref: SourceRef, who: str) -> bool:
    """Tell whether the filter leaves a feature; some drivers notice a bad filter only when they are read."""
    try:
        if ref.where:
            layer.SetAttributeFilter(ref.where)
        return layer.GetNextFeature() is not None
    except RuntimeError as error:
        raise DatasetError(f"{who}, key 'where': {ref.files[0]} refuses the filter {ref.where!r} ({error}).") from None


def _check_areas(layer: Any, ref: SourceRef, who: str) -> None:
    from osgeo import ogr

    kind = ogr.GT_Flatten(layer.GetGeomType())
    if kind not in (ogr.wkbPolygon, ogr.wkbMultiPolygon, ogr.wkbUnknown, ogr.wkbGeometryCollection, ogr.wkbCurvePolygon, ogr.wkbMultiSurface):
        raise DatasetError(f"{who}: the layer '{layer.GetName()}' of {ref.files[0]} holds {ogr.GeometryTypeToName(kind)}, not areas; "
                           "bind its polygons.")  # fmt: skip


def _check_field(layer: Any, ref: SourceRef, who: str) -> None:
    from osgeo import ogr

    if not ref.value_field:
        return
    definition = layer.GetLayerDefn()
    at = definition.GetFieldIndex(ref.value_field)
    if at < 0:
        names = ", ".join(definition.GetFieldDefn(i).GetName() for i in range(definition.GetFieldCount()))
        raise DatasetError(f"{who}, key 'value_field': '{layer.GetName()}' has no field '{ref.value_field}'; it has {names}.")
    if definition.GetFieldDefn(at).GetType() not in (ogr.OFTInteger, ogr.OFTInteger64, ogr.OFTReal):
        raise DatasetError(f"{who}, key 'value_field': the field '{ref.value_field}' holds no numbers; choose features with 'where' instead.")
