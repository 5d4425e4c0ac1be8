"""rasterstats on a subset, one layer per grid: extrapolated. It judges by cell centre, without fractions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.measure import Stopwatch
from bench.runs.common import Plots
from bench.scale import Cache
from bench.stack import by_grid


def prepare(cache: Cache, count: int, subset: int) -> Callable[[], dict[str, Any]]:
    """Polygons are parsed before the clock starts."""
    import warnings

    import rasterstats
    import shapely.wkb

    warnings.filterwarnings("ignore")
    polygons = [shapely.wkb.loads(shape.polygon) for shape in Plots(cache, count).in_order(subset)]

    def work() -> dict[str, Any]:
        wall = cpu = 0.0
        for layers in by_grid().values():
            layer = layers[0]
            ask = {"categorical": True} if layer.categorical else {"stats": ["mean", "std", "count"]}
            with Stopwatch() as watch:
                rasterstats.zonal_stats(polygons, str(cache.layer(layer.name)), **ask)
            wall, cpu = wall + watch.measured.wall * len(layers), cpu + watch.measured.cpu * len(layers)
        return {"wall": wall * count / subset, "cpu": cpu * count / subset}

    return work
