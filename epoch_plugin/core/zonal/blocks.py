"""Reading: windows of a tile as arrays, with what is no data whatever the values say; one open dataset per thread."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.raster import RasterLayer, Tile
from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.grids import TURN, passes_180
from epoch_plugin.core.zonal.kept_units import KeptUnits
from epoch_plugin.core.zonal.kernel import Array

WINDOW = 512  # side of the windows in which untiled files and vectors are read
_local = threading.local()
_kept = KeptUnits()


def reading_unit(tile: Tile) -> tuple[int, int]:
    """Return rows and columns of the windows in which a tile is read: its blocks where they are tiles."""
    if 64 <= tile.block_rows <= 2048 and 64 <= tile.block_cols <= 2048:
        return tile.block_rows, tile.block_cols
    return WINDOW, WINDOW


class TileReader:
    """One tile, opened by this thread; needs GDAL's exceptions on. Raises `DatasetError` naming the file when it cannot be read."""

    def __init__(self, layer: RasterLayer, tile: Tile) -> None:
        """Open the tile's file."""
        self._layer, self._tile = layer, tile
        self._unit = reading_unit(tile)
        self._whole_blocks = tile.burn is None and self._unit == (tile.block_rows, tile.block_cols)
        self._band: Any = None
        if tile.burn is None:
            try:
                self._band = _open_raster(tile.path).GetRasterBand(tile.band)
            except RuntimeError as error:
                raise DatasetError(f"{layer.name}: {tile.path} cannot be opened ({error}).") from error

    def read(self, unit_row: int, unit_col: int, values: Array, again: bool) -> Bools | None:
        """Read one window into `values` (rows x cols of the reading unit); return where they are data (None: everywhere).

        At the tile's lower and right edge the window keeps its full size; what lies beyond is never asked for. `again` tells
        that others of this run may want the window too.
        """
        if not again:
            return self._decode(unit_row, unit_col, values)
        _, _, height, width = self._place(unit_row, unit_col)
        unit = (self._layer.grid, self._tile, unit_row, unit_col)
        return _kept.read(unit, values[:height, :width], partial(self._decode, unit_row, unit_col, values))

    def _place(self, unit_row: int, unit_col: int) -> tuple[int, int, int, int]:
        """Return first row and column of a window in the tile, and its height and width there."""
        rows, cols = self._unit
        row, col = unit_row * rows, unit_col * cols
        return row, col, min(rows, self._tile.nrows - row), min(cols, self._tile.ncols - col)

    def _decode(self, unit_row: int, unit_col: int, values: Array) -> Bools | None:
        tile = self._tile
        try:
            if self._whole_blocks:
                _done(self._band.ReadBlock(unit_col, unit_row, buf_obj=values))
            else:
                self._window(*self._place(unit_row, unit_col), values)
            return self._valid(*self._place(unit_row, unit_col)) if tile.has_mask or tile.may_be_sparse else None
        except RuntimeError as error:
            row, col, _, _ = self._place(unit_row, unit_col)
            raise DatasetError(f"{self._layer.name}: {tile.path} cannot be read at row {row}, column {col} ({error}).") from error

    def _window(self, row: int, col: int, height: int, width: int, values: Array) -> None:
        if self._tile.burn is not None:
            values[:height, :width] = _burn(self._layer, self._tile, row, col, height, width)
        else:
            values[:height, :width] = _done(self._band.ReadAsArray(col, row, width, height))

    def _valid(self, row: int, col: int, height: int, width: int) -> Bools | None:
        tile, valid = self._tile, None
        if tile.has_mask:
            valid = np.zeros(self._unit, bool)
            mask = _open_raster(tile.path).GetRasterBand(tile.alpha_band) if tile.alpha_band else self._band.GetMaskBand()
            valid[:height, :width] = _done(mask.ReadAsArray(col, row, width, height)) != 0
        if tile.may_be_sparse:
            filled = np.ones(self._unit, bool)
            _mark_empty(self._band, filled, 0, 0, row, col, height, width)
            if not filled.all():
                valid = filled if valid is None else valid & filled
        return valid


def _done(read: Any) -> Any:
    """Return what GDAL has opened or read; raise RuntimeError for nothing: other plugins may turn GDAL's exceptions off at any time."""
    if read is None:
        from osgeo import gdal

        raise RuntimeError(gdal.GetLastErrorMsg())
    return read


