"""What a metric needs to know of a plot beside its cells."""

from __future__ import annotations

from typing import Protocol


class PlotShape(Protocol):
    """One staged plot."""

    @property
    def uuid(self) -> str:
        """Return the plot's id."""

    @property
    def area(self) -> float:
        """Return the geodesic area, ha."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Return what was assumed or noticed when it was staged."""
