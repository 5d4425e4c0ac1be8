"""UNEP's aridity classes: what a metric says of a plot and what fetching says of many is the same rule."""

from __future__ import annotations

# UNEP, World Atlas of Desertification (1992): upper bounds of precipitation / potential evapotranspiration; lower bounds are inclusive
CLASSES = ((0.05, "hyper-arid"), (0.20, "arid"), (0.50, "semi-arid"), (0.65, "dry sub-humid"), (float("inf"), "humid"))


def aridity_class(value: float) -> str | None:
    """Return the class of a ratio of precipitation to potential evapotranspiration; None for NaN."""
    return next((name for upper, name in CLASSES if value < upper), None)
