"""epoch:stageplots: read a file or layer of plots, check each one, keep them as a collection."""

from __future__ import annotations

import json
import os
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsWkbTypes,
)

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.bridge.layers import FeatureWriter, qgs_fields
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.stage_inputs import StagingAlgorithm

INVALID_FIELDS = (("row", "INTEGER", "Row"), ("plotid", "TEXT", "Plot"), ("reason", "TEXT", "What is wrong"),
                  ("reason_code", "TEXT", "Code"), ("wkt", "TEXT", "Geometry as it was"))  # fmt: skip


class StagePlots(StagingAlgorithm):
    """Stage plots."""

    NAME, GROUP = "stageplots", "Collections"
    INVALID, REPORT = "INVALID", "REPORT"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Stage plots")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.declare_plots()
        self.addParameter(
            QgsProcessingParameterFeatureSink(
                self.INVALID, self.tr("Plots that were kept out"), QgsProcessing.SourceType.TypeVectorPoint, optional=True, createByDefault=False
            )
        )
        self.addParameter(
            QgsProcessingParameterFileDestination(self.REPORT, self.tr("Report"), "JSON (*.json)", optional=True, createByDefault=False)
        )
        self.addOutput(QgsProcessingOutputString("COLLECTION_ID", self.tr("Collection id")))
        self.addOutput(QgsProcessingOutputNumber("PLOT_COUNT", self.tr("Plots stored")))
        self.addOutput(QgsProcessingOutputNumber("INVALID_COUNT", self.tr("Plots kept out")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a name and exactly one of layer and file."""
        self.check_plots(parameters, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Stage, then write what was kept out and the report."""
        from epoch_plugin.core.staging import stage_plots

        request, source = self.stage_request(parameters, context), self.plots(parameters, context)
        report = self.parameterAsFileOutput(parameters, self.REPORT, context)
        if report and not os.path.isdir(os.path.dirname(os.path.abspath(report))):
            raise InputError(f"REPORT: there is no folder {os.path.dirname(os.path.abspath(report))}.")
        writer, destination = self._invalid_output(parameters, context)  # opened first: nothing is staged if it cannot be written
        result = stage_plots(self.store(parameters, context, create=True), source, request, progress)
        outputs = {"COLLECTION_ID": result.collection_id, "PLOT_COUNT": result.plot_count, "INVALID_COUNT": len(result.invalid)}
        if writer:
            for bad in result.invalid:
                point = None if bad.lon is None or bad.lat is None else QgsGeometry.fromPointXY(QgsPointXY(bad.lon, bad.lat))
                writer.add((bad.row, bad.plotid, bad.reason, bad.reason_code, bad.wkt), point)
            writer.close()
            outputs[self.INVALID] = destination
        if report:
            with open(report, "w", encoding="utf-8") as file:
                json.dump(result.report, file, ensure_ascii=False, indent=2)
            outputs[self.REPORT] = report
        return outputs

    def _invalid_output(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[FeatureWriter | None, str]:
        if not parameters.get(self.INVALID):
            return None, ""
        fields = qgs_fields(INVALID_FIELDS)
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        sink, destination = self.parameterAsSink(parameters, self.INVALID, context, fields, QgsWkbTypes.Type.Point, wgs84)
        return FeatureWriter(sink, fields, self.INVALID), destination
