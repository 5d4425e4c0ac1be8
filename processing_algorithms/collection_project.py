"""epoch:collectionproject: a styled QGIS project of a collection's results."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterVectorLayer,
    QgsVectorLayer,
)

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.bridge.result_layers import background_layers
from epoch_plugin.bridge.styles import apply_named_style
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.base import EpochAlgorithm
from epoch_plugin.processing_algorithms.feature_output import label
from epoch_plugin.processing_algorithms.summary_window import add_window, read_window

ALERT_FIELD = "deforestation_alert"


class CollectionProject(EpochAlgorithm):
    """Collection project."""

    NAME, GROUP = "collectionproject", "Reports"
    LAYER, PROJECT = "LAYER", "PROJECT"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Collection project")

    def flags(self) -> QgsProcessingAlgorithm.Flags:
        """Run in the main thread: a project and its layers are made."""
        return super().flags() | QgsProcessingAlgorithm.Flag.FlagNoThreading

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection()
        polygons = [QgsProcessing.SourceType.TypeVectorPolygon]
        self.addParameter(QgsProcessingParameterVectorLayer(self.LAYER, self.tr("Fetched layer with results"), polygons))
        add_window(self)
        kinds = "QGIS project (*.qgz);;QGIS project, plain (*.qgs)"
        self.addParameter(QgsProcessingParameterFileDestination(self.PROJECT, self.tr("Project"), kinds))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a collection that exists, a layer with alerts that lies in a file, and a project's file name."""
        self.check_collection(parameters, context)
        read_window(self, parameters, context)
        path = self.parameterAsFileOutput(parameters, self.PROJECT, context)
        if not path.lower().endswith((".qgz", ".qgs")):
            raise InputError(f"PROJECT is '{path}': a project's name ends in .qgz or .qgs.")
        layer = self.parameterAsVectorLayer(parameters, self.LAYER, context)
        if layer is not None and layer.fields().indexOf(ALERT_FIELD) < 0:
            raise InputError(f"LAYER has no field '{ALERT_FIELD}': give the layer that epoch:fetchdeforestationcheck wrote.")
        if layer is not None and layer.providerType() != "ogr":
            raise InputError("LAYER is a temporary layer: save it to a file first, so that the project finds it again.")

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Style the layer, add what the results rest on, write the project."""
        from epoch_plugin.bridge.project_file import write_project
        from epoch_plugin.core.fetch.fields import selected_fields
        from epoch_plugin.core.fetch.request import FetchRequest
        from epoch_plugin.core.report.summary import summarise

        given = self.parameterAsVectorLayer(parameters, self.LAYER, context)
        if given is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, self.LAYER))
        start, end = read_window(self, parameters, context)
        summary = summarise(self.store(parameters, context), self.required(parameters, self.COLLECTION, context), start, end)
        fields = [selected.field for selected in selected_fields(FetchRequest(collection=summary.collection.collection_id))]
        layers = []
        for style, title in (("alert", self.tr("Deforestation alert")), ("confidence", self.tr("Confidence"))):
            layers.append(QgsVectorLayer(given.source(), title, "ogr"))
            apply_named_style(layers[-1], style, {field.name: label(field) for field in fields})
        path = self.parameterAsFileOutput(parameters, self.PROJECT, context)
        write_project(path, summary.collection.collection_name, layers, background_layers(summary.sources), self.tr("What it rests on"))
        return {self.PROJECT: path}
