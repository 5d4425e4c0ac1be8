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
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
    QgsWkbTypes,
)

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.bridge.layers import FeatureWriter, crs_text, plot_source, qgs_fields
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.base import EpochAlgorithm

INVALID_FIELDS = (("row", "INTEGER", "Row"), ("plotid", "TEXT", "Plot"), ("reason", "TEXT", "What is wrong"),
                  ("reason_code", "TEXT", "Code"), ("wkt", "TEXT", "Geometry as it was"))  # fmt: skip


class StagePlots(EpochAlgorithm):
    """Stage plots."""

    NAME, GROUP = "stageplots", "Collections"
    INPUT, INPUT_FILE, COLLECTION_NAME, INVALID, REPORT = "INPUT", "INPUT_FILE", "COLLECTION_NAME", "INVALID", "REPORT"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Stage plots")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        kinds = [QgsProcessing.SourceType.TypeVector]
        self.addParameter(QgsProcessingParameterFeatureSource(self.INPUT, self.tr("Plots: layer (or give a file)"), kinds, optional=True))
        self.addParameter(QgsProcessingParameterFile(self.INPUT_FILE, self.tr("Plots: file"), optional=True))
        self.addParameter(QgsProcessingParameterString(self.COLLECTION_NAME, self.tr("Name of the collection")))
        for name, label in (
            ("DESCRIPTION", self.tr("Description")),
            ("CROP_TYPE", self.tr("Crop: palm, cocoa, rubber, coffee, soy, cattle, timber")),
            ("PROCESSING_TYPE", self.tr("Processing of the commodity")),
        ):
            self.addParameter(QgsProcessingParameterString(name, label, optional=True))
        systems = ["smallholder", "estate"]
        self.addParameter(
            QgsProcessingParameterEnum("SYSTEM_TYPE", self.tr("System"), systems, optional=True, usesStaticStrings=True)
        )
        self.addParameter(QgsProcessingParameterString("COUNTRY", self.tr("Declared country (name or ISO code)"), optional=True))
        self.addParameter(QgsProcessingParameterString("PLOT_ID_FIELD", self.tr("Field with the plot's id (empty: found by name)"), optional=True))
        self.addParameter(QgsProcessingParameterCrs("CRS", self.tr("CRS, only where the source has none"), optional=True))
        self.addParameter(QgsProcessingParameterBoolean("FIX_GEOMETRIES", self.tr("Mend bad geometries and say what was changed"), False))
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
        self.required(parameters, self.COLLECTION_NAME, context)
        path = self.text(parameters, self.INPUT_FILE, context)
        layer = parameters.get(self.INPUT) not in (None, "")
        if layer == bool(path):
            raise InputError(f"Give either INPUT (a layer) or INPUT_FILE (a file), not {'both' if layer else 'neither'}.")
        if path and not os.path.isfile(path):
            raise InputError(f"INPUT_FILE: there is no file {path}.")

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Stage, then write what was kept out and the report."""
        from epoch_plugin.core.collections.plots import StageOptions
        from epoch_plugin.core.collections.readers import open_source
        from epoch_plugin.core.staging import StageRequest, stage_plots

        options = StageOptions(
            plot_id_field=self.text(parameters, "PLOT_ID_FIELD", context),
            fix_geometries=self.parameterAsBoolean(parameters, "FIX_GEOMETRIES", context),
            crs=crs_text(self.parameterAsCrs(parameters, "CRS", context)),
        )
        request = StageRequest(
            collection_name=self.required(parameters, self.COLLECTION_NAME, context),
            description=self.text(parameters, "DESCRIPTION", context),
            crop_type=self.text(parameters, "CROP_TYPE", context),
            processing_type=self.text(parameters, "PROCESSING_TYPE", context),
            system_type=self.parameterAsEnumString(parameters, "SYSTEM_TYPE", context),
            country=self.text(parameters, "COUNTRY", context),
            options=options,
        )
        path = self.text(parameters, self.INPUT_FILE, context)
        layer = None if path else self.parameterAsSource(parameters, self.INPUT, context)
        if not path and layer is None:
            raise InputError(f"INPUT cannot be read as a vector layer: {parameters.get(self.INPUT)}.")
        source = open_source(path, options.crs or None) if path else plot_source(layer)
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
