"""Largest differences from exactextract's cells with ellipsoidal areas, and from shapely's areas, over some plots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.runs.common import Plots, gdal_layer, plan, threads
from bench.scale import Cache
from bench.stack import FORTY, Layer, by_grid

A, F = 6378137.0, 1 / 298.257223563
E2 = F * (2 - F)
M2_PER_HA = 1e4


def prepare(cache: Cache, count: int, compared: int) -> Callable[[], dict[str, Any]]:
    """The first plots of the store."""
    import exactextract
    import shapely.wkb
    from osgeo import gdal

    from epoch_plugin.core.batch.compute import chunk_sums, compute_chunk
    from epoch_plugin.core.progress import NoProgress

    gdal.UseExceptions()
    plots = Plots(cache, count)
    shapes = plots.in_order(compared)
    wkbs = [shape.polygon for shape in shapes]

    def cells_of(layer: Layer, source: Any) -> list[tuple[Any, Any]]:
        """Values and weights (m2) of the cells of each plot, by exactextract's fractions."""
        raster = gdal.Open(str(cache.layer(layer.name)))
        transform, width = raster.GetGeoTransform(), raster.RasterXSize
        area = _row_areas(transform[3], transform[5], transform[1], raster.RasterYSize)
        found = exactextract.exact_extract(str(cache.layer(layer.name)), source, ["cell_id", "coverage", "values"], output="pandas")
        cell, fraction, values = (found[next(name for name in found if name.endswith(key))] for key in ("cell_id", "coverage", "values"))
        answer = []
        for ids, part, value in zip(cell, fraction, values):
            value = np.ma.filled(np.ma.asarray(value).astype(float), np.nan)
            known = ~np.isnan(value) if layer.nodata is None else ~(np.isnan(value) | (value == layer.nodata))
            answer.append((value[known], np.asarray(part, float)[known] * area[np.asarray(ids, np.int64)[known] // width]))
        return answer

    def work() -> dict[str, Any]:
        spec = plan(cache, "forty", plots.boxes)
        rows = compute_chunk(spec, shapes, threads(), NoProgress())["extra"]
        source = gdal_layer(shapes)
        classes = moments = 0.0
        for layer in FORTY:
            for row, shape, (value, weight) in zip(rows, shapes, cells_of(layer, source)):
                mine = row["extra"][f"x_{layer.name}"]
                if layer.categorical:
                    classes = max(classes, _class_difference(mine["classes"], value, weight, shape.area))
                else:
                    moments = max(moments, _moment_difference(mine, value, weight))
        areas = max(_area_difference(spec, chunk_sums, wkbs, [shapely.wkb.loads(wkb) for wkb in wkbs], str(cache.layer(layers[0].name)))
                    for layers in by_grid().values())  # fmt: skip
        return {"plots": len(shapes), "classes": classes, "moments": moments, "areas": areas}

    return work


def _class_difference(mine: dict[str, float] | None, value: Any, weight: Any, area: float) -> float:
    """Largest difference of a class's area, as a share of the plot."""
    theirs = {f"{code:.15g}": weight[value == code].sum() / M2_PER_HA for code in np.unique(value)}
    return max((abs(theirs.get(code, 0.0) - (mine or {}).get(code, 0.0)) / area for code in {*theirs, *(mine or {})}), default=0.0)


def _moment_difference(mine: dict[str, float | None], value: Any, weight: Any) -> float:
    """Difference of mean and standard deviation, relative to the larger of the two.

    A cell that a plot touches with a thousandth has a fraction of few exact digits in exactextract; if it alone is not 0, the mean is
    next to nothing and the deviation, fifty times as large, is off by as little as ever.
    """
    if weight.sum() == 0 or mine["mean"] is None:
        return 0.0 if (weight.sum() == 0) == (mine["mean"] is None) else math.inf
    mean = (value * weight).sum() / weight.sum()
    deviation = math.sqrt(max(((value - mean) ** 2 * weight).sum() / weight.sum(), 0.0))
    size = max(abs(mean), deviation, 1e-6)
    return max(abs(mean - float(mine["mean"])), abs(deviation - float(mine["std"] or 0.0))) / size


def _area_difference(spec: Any, chunk_sums: Any, wkbs: list[bytes], polygons: list[Any], path: str) -> float:
    """Largest relative difference of the sum of covered fractions from shapely's area in cells; plots that reach outside are left out."""
    from osgeo import gdal

    from epoch_plugin.core.progress import NoProgress
    from epoch_plugin.core.zonal import engine

    _, dx, _, _, _, dy = gdal.Open(path).GetGeoTransform()
    task = next(task for task in spec.plans[0].tasks if math.isclose(task.grid.dx, dx))
    result = engine.run(wkbs, [engine.GridTask(task.grid, task.shape, (_Ones(),))], threads(), NoProgress())[0]
    cells = np.array([polygon.area for polygon in polygons]) / abs(dx * dy)
    return float((np.abs(result.kernels[0].fraction_sum - cells) / cells)[~result.clipped].max())


@dataclass(frozen=True)
class _Ones:
    """A kernel that says 1 of every cell."""

    reads = ()

    def __call__(self, cells: Any) -> Any:
        from epoch_plugin.core.zonal.kernel import CellValues

        return CellValues(np.ones(len(cells)))


def _row_areas(north: float, dy: float, dx: float, rows: int) -> Any:
    """True area (m2) of a cell of each row: the closed form of a zone of the ellipsoid (Snyder 1987, eq. 3-12)."""
    e = math.sqrt(E2)
    sine = np.sin(np.radians(north + dy * np.arange(rows + 1)))
    q = (1 - E2) * (sine / (1 - E2 * sine**2) + np.arctanh(e * sine) / e)
    return np.abs(np.diff(q)) * A**2 / 2 * math.radians(dx)
