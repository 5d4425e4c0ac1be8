"""What several runs need: the plots of a store, chunk by chunk, and a plan of the forty layers."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from typing import Any

from bench.scale import Cache

START, END = dt.date(2020, 12, 31), dt.date(2025, 12, 31)


def threads() -> int:
    """Cores of this machine."""
    return os.cpu_count() or 1


def import_libraries() -> None:
    """Import what the work would import on its way: imports are not measured, neither ours nor a peer's."""
    import numpy
    import pyproj
    import shapely.geometry
    import shapely.wkb
    from osgeo import gdal, ogr, osr

    from epoch_plugin.core.batch import runner

    if not all((numpy, pyproj, shapely, gdal, ogr, osr, runner)):
        raise ImportError("a library is missing")


class Plots:
    """The staged plots of one store."""

    def __init__(self, cache: Cache, count: int) -> None:
        from epoch_plugin.core.batch.chunks import as_boxes
        from epoch_plugin.core.store import plots
        from epoch_plugin.core.store.store import Store

        self._plots = plots
        self.store = Store(str(cache.store(count)))
        with self.store.reading() as connection:
            (self.collection,) = connection.execute("SELECT collection_id FROM collections").fetchone()
            self.fids, self.boxes = as_boxes(plots.boxes(connection, self.collection))

    def shapes(self, fids: Any) -> list[Any]:
        """Return uuid, polygon and area of some plots."""
        with self.store.reading() as connection:
            return self._plots.shapes(connection, fids)

    def in_order(self, count: int | None = None) -> list[Any]:
        """Return the plots (or the first so many) along a Hilbert curve, so that neighbours in space follow each other."""
        from epoch_plugin.core.zonal.hilbert import hilbert_order

        fids, boxes = self.fids[:count], self.boxes[:count]
        return self.shapes([fids[i] for i in hilbert_order(boxes).tolist()])


def plan(cache: Cache, name: str, boxes: Any, statistic: str = "extra") -> Any:
    """Return the chunk specification of one statistic over a datasets file."""
    from epoch_plugin.core.batch.compute import ChunkSpec
    from epoch_plugin.core.batch.statistics import PLANNERS
    from epoch_plugin.core.datasets.datasets_file import load_datasets
    from epoch_plugin.core.settings import Settings
    from epoch_plugin.core.window import MonitoringWindow

    datasets = load_datasets(str(cache.datasets(name)))
    return ChunkSpec((statistic,), (PLANNERS[statistic](datasets, MonitoringWindow(START, END), Settings(), boxes),))


def chunks_of(plots: Plots, spec: Any) -> Iterator[Any]:
    """Yield the chunks that a batch over these plots would make."""
    from epoch_plugin.core.batch.chunks import finest_cell_m2, make_chunks

    yield from make_chunks(plots.fids, plots.boxes, finest_cell_m2(spec.plans, plots.boxes))


def gdal_layer(shapes: list[Any]) -> Any:
    """Return an OGR dataset in memory with the plots' polygons."""
    from osgeo import ogr, osr

    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    source = ogr.GetDriverByName("Memory").CreateDataSource("plots")
    layer = source.CreateLayer("plots", reference, ogr.wkbMultiPolygon)
    for shape in shapes:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometryDirectly(ogr.CreateGeometryFromWkb(shape.polygon))
        layer.CreateFeature(feature)
    return source
