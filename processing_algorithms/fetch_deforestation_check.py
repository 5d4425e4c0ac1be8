"""epoch:fetchdeforestationcheck: the stored results of the deforestation check."""

from __future__ import annotations

from epoch_plugin.processing_algorithms.fetch_base import FetchAlgorithm


class FetchDeforestationCheck(FetchAlgorithm):
    """Fetch deforestation check."""

    NAME, STAT = "fetchdeforestationcheck", "eudr_deforestation"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Fetch deforestation check")
