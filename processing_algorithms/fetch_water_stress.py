"""epoch:fetchwaterstress: the stored water indices."""

from __future__ import annotations

from epoch_plugin.processing_algorithms.fetch_base import FetchAlgorithm


class FetchWaterStress(FetchAlgorithm):
    """Fetch water stress."""

    NAME, STAT = "fetchwaterstress", "water"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Fetch water stress")
