"""epoch:batchwater: water stress, precipitation against evaporative demand, soil moisture and evapotranspiration per plot."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from epoch_plugin.core.settings import Settings
from epoch_plugin.processing_algorithms.batch_base import BatchAlgorithm
from epoch_plugin.processing_algorithms.settings_parameters import WATER, add_settings, read_settings


class BatchWater(BatchAlgorithm):
    """Water."""

    NAME, STAT = "batchwater", "water"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Water")

    def declare(self) -> None:
        """Add the batch parameters and the settings of the method."""
        super().declare()
        add_settings(self, WATER)

    def settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Settings:
        """Return the settings given as advanced parameters."""
        return read_settings(self, parameters, WATER, context)
