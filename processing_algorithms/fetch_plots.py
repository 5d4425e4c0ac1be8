"""epoch:fetchplots: plots with the results of several statistics side by side."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterNumber, QgsProcessingParameterString

from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.fetch_base import FetchAlgorithm

STATS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water", "extra", "cft")


class FetchPlots(FetchAlgorithm):
    """Fetch plots."""

    NAME, PREFIXED = "fetchplots", True

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Fetch plots")

    def declare(self) -> None:
        """Add the shared parameters, the statistics and the kind of region."""
        super().declare()
        self.addParameter(QgsProcessingParameterString("STATS", self.tr("Statistics, separated by commas (empty: plots only)"), optional=True))
        self.addParameter(QgsProcessingParameterString("STAT_TYPE", self.tr("Kind of region to compare with"), optional=True))
        double = QgsProcessingParameterNumber.Type.Double
        threshold = self.tr("Share of a plot that must lie in the region")
        self.addParameter(QgsProcessingParameterNumber("OVERLAP_THRESHOLD", threshold, double, 0.5, minValue=0, maxValue=1))

    def stats(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, ...]:
        """Return the statistics asked for; raise `InputError` on an unknown one."""
        names = tuple(name.strip() for name in self.text(parameters, "STATS", context).split(",") if name.strip())
        for name in names:
            if name not in STATS:
                raise InputError(f"STATS: unknown statistic '{name}'. Known: {', '.join(STATS)}.")
        return names

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Also demand known statistics."""
        super().check(parameters, context)
        self.stats(parameters, context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Fetch; say so where a comparison was asked for that is not stored."""
        if self.text(parameters, "STAT_TYPE", context):
            progress.warn(self.tr("STAT_TYPE: no results per region are stored yet, so no reference fields (_ref) are added."))
        return super().execute(parameters, context, progress)