def _mark_empty(band: Any, filled: Bools, top: int, left: int, row: int, col: int, height: int, width: int) -> None:
    """Clear the cells of `filled` for which the file holds no data at all, by halving windows that hold some."""
    from osgeo import gdal

    flags, percent = _coverage_status(band, col, row, width, height)
    if not flags & gdal.GDAL_DATA_COVERAGE_STATUS_EMPTY:
        return
    if percent <= 0 or not flags & gdal.GDAL_DATA_COVERAGE_STATUS_DATA:
        filled[top : top + height, left : left + width] = False
        return
    if height == 1 and width == 1:
        return
    first_height, first_width = (height + 1) // 2, (width + 1) // 2
    for dy, h in ((0, first_height), (first_height, height - first_height)):
        for dx, w in ((0, first_width), (first_width, width - first_width)):
            if h and w:
                _mark_empty(band, filled, top + dy, left + dx, row + dy, col + dx, h, w)


def _coverage_status(band: Any, col: int, row: int, width: int, height: int) -> tuple[int, float]:
    status = band.GetDataCoverageStatus(col, row, width, height)
    return (int(status[0]), float(status[1])) if isinstance(status, (tuple, list)) else (int(status), 100.0)


def _burn(layer: RasterLayer, tile: Tile, row: int, col: int, height: int, width: int) -> Array:
    """Burn a vector layer by cell centre: 1, or the value of a field, inside; `burn.outside` elsewhere."""
    from osgeo import gdal, osr

    burn = tile.burn
    if burn is None:
        raise DatasetError(f"{layer.name}: no vector source.")
    by_field = bool(burn.value_field)
    grid = layer.grid
    target = gdal.GetDriverByName("MEM").Create("", width, height, 1, gdal.GDT_Float64 if tile.dtype == "float64" else gdal.GDT_Byte)
    reference = osr.SpatialReference()
    reference.SetFromUserInput(grid.crs)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    target.SetSpatialRef(reference)
    target.GetRasterBand(1).Fill(burn.outside)
    source = _open_vector(burn.path, burn.layer, burn.where)
    options = [f"ATTRIBUTE={burn.value_field}"] if by_field else []
    for turn in (0.0, TURN) if passes_180(grid) else (0.0,):  # the vectors may count their degrees either way
        target.SetGeoTransform((grid.x0 + col * grid.dx - turn, grid.dx, 0, grid.y0 + row * grid.dy, 0, grid.dy))
        _filter_to(source[1], reference, target.GetGeoTransform(), height, width)
        if gdal.RasterizeLayer(target, [1], source[1], burn_values=[] if by_field else [1], options=options) != gdal.CE_None:
            raise RuntimeError(gdal.GetLastErrorMsg())
    burnt: Array = _done(target.ReadAsArray())
    return burnt


def _filter_to(layer: Any, reference: Any, transform: Any, height: int, width: int) -> None:
    """Let a layer hand out only the features near a window; the corners' box in the layer's own CRS is wide enough."""
    from osgeo import osr

    left, right = transform[0], transform[0] + width * transform[1]
    bottom, top = sorted((transform[3], transform[3] + height * transform[5]))
    own = layer.GetSpatialRef()
    if own is not None and not own.IsSame(reference):
        own = own.Clone()
        own.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        left, bottom, right, top = osr.CoordinateTransformation(reference, own).TransformBounds(left, bottom, right, top, 21)
    layer.SetSpatialFilterRect(left, bottom, right, top)


def _open_raster(path: str) -> Any:
    from osgeo import gdal

    opened = _local.__dict__.setdefault("rasters", {})
    if path not in opened:
        # threads share nothing: a GDAL dataset must not be used by two at a time
        opened[path] = _done(gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY))
    return opened[path]


def _open_vector(path: str, layer: str, where: str) -> tuple[Any, Any]:
    from osgeo import gdal

    opened = _local.__dict__.setdefault("vectors", {})
    if (path, layer, where) not in opened:
        dataset = _done(gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY))
        found = dataset.GetLayerByName(layer) if layer else dataset.GetLayer(0)
        if found is None:
            raise DatasetError(f"{path} has no layer '{layer}'.")
        if where:
            found.SetAttributeFilter(where)
        opened[path, layer, where] = (dataset, found)
    found_layer: tuple[Any, Any] = opened[path, layer, where]
    return found_layer


def close_datasets() -> None:
    """Close what this thread has opened, and let go of what all have read: files may change once nobody reads them."""
    _local.__dict__.clear()
    _kept.clear()
