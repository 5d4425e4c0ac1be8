"""exactextract, feature by feature, on GDAL paths, one call per grid and kind: class areas, or mean and deviation; results are dropped."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.runs.common import Plots, gdal_layer, plan
from bench.scale import Cache
from bench.stack import BESIDE, FORTY, Layer, by_grid

AREA = "(coverage_weight=area_spherical_m2)"
CLASSES = ("unique", f"frac{AREA}", f"count{AREA}")
NUMBERS = (f"mean{AREA}", f"stdev{AREA}", f"count{AREA}")
MEANS = (f"mean{AREA}",)


def prepare(cache: Cache, count: int, frame: bool = False, datasets: str = "", stats: str = "") -> Callable[[], dict[str, Any]]:
    """Plots are sorted along a Hilbert curve and in memory before the clock starts: an OGR layer, or with `frame` a GeoDataFrame.

    The layers are the forty, or those that a batch of `stats` over the datasets file `datasets` reads: then class areas or means alone.
    """
    import warnings

    import exactextract
    from osgeo import gdal

    importlib.import_module("pandas")  # imports are not measured, its neither
    gdal.UseExceptions()
    warnings.filterwarnings("ignore")
    plots = Plots(cache, count)
    shapes = plots.in_order()
    source = _frame(shapes) if frame else gdal_layer(shapes)
    numbers, chosen = (MEANS, read_by(cache, datasets, stats.split(","), plots.boxes)) if datasets else (NUMBERS, FORTY)
    calls = [
        ([str(cache.layer(layer.name)) for layer in layers if layer.categorical == categorical], list(CLASSES if categorical else numbers))
        for layers in by_grid(chosen).values()
        for categorical in (True, False)
    ]

    def work() -> dict[str, Any]:
        for paths, ops in calls:
            if paths:
                exactextract.exact_extract(paths, source, ops, strategy="feature-sequential", output="pandas")
        return {"layers": len(chosen)}

    return work


def read_by(cache: Cache, datasets: str, stats: list[str], boxes: Any) -> tuple[Layer, ...]:
    """Return the layers that a batch of these statistics reads, each once; a layer that is bound but not needed in the window is none."""
    specs = [plan(cache, datasets, boxes, statistic) for statistic in stats]
    names = {Path(tile.path).stem for spec in specs for _, _, layer in spec.plans[0].layers for tile in layer.tiles}
    return tuple(layer for layer in (*FORTY, *BESIDE) if layer.name in names)


def _frame(shapes: list[Any]) -> Any:
    import geopandas
    import shapely.wkb

    return geopandas.GeoDataFrame(geometry=[shapely.wkb.loads(shape.polygon) for shape in shapes], crs=4326)
