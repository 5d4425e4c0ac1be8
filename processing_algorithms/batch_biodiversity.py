"""epoch:batchbiodiversity: diversity of canopy height and connectivity of trees per plot."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from epoch_plugin.core.settings import Settings
from epoch_plugin.processing_algorithms.batch_base import BatchAlgorithm
from epoch_plugin.processing_algorithms.settings_parameters import BIODIVERSITY, add_settings, read_settings


class BatchBiodiversity(BatchAlgorithm):
    """Biodiversity."""

    NAME, STAT = "batchbiodiversity", "biodiversity"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Biodiversity")

    def declare(self) -> None:
        """Add the batch parameters and the settings of the method."""
        super().declare()
        add_settings(self, BIODIVERSITY)

    def settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Settings:
        """Return the settings given as advanced parameters."""
        return read_settings(self, parameters, BIODIVERSITY, context)
