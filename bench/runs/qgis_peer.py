"""QGIS's own zonal histogram and zonal statistics on a subset, one layer per grid: extrapolated. By cell centre, without fractions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.measure import Stopwatch
from bench.runs.common import Plots
from bench.scale import Cache
from bench.stack import by_grid

MEAN, DEVIATION, COUNT = 2, 4, 0


def prepare(cache: Cache, count: int, subset: int) -> Callable[[], dict[str, Any]]:
    """QGIS is started and the layers are opened before the clock starts."""
    from qgis.analysis import QgsNativeAlgorithms
    from qgis.core import (
        QgsApplication,
        QgsFeature,
        QgsGeometry,
        QgsProcessingContext,
        QgsProcessingFeedback,
        QgsRasterLayer,
        QgsVectorLayer,
    )

    application = QgsApplication([], False)
    application.initQgis()
    registry = QgsApplication.processingRegistry()
    registry.addProvider(QgsNativeAlgorithms(registry))
    plots = QgsVectorLayer("MultiPolygon?crs=EPSG:4326", "plots", "memory")
    features = []
    for shape in Plots(cache, count).in_order(subset):
        geometry = QgsGeometry()
        geometry.fromWkb(shape.polygon)
        features.append(QgsFeature())
        features[-1].setGeometry(geometry)
    plots.dataProvider().addFeatures(features)
    rasters = {grid: QgsRasterLayer(str(cache.layer(layers[0].name)), grid) for grid, layers in by_grid().items()}

    def ask(grid: str, categorical: bool) -> None:
        common = {"INPUT_RASTER": rasters[grid], "RASTER_BAND": 1, "OUTPUT": "memory:"}
        if categorical:
            name, parameters = "native:zonalhistogram", {**common, "INPUT_VECTOR": plots, "COLUMN_PREFIX": "h"}
        else:
            name, parameters = "native:zonalstatisticsfb", {**common, "INPUT": plots, "COLUMN_PREFIX": "_", "STATISTICS": [COUNT, MEAN, DEVIATION]}
        _, ok = registry.algorithmById(name).create().run(parameters, QgsProcessingContext(), QgsProcessingFeedback())
        if not ok:
            raise RuntimeError(f"{name} failed on {grid}")

    def work() -> dict[str, Any]:
        wall = cpu = 0.0
        if application is None:  # it must live as long as the work
            raise RuntimeError("QGIS is gone")
        for grid, layers in by_grid().items():
            with Stopwatch() as watch:
                ask(grid, layers[0].categorical)
            wall, cpu = wall + watch.measured.wall * len(layers), cpu + watch.measured.cpu * len(layers)
        return {"wall": wall * count / subset, "cpu": cpu * count / subset}

    return work
