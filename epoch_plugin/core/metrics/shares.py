"""Parts of plots: areas from the engine's sums, shares of a plot, numbers that may be unknown."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.zonal.engine import GridResult

Floats = npt.NDArray[np.float64]

M2_PER_HA = 10_000.0


def whole_area(area: Floats, result: GridResult) -> Floats:
    """Return the area (ha) of which data cover a share: that of the cells where the plot lies in the grid, else the plot's own."""
    weight = result.weight / M2_PER_HA
    return np.where(result.clipped, np.maximum(area, weight), weight)


def share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, at most 1; 0 where the whole is 0."""
    return np.minimum(np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0), 1.0)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is not above 0."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def known(value: float) -> float | None:
    """Return a number, None for NaN."""
    return None if math.isnan(value) else float(value)
