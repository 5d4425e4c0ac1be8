"""The parameters that say which plots to stage, shared by stageplots and batchprocess."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from epoch_plugin.bridge.layers import crs_text, plot_source
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.base import EpochAlgorithm

if TYPE_CHECKING:
    from epoch_plugin.core.collections.source import PlotSource
    from epoch_plugin.core.staging import StageRequest


class StagingAlgorithm(EpochAlgorithm):
    """Base of the algorithms that stage plots."""

    INPUT, INPUT_FILE, COLLECTION_NAME = "INPUT", "INPUT_FILE", "COLLECTION_NAME"

    def declare_plots(self) -> None:
        """Add the parameters of the plots and of their collection."""
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

    def check_plots(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a name and exactly one of layer and file."""
        self.required(parameters, self.COLLECTION_NAME, context)
        path = self.text(parameters, self.INPUT_FILE, context)
        layer = parameters.get(self.INPUT) not in (None, "")
        if layer == bool(path):
            raise InputError(f"Give either INPUT (a layer) or INPUT_FILE (a file), not {'both' if layer else 'neither'}.")
        if path and not os.path.isfile(path):
            raise InputError(f"INPUT_FILE: there is no file {path}.")

    def stage_request(self, parameters: dict[str, Any], context: QgsProcessingContext) -> StageRequest:
        """Return what is said of the collection."""
        from epoch_plugin.core.collections.plots import StageOptions
        from epoch_plugin.core.staging import StageRequest

        options = StageOptions(
            plot_id_field=self.text(parameters, "PLOT_ID_FIELD", context),
            fix_geometries=self.parameterAsBoolean(parameters, "FIX_GEOMETRIES", context),
            crs=crs_text(self.parameterAsCrs(parameters, "CRS", context)),
        )
        return StageRequest(
            collection_name=self.required(parameters, self.COLLECTION_NAME, context),
            description=self.text(parameters, "DESCRIPTION", context),
            crop_type=self.text(parameters, "CROP_TYPE", context),
            processing_type=self.text(parameters, "PROCESSING_TYPE", context),
            system_type=self.parameterAsEnumString(parameters, "SYSTEM_TYPE", context),
            country=self.text(parameters, "COUNTRY", context),
            options=options,
        )

    def plots(self, parameters: dict[str, Any], context: QgsProcessingContext) -> PlotSource:
        """Open the layer or file of plots."""
        from epoch_plugin.core.collections.readers import open_source

        path = self.text(parameters, self.INPUT_FILE, context)
        if path:
            return open_source(path, crs_text(self.parameterAsCrs(parameters, "CRS", context)) or None)
        layer = self.parameterAsSource(parameters, self.INPUT, context)
        if layer is None:
            raise InputError(f"INPUT cannot be read as a vector layer: {parameters.get(self.INPUT)}.")
        return plot_source(layer)
