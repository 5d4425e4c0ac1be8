"""What every fetch algorithm shares: which plots and window, a styled layer, NDJSON, and two counts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.processing_algorithms.base import ADVANCED, EpochAlgorithm
from epoch_plugin.processing_algorithms.feature_output import write_outputs

if TYPE_CHECKING:
    from epoch_plugin.core.fetch.request import FetchRequest


class FetchAlgorithm(EpochAlgorithm):
    """Base of the fetch algorithms: a subclass says which statistics (`stats`)."""

    GROUP = "Fetch"
    MONITORING_START, MONITORING_END, LIMIT = "MONITORING_START", "MONITORING_END", "LIMIT"
    AGGREGATE, PLOTS_ONLY, FILTERS, FLATTEN = "AGGREGATE", "PLOTS_ONLY", "FILTERS", "FLATTEN"
    JOB_ID, THUMBNAILS, OUTPUT, NDJSON = "JOB_ID", "THUMBNAILS", "OUTPUT", "NDJSON"
    STAT = ""
    PREFIXED = False

    def stats(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, ...]:
        """Return the statistics to fetch; one by default, the class's STAT."""
        return (self.STAT,)

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection(self.tr("Collection (id or name; empty: search all)"), optional=True)
        self.add_date(self.MONITORING_START, self.tr("Window starts (empty: the newest window)"))
        self.add_date(self.MONITORING_END, self.tr("Window ends"))
        whole = QgsProcessingParameterNumber.Type.Integer
        limit = self.tr("Features at most (0: all; empty: 10,000, or 1 for plotid, uuid, name)")
        self.addParameter(QgsProcessingParameterNumber(self.LIMIT, limit, whole, None, optional=True, minValue=0))
        self.addParameter(QgsProcessingParameterBoolean(self.AGGREGATE, self.tr("One row for all matching plots"), False))
        self.addParameter(QgsProcessingParameterBoolean(self.PLOTS_ONLY, self.tr("Plots only, without results"), False))
        self.addParameter(QgsProcessingParameterString(self.FILTERS, self.tr("Filters, such as plotid=12345&clientid=ABC"), optional=True))
        self.addParameter(QgsProcessingParameterBoolean(self.FLATTEN, self.tr("Nested values as columns of their own"), False))
        job = QgsProcessingParameterString(self.JOB_ID, self.tr("Results of this job instead of the current ones"), optional=True)
        job.setFlags(job.flags() | ADVANCED)
        self.addParameter(job)
        self.addParameter(
            QgsProcessingParameterFolderDestination(self.THUMBNAILS, self.tr("Thumbnails"), optional=True, createByDefault=False)
        )
        polygons = QgsProcessing.SourceType.TypeVectorPolygon
        self.addParameter(QgsProcessingParameterFeatureSink(self.OUTPUT, self.tr("Plots with results"), polygons, optional=True))
        ndjson = self.tr("NDJSON")
        self.addParameter(
            QgsProcessingParameterFileDestination(self.NDJSON, ndjson, "NDJSON (*.ndjson)", optional=True, createByDefault=False)
        )
        self.addOutput(QgsProcessingOutputNumber("COUNT", self.tr("Features returned")))
        self.addOutput(QgsProcessingOutputNumber("MATCHED_COUNT", self.tr("Plots that match")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a whole window or none, and a known collection where one is given."""
        self.window(parameters, context)
        if self.text(parameters, self.COLLECTION, context):
            self.check_collection(parameters, context)
        elif not self.text(parameters, self.FILTERS, context):
            raise InputError("Give a COLLECTION, or FILTERS to search all collections.")

    def window(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[dt.date | None, dt.date | None]:
        """Return start and end as given; raise `InputError` where the end is not after the start."""
        start = self.date(parameters, self.MONITORING_START, context)
        end = self.date(parameters, self.MONITORING_END, context)
        if start and end:
            MonitoringWindow(start, end)
        return start, end

    def request(self, parameters: dict[str, Any], context: QgsProcessingContext) -> FetchRequest:
        """Return what to fetch, as the core reads it."""
        from epoch_plugin.core.fetch.request import FetchRequest

        start, end = self.window(parameters, context)
        return FetchRequest(
            collection=self.text(parameters, self.COLLECTION, context) or None,
            stats=self.stats(parameters, context),
            start=start,
            end=end,
            limit=self.parameterAsInt(parameters, self.LIMIT, context) if parameters.get(self.LIMIT) is not None else None,
            aggregate=self.parameterAsBoolean(parameters, self.AGGREGATE, context),
            plots_only=self.parameterAsBoolean(parameters, self.PLOTS_ONLY, context),
            filters=self.text(parameters, self.FILTERS, context),
            flatten=self.parameterAsBoolean(parameters, self.FLATTEN, context),
            job_id=self.text(parameters, self.JOB_ID, context) or None,
            prefixed=self.PREFIXED,
        )

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Fetch, and write the layer and the NDJSON in one pass."""
        from epoch_plugin.core.fetch.run import fetch

        request = self.request(parameters, context)
        result = fetch(self.store(parameters, context), request)
        return write_outputs(self, parameters, context, result, request.collection or self.tr("all collections"), progress)
