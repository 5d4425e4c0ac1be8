"""epoch:batchzonalstats: any number of statistics in one job, with one reading of the plots and one pass per grid."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterString

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.settings import Settings
from epoch_plugin.processing_algorithms.batch_base import BatchAlgorithm

DEFAULT = "eudr_deforestation,luc_emissions,biodiversity,water"
KNOWN = (*DEFAULT.split(","), "extra")


class BatchZonalStats(BatchAlgorithm):
    """Several statistics."""

    NAME = "batchzonalstats"
    STATS, SETTINGS = "STATS", "SETTINGS"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Several statistics")

    def declare(self) -> None:
        """Add the batch parameters, the statistics and the settings of all of them."""
        super().declare()
        self.declare_stats()

    def declare_stats(self) -> None:
        """Add the statistics and the settings."""
        self.addParameter(QgsProcessingParameterString(self.STATS, self.tr("Statistics, separated by commas"), DEFAULT))
        self._add_advanced(QgsProcessingParameterString(self.SETTINGS, self.tr("Settings (JSON)"), multiLine=True, optional=True))

    def stats(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, ...]:
        """Return the statistics asked for, each once; raise `InputError` on an unknown one, or on none."""
        names = tuple(dict.fromkeys(name.strip() for name in self.text(parameters, self.STATS, context).split(",") if name.strip()))
        unknown = [name for name in names if name not in KNOWN]
        if unknown or not names:
            raise InputError(f"STATS: unknown statistic '{', '.join(unknown) or '(none)'}'. Known: {', '.join(KNOWN)}.")
        return names

    def settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Settings:
        """Return the settings given as JSON."""
        return Settings.from_json(self.text(parameters, self.SETTINGS, context))

    def check_run(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Also demand known statistics."""
        super().check_run(parameters, context)
        self.stats(parameters, context)
