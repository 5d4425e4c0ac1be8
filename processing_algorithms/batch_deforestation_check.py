"""epoch:batchdeforestationcheck: forest loss per plot, by every detection system that the datasets file binds."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from epoch_plugin.core.settings import Settings
from epoch_plugin.processing_algorithms.batch_base import BatchAlgorithm
from epoch_plugin.processing_algorithms.settings_parameters import DEFORESTATION, add_settings, read_settings


class BatchDeforestationCheck(BatchAlgorithm):
    """Deforestation check."""

    NAME, STAT = "batchdeforestationcheck", "eudr_deforestation"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Deforestation check")

    def declare(self) -> None:
        """Add the batch parameters and the thresholds of the method."""
        super().declare()
        add_settings(self, DEFORESTATION)

    def settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Settings:
        """Return the thresholds given as advanced parameters."""
        return read_settings(self, parameters, DEFORESTATION, context)
