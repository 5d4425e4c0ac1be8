"""epoch:fetchbiomassemissions: the stored biomass and emissions."""

from __future__ import annotations

from epoch_plugin.processing_algorithms.fetch_base import FetchAlgorithm


class FetchBiomassEmissions(FetchAlgorithm):
    """Fetch biomass and emissions."""

    NAME, STAT = "fetchbiomassemissions", "luc_emissions"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Fetch biomass and emissions")
