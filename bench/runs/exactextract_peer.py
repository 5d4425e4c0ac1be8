"""exactextract, feature by feature, on GDAL paths, one call per grid: area per class, or mean and standard deviation; results are dropped."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from bench.runs.common import Plots, gdal_layer
from bench.scale import Cache
from bench.stack import by_grid

AREA = "(coverage_weight=area_spherical_m2)"
CLASSES = ("unique", f"frac{AREA}", f"count{AREA}")
NUMBERS = (f"mean{AREA}", f"stdev{AREA}", f"count{AREA}")


def prepare(cache: Cache, count: int, frame: bool = False) -> Callable[[], None]:
    """Plots are sorted along a Hilbert curve and in memory before the clock starts: an OGR layer, or with `frame` a GeoDataFrame."""
    import warnings

    import exactextract
    from osgeo import gdal

    importlib.import_module("pandas")  # imports are not measured, its neither
    gdal.UseExceptions()
    warnings.filterwarnings("ignore")
    shapes = Plots(cache, count).in_order()
    source = _frame(shapes) if frame else gdal_layer(shapes)

    def work() -> None:
        for layers in by_grid().values():
            paths = [str(cache.layer(layer.name)) for layer in layers]
            ops = CLASSES if layers[0].categorical else NUMBERS
            exactextract.exact_extract(paths, source, list(ops), strategy="feature-sequential", output="pandas")

    return work


def _frame(shapes: list[Any]) -> Any:
    import geopandas
    import shapely.wkb

    return geopandas.GeoDataFrame(geometry=[shapely.wkb.loads(shape.polygon) for shape in shapes], crs=4326)
