"""epoch:fetchsupplyshed: supply bases and regions, with the figures of the rest of each region beside their own."""

from __future__ import annotations

import datetime as dt
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.processing_algorithms.base import EpochAlgorithm
from epoch_plugin.processing_algorithms.feature_output import write_outputs

STATS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water", "extra", "cft")
KINDS = ["supply_shed", "watershed", "admin_area", "region", "all"]


class FetchSupplyShed(EpochAlgorithm):
    """Fetch supply bases and regions."""

    NAME, GROUP = "fetchsupplyshed", "Fetch"
    STAT_TYPE, STATS, OVERLAP_THRESHOLD = "STAT_TYPE", "STATS", "OVERLAP_THRESHOLD"
    MONITORING_START, MONITORING_END, LIMIT, FILTERS = "MONITORING_START", "MONITORING_END", "LIMIT", "FILTERS"
    OUTPUT, NDJSON = "OUTPUT", "NDJSON"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Fetch supply base and regions")

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection(self.tr("Collection (id or name; empty: search all)"), optional=True)
        self.addParameter(QgsProcessingParameterEnum(self.STAT_TYPE, self.tr("Kind of region"), KINDS, False, KINDS[0], usesStaticStrings=True))
        stats = QgsProcessingParameterString(self.STATS, self.tr("Statistics, separated by commas"), ",".join(STATS[:4]))
        self.addParameter(stats)
        double, whole = QgsProcessingParameterNumber.Type.Double, QgsProcessingParameterNumber.Type.Integer
        threshold = self.tr("Share of a plot that must lie in the region")
        self.addParameter(QgsProcessingParameterNumber(self.OVERLAP_THRESHOLD, threshold, double, 1.0, minValue=0, maxValue=1))
        self.add_date(self.MONITORING_START, self.tr("Window starts (empty: the newest window)"))
        self.add_date(self.MONITORING_END, self.tr("Window ends"))
        limit = self.tr("Regions at most (0: all; empty: 10,000, or 1 for uuid)")
        self.addParameter(QgsProcessingParameterNumber(self.LIMIT, limit, whole, None, optional=True, minValue=0))
        self.addParameter(QgsProcessingParameterString(self.FILTERS, self.tr("Filters, such as country=Ghana&commodity=cocoa"), optional=True))
        polygons = QgsProcessing.SourceType.TypeVectorPolygon
        self.addParameter(QgsProcessingParameterFeatureSink(self.OUTPUT, self.tr("Supply base and regions"), polygons, optional=True))
        self.addParameter(
            QgsProcessingParameterFileDestination(self.NDJSON, self.tr("NDJSON"), "NDJSON (*.ndjson)", optional=True, createByDefault=False)
        )
        self.addOutput(QgsProcessingOutputNumber("COUNT", self.tr("Regions returned")))
        self.addOutput(QgsProcessingOutputNumber("MATCHED_COUNT", self.tr("Regions that match")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand known statistics, a whole window or none, and a known collection where one is given."""
        self.window(parameters, context)
        self.stats(parameters, context)
        if self.text(parameters, self.COLLECTION, context):
            self.check_collection(parameters, context)
        elif not self.text(parameters, self.FILTERS, context):
            raise InputError("Give a COLLECTION, or FILTERS to search all collections.")

    def stats(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, ...]:
        """Return the statistics asked for; raise `InputError` on an unknown one, or on none."""
        names = tuple(name.strip() for name in self.text(parameters, self.STATS, context).split(",") if name.strip())
        unknown = [name for name in names if name not in STATS]
        if unknown or not names:
            raise InputError(f"STATS: unknown statistic '{', '.join(unknown) or '(none)'}'. Known: {', '.join(STATS)}.")
        return names

    def window(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[dt.date | None, dt.date | None]:
        """Return start and end as given; raise `InputError` where the end is not after the start."""
        start, end = self.date(parameters, self.MONITORING_START, context), self.date(parameters, self.MONITORING_END, context)
        if start and end:
            MonitoringWindow(start, end)
        return start, end

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Fetch, and write the layer and the NDJSON in one pass."""
        from epoch_plugin.core.fetch.supply_shed import SupplyShedRequest, fetch_supply_shed

        start, end = self.window(parameters, context)
        collection = self.text(parameters, self.COLLECTION, context) or None
        request = SupplyShedRequest(
            collection=collection,
            stat_type=self.parameterAsEnumString(parameters, self.STAT_TYPE, context) or KINDS[0],
            stats=self.stats(parameters, context),
            overlap_threshold=self.parameterAsDouble(parameters, self.OVERLAP_THRESHOLD, context),
            start=start,
            end=end,
            limit=self.parameterAsInt(parameters, self.LIMIT, context) if parameters.get(self.LIMIT) is not None else None,
            filters=self.text(parameters, self.FILTERS, context),
        )
        result = fetch_supply_shed(self.store(parameters, context), request)
        return write_outputs(self, parameters, context, result, collection or self.tr("all collections"), progress)
