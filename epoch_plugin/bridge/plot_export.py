"""Shown plots with all their results as a GeoPackage or CSV, written in the background."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransformContext, QgsVectorFileWriter, QgsWkbTypes

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.layers import FeatureWriter, polygon, qgs_fields

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_columns import PlotColumns
    from epoch_plugin.core.monitoring.scope import Scope

STATISTICS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")


def csv_of_plots(path: str, columns: PlotColumns, rows: Iterable[int]) -> Callable[[Any], int]:
    """Return the work that writes the given rows of the table as CSV; it answers with their number."""

    def work(progress: Any) -> int:
        from epoch_plugin.core.monitoring.export import write_csv

        return write_csv(path, columns, rows, progress)

    return work


def geopackage_of_plots(path: str, store: str, scope: Scope, uuids: list[str]) -> Callable[[Any], int]:
    """Return the work that writes the given plots with every statistic's fields as a GeoPackage; it answers with their number."""

    def work(progress: Any) -> int:
        from epoch_plugin.core.fetch.request import FetchRequest
        from epoch_plugin.core.fetch.run import fetch
        from epoch_plugin.core.progress import stop_if_cancelled
        from epoch_plugin.core.store.store import Store

        start, end = (scope.window.start, scope.window.end) if scope.window else (None, None)
        request = FetchRequest(scope.collection_id, STATISTICS, start, end, limit=0, prefixed=True)
        wanted = set(uuids)
        with fetch(Store(store), request) as result:
            columns = [(field.name, field.type, f"{field.alias} ({field.unit})" if field.unit else field.alias) for field in result.layer_fields]
            fields = qgs_fields(columns)
            sink = _sink(path, fields)
            writer = FeatureWriter(sink, fields, path)
            for done, feature in enumerate(result.features):
                stop_if_cancelled(progress)
                progress.step(done / max(1, result.count), tr("writing"))
                if feature.uuid in wanted:
                    properties = result.layer_properties(feature)
                    writer.add([properties.get(name) for name, _, _ in columns], polygon(feature.polygon))
            writer.close()
            del sink
        return writer.count

    return work


def _sink(path: str, fields: Any) -> QgsVectorFileWriter:
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = os.path.splitext(os.path.basename(path))[0]
    options.actionOnExistingFile = QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteFile
    wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
    return QgsVectorFileWriter.create(path, fields, QgsWkbTypes.Type.MultiPolygon, wgs84, QgsCoordinateTransformContext(), options)
