"""epoch:fetchbiodiversity: the stored biodiversity scores."""

from __future__ import annotations

from epoch_plugin.processing_algorithms.fetch_base import FetchAlgorithm


class FetchBiodiversity(FetchAlgorithm):
    """Fetch biodiversity."""

    NAME, STAT = "fetchbiodiversity", "biodiversity"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Fetch biodiversity")
