"""What one raster file says of itself: lattice, CRS, type, blocks, nodata tag, masks, scale. Pixels are not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.datasets.gdal_state import gdal_exceptions
from epoch_plugin.core.datasets.paths import is_remote
from epoch_plugin.core.errors import DatasetError

_DTYPES = {
    "Byte": "uint8", "Int8": "int8", "UInt16": "uint16", "Int16": "int16", "UInt32": "uint32", "Int32": "int32",
    "UInt64": "uint64", "Int64": "int64", "Float32": "float32", "Float64": "float64",
}  # fmt: skip
_EMPTY = 4  # GDAL_DATA_COVERAGE_STATUS_EMPTY


class MissingSourceError(DatasetError):
    """A file that an entry names is not there."""


@dataclass(frozen=True)
class RasterFile:
    """One band of one file; `crs` is WKT2, (x0, y0) the outer corner of its first cell, dx > 0, dy < 0 for north-up."""

    path: str
    band: int
    crs: str
    x0: float
    y0: float
    dx: float
    dy: float
    ncols: int
    nrows: int
    block_rows: int
    block_cols: int
    dtype: str
    nodata: float | None
    has_mask: bool
    alpha_band: int
    may_be_sparse: bool
    scale: float
    offset: float
    driver: str


def describe_raster(path: str, band: int, who: str) -> RasterFile:
    """Describe one band; raise `DatasetError`, begun with `who`, for what cannot be read or is not on a plain north-south lattice."""
    from osgeo import gdal

    with gdal_exceptions():
        dataset = open_raster(path, who)
        if not 1 <= band <= dataset.RasterCount:
            raise DatasetError(f"{who}: {path} has {dataset.RasterCount} band(s), so there is no band {band}.")
        source = dataset.GetRasterBand(band)
        alpha = _alpha_band(dataset, band)
        flags = source.GetMaskFlags()
        own_mask = bool(flags & gdal.GMF_PER_DATASET) and not flags & (gdal.GMF_NODATA | gdal.GMF_ALPHA)
        x0, dx, y0, dy = _lattice(dataset, path, who)
        block_cols, block_rows = source.GetBlockSize()
        scale, offset = source.GetScale(), source.GetOffset()
        return RasterFile(
            path=path, band=band, crs=_crs(dataset, path, who), x0=x0, y0=y0, dx=dx, dy=dy,
            ncols=dataset.RasterXSize, nrows=dataset.RasterYSize, block_rows=block_rows, block_cols=block_cols,
            dtype=_dtype(source, path, who), nodata=source.GetNoDataValue(),
            has_mask=own_mask or alpha > 0, alpha_band=0 if own_mask else alpha,
            may_be_sparse=_may_be_sparse(dataset, source, path),
            scale=1.0 if scale is None else scale, offset=0.0 if offset is None else offset, driver=dataset.GetDriver().ShortName,
        )  # fmt: skip


def open_raster(path: str, who: str) -> Any:
    """Open a raster for reading; inside `gdal_exceptions`. Raise `DatasetError` if it is missing or no raster."""
    from osgeo import gdal

    try:
        return gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY)
    except RuntimeError as error:
        reason = str(error)
    if is_missing(path):
        raise MissingSourceError(f"{who}: the file {path} does not exist. Correct the path (relative: from the datasets file) or get the file.")
    try:
        gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
    except RuntimeError:
        raise DatasetError(f"{who}: GDAL cannot read {path} as a raster ({reason}).") from None
    raise DatasetError(f'{who}: {path} holds vectors, not a raster; name its layer with "layer" in the entry.')


def is_missing(path: str) -> bool:
    """Tell whether a path certainly does not exist; False for network paths and for what is no plain path."""
    from osgeo import gdal

    return not is_remote(path) and ('"' not in path) and gdal.VSIStatL(path) is None


def _alpha_band(dataset: Any, band: int) -> int:
    """Return the alpha band. GDAL's mask hides it as soon as the file has a nodata tag, so it is looked for by its colour."""
    from osgeo import gdal

    for number in range(1, dataset.RasterCount + 1):
        if number != band and dataset.GetRasterBand(number).GetColorInterpretation() == gdal.GCI_AlphaBand:
            return number
    return 0


def _lattice(dataset: Any, path: str, who: str) -> tuple[float, float, float, float]:
    transform = dataset.GetGeoTransform(can_return_null=True)
    if transform is None:
        raise DatasetError(f"{who}: {path} has no georeference; write one with gdal_translate -a_ullr, or warp it by its control points.")
    x0, dx, row_shear, y0, column_shear, dy = transform
    if abs(row_shear) > 1e-9 * abs(dx) or abs(column_shear) > 1e-9 * abs(dy) or dx == 0 or dy == 0:
        raise DatasetError(f"{who}: {path} is rotated or sheared; rewrite it north-up with gdalwarp -r near.")
    if dx < 0:
        raise DatasetError(f"{who}: {path} runs from east to west; rewrite it with gdalwarp -r near.")
    return x0, dx, y0, dy


def _crs(dataset: Any, path: str, who: str) -> str:
    reference = dataset.GetSpatialRef()
    if reference is None:
        raise DatasetError(f"{who}: {path} states no coordinate reference system; write it with gdal_edit -a_srs EPSG:n.")
    return str(reference.ExportToWkt(["FORMAT=WKT2_2019"]))


def _dtype(band: Any, path: str, who: str) -> str:
    from osgeo import gdal

    name = gdal.GetDataTypeName(band.DataType)
    if name == "Byte" and band.GetMetadataItem("PIXELTYPE", "IMAGE_STRUCTURE") == "SIGNEDBYTE":  # GDAL before 3.7
        return "int8"
    if name not in _DTYPES:
        raise DatasetError(f"{who}: {path} stores {name} values, which no encoding reads; convert it with gdal_translate -ot.")
    return _DTYPES[name]


def _may_be_sparse(dataset: Any, band: Any, path: str) -> bool:
    """Tell whether blocks may be empty. Asking a remote file would load its whole block index, so it counts as sparse."""
    driver = dataset.GetDriver().ShortName
    if driver == "VRT" or is_remote(path):
        return True
    if driver not in ("GTiff", "COG"):
        return False
    return bool(band.GetDataCoverageStatus(0, 0, dataset.RasterXSize, dataset.RasterYSize)[0] & _EMPTY)
