"""What every batch algorithm shares: a collection, a window, the datasets, and a job as result."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from epoch_plugin.bridge.borders import world_map
from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.executor_name import THREADS, check_executor
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import EUDR_CUTOFF, MonitoringWindow
from epoch_plugin.processing_algorithms.base import ADVANCED, EpochAlgorithm
from epoch_plugin.processing_algorithms.executor_parameter import executor_parameter

if TYPE_CHECKING:
    from epoch_plugin.core.batch import BatchRequest


class BatchAlgorithm(EpochAlgorithm):
    """Base of the batch algorithms: a subclass says which statistics (`stats`) and which settings."""

    GROUP = "Batch"
    START_DATE, END_DATE, DATASETS = "START_DATE", "END_DATE", "DATASETS"
    REGIONS, REGION_NAME_FIELD = "REGIONS", "REGION_NAME_FIELD"
    NON_BIOMASS = "NON_BIOMASS"
    SKIP_ON_LOW_CONFIDENCE, IF_DONE, EXECUTOR = "SKIP_ON_LOW_CONFIDENCE", "IF_DONE", "EXECUTOR"

    STAT = ""

    def stats(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, ...]:
        """Return the statistics to compute; one by default, the class's STAT."""
        return (self.STAT,)

    def settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Settings:
        """Return the thresholds of the run."""
        return Settings()

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection()
        self.declare_run()
        self.addOutput(QgsProcessingOutputNumber("PROCESSED_COUNT", self.tr("Plots processed")))
        self.addOutput(QgsProcessingOutputNumber("FAILED_COUNT", self.tr("Plots failed")))

    def declare_run(self) -> None:
        """Add the parameters and outputs of a job, whatever it runs over."""
        self.add_date(self.START_DATE, self.tr("Monitoring starts after"), EUDR_CUTOFF.isoformat())
        self.add_date(self.END_DATE, self.tr("Monitoring ends on (empty: today)"))
        self.addParameter(QgsProcessingParameterFile(self.DATASETS, self.tr("Datasets file (JSON)"), extension="json"))
        polygons = [QgsProcessing.SourceType.TypeVectorPolygon]
        self.addParameter(QgsProcessingParameterFeatureSource(self.REGIONS, self.tr("Regions to compare with"), polygons, optional=True))
        self.addParameter(QgsProcessingParameterString(self.REGION_NAME_FIELD, self.tr("Field with the region's name"), optional=True))
        self.addParameter(
            QgsProcessingParameterBoolean(self.SKIP_ON_LOW_CONFIDENCE, self.tr("Process nothing where the locations are not trusted"), False)
        )
        choices = ["reuse", "recompute"]
        self._add_advanced(
            QgsProcessingParameterEnum(self.IF_DONE, self.tr("If the same job is done already"), choices, False, "reuse", usesStaticStrings=True)
        )
        self.addParameter(executor_parameter(self.EXECUTOR, self.tr("Executor: threads, or dask:<scheduler address>")))
        self.addOutput(QgsProcessingOutputString("JOB_ID", self.tr("Job id")))
        self.addOutput(QgsProcessingOutputString("STATUS", self.tr("Status")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand what a job needs, and a collection that exists."""
        self.check_run(parameters, context)
        self.check_collection(parameters, context)

    def check_run(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a window that ends after its start, usable settings, an executor that exists and a datasets file."""
        self.window(parameters, context)
        self.settings(parameters, context)
        check_executor(self.text(parameters, self.EXECUTOR, context) or THREADS)
        datasets = self.required(parameters, self.DATASETS, context)
        if not os.path.isfile(datasets):
            raise InputError(f"DATASETS: there is no file {datasets}.")

    def window(self, parameters: dict[str, Any], context: QgsProcessingContext) -> MonitoringWindow:
        """Return the window; it ends today where END_DATE is unset."""
        start = self.date(parameters, self.START_DATE, context) or EUDR_CUTOFF
        end = self.date(parameters, self.END_DATE, context) or dt.date.today()
        return MonitoringWindow(start, end)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Run the job."""
        from epoch_plugin.core.batch import run_batch

        request = self.request(parameters, context, self.required(parameters, self.COLLECTION, context))
        result = run_batch(self.store(parameters, context), request, progress)
        return {
            "JOB_ID": result.job_id,
            "STATUS": result.status,
            "PROCESSED_COUNT": result.processed_count,
            "FAILED_COUNT": result.failed_count,
        }

    def request(self, parameters: dict[str, Any], context: QgsProcessingContext, collection: str) -> BatchRequest:
        """Return what to compute, as the core reads it."""
        from epoch_plugin.core.batch import BatchRequest

        window = self.window(parameters, context)
        return BatchRequest(
            collection=collection,
            stats=self.stats(parameters, context),
            start_date=window.start,
            end_date=window.end,
            datasets=os.path.abspath(self.required(parameters, self.DATASETS, context)),
            settings=self.settings(parameters, context),
            regions=self._regions(parameters, context),
            region_name_field=self.text(parameters, self.REGION_NAME_FIELD, context),
            borders=world_map(),
            skip_on_low_confidence=self.parameterAsBoolean(parameters, self.SKIP_ON_LOW_CONFIDENCE, context),
            if_done=self.parameterAsEnumString(parameters, self.IF_DONE, context) or "reuse",
            executor=self.text(parameters, self.EXECUTOR, context) or THREADS,
            non_biomass=self.parameterDefinition(self.NON_BIOMASS) is not None and self.parameterAsBoolean(parameters, self.NON_BIOMASS, context),
        )

    def _regions(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        if parameters.get(self.REGIONS) in (None, ""):
            return ""
        # without a feedback QGIS crashes where it has to export the layer first (a memory layer, a selection)
        feedback, formats = QgsProcessingFeedback(), ["gpkg", "shp", "geojson"]
        path, layer = self.parameterAsCompatibleSourceLayerPathAndLayerName(parameters, self.REGIONS, context, formats, "gpkg", feedback)
        return f"{path}|layername={layer}" if layer else path

    def add_non_biomass(self) -> None:
        """Declare NON_BIOMASS: farm and supply chain emissions from the collection's payload."""
        self.addParameter(QgsProcessingParameterBoolean(self.NON_BIOMASS, self.tr("Farm and supply chain emissions too"), False))

    def _add_advanced(self, parameter: Any) -> None:
        parameter.setFlags(parameter.flags() | ADVANCED)
        self.addParameter(parameter)
