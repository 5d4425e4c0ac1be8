"""epoch:fetchplots: plots with the results of several statistics side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterNumber, QgsProcessingParameterString

from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.fetch_base import FetchAlgorithm

if TYPE_CHECKING:
    from epoch_plugin.core.fetch.request import FetchRequest

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
        self.addParameter(QgsProcessingParameterString("STAT_TYPE", self.tr("Kind of region to compare with (empty: admin_area)"), optional=True))
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
        """Also demand known statistics and a known kind of region."""
        from epoch_plugin.core.fetch.references import check_kind

        super().check(parameters, context)
        self.stats(parameters, context)
        check_kind(self.text(parameters, "STAT_TYPE", context) or "admin_area")

    def request(self, parameters: dict[str, Any], context: QgsProcessingContext) -> FetchRequest:
        """Return what to fetch, with the kind of region whose references stand beside the plots' figures."""
        return replace(
            super().request(parameters, context),
            stat_type=self.text(parameters, "STAT_TYPE", context) or "admin_area",
            overlap_threshold=self.parameterAsDouble(parameters, "OVERLAP_THRESHOLD", context),
        )
