"""What nobody can avoid: every block that a plot touches, of every layer, decoded once with GDAL's ReadBlock in two threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.runs.common import Plots, gdal_layer
from bench.scale import Cache
from bench.stack import FORTY, by_grid

BLOCK = 512
THREADS = 2


def prepare(cache: Cache, count: int) -> Callable[[], dict[str, Any]]:
    """Which blocks are touched is found by GDAL's rasterizer, with one cell per block, and not measured."""
    from osgeo import gdal

    gdal.UseExceptions()
    source = gdal_layer(Plots(cache, count).in_order())
    blocks = {grid: touched(str(cache.layer(layers[0].name)), source) for grid, layers in by_grid().items()}
    jobs = sorted(((cache.layer(layer.name), blocks[layer.grid]) for layer in FORTY), key=lambda job: -len(job[1]))

    def read(job: Any) -> None:
        band_owner = gdal.Open(str(job[0]))
        band = band_owner.GetRasterBand(1)
        for row, column in job[1]:
            band.ReadBlock(column, row)

    def work() -> dict[str, Any]:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(read, jobs))
        return {"blocks": sum(len(job[1]) for job in jobs)}

    return work


def touched(path: str, source: Any) -> list[tuple[int, int]]:
    """Return row and column of the blocks of a raster that the polygons touch."""
    import numpy as np
    from osgeo import gdal

    raster = gdal.Open(path)
    west, dx, _, north, _, dy = raster.GetGeoTransform()
    shape = -(-raster.RasterYSize // BLOCK), -(-raster.RasterXSize // BLOCK)
    target = gdal.GetDriverByName("MEM").Create("", shape[1], shape[0], 1, gdal.GDT_Byte)
    target.SetGeoTransform((west, dx * BLOCK, 0, north, 0, dy * BLOCK))
    target.SetProjection(raster.GetProjection())
    gdal.RasterizeLayer(target, [1], source.GetLayer(0), burn_values=[1], options=["ALL_TOUCHED=TRUE"])
    rows, columns = np.nonzero(target.ReadAsArray())
    return list(zip(rows.tolist(), columns.tolist()))
