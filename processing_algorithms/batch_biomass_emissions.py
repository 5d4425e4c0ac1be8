"""epoch:batchbiomassemissions: change of carbon in biomass and soil per plot, by what happened to the land."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from epoch_plugin.core.settings import Settings
from epoch_plugin.processing_algorithms.batch_base import BatchAlgorithm
from epoch_plugin.processing_algorithms.settings_parameters import BIOMASS, add_settings, read_settings


class BatchBiomassEmissions(BatchAlgorithm):
    """Biomass and emissions."""

    NAME, STAT = "batchbiomassemissions", "luc_emissions"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Biomass and emissions")

    def declare(self) -> None:
        """Add the batch parameters and the settings of the method."""
        super().declare()
        self.add_non_biomass()
        add_settings(self, BIOMASS)

    def settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Settings:
        """Return the settings given as advanced parameters."""
        return read_settings(self, parameters, BIOMASS, context)
