"""The single checks of METHODS section 8: 1 passed, 0 failed, NaN not run; one value per plot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.collections.shapes import Polygons

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MIN_HA, MAX_HA, MAX_ESTATE_HA, DECLARED_FACTOR = 0.01, 1_000.0, 50_000.0, 2.0
EQUAL_PLOTS, EQUAL_SHARE = 5, 1e-3
ROUND_QUOTIENT, ROUND_VERTICES = 0.99, 16
_DECIMALS = 1e4


def verdict(passed: Flags, could_run: Flags) -> Values:
    """Return 1 or 0 where the check could run, NaN elsewhere."""
    return np.where(could_run, passed.astype(np.float64), np.nan)


def area_plausible(areas: Values, estates: Flags, declared: Values, assumed: Flags) -> Values:
    """Check areas (ha) against the plausible range and, within a factor 2, the declared area (NaN: none); not run for an assumed area."""
    largest = np.where(estates, MAX_ESTATE_HA, MAX_HA)
    in_range = (areas >= MIN_HA * (1 - 1e-9)) & (areas <= largest * (1 + 1e-9))
    known = np.isfinite(declared)
    ratio = np.where(known, areas, 1.0) / np.where(known, declared, 1.0)
    return verdict(in_range & (ratio <= DECLARED_FACTOR) & (ratio >= 1 / DECLARED_FACTOR), ~assumed)


def latitude_plausible(lats: Values, limits: tuple[float, float] | None) -> Values:
    """Check latitudes against where the commodity grows; not run without a known commodity."""
    if limits is None:
        return np.full(len(lats), np.nan)
    return verdict((lats >= limits[0]) & (lats <= limits[1]), np.ones(len(lats), bool))


def not_synthetic(shapes: list[Polygons], areas: Values, points: Flags) -> Values:
    """Check that drawn plots are neither copies of one shape (5 or more of equal area and vertex count) nor circles; not run for points."""
    counts = np.array([sum(len(ring) - 1 for rings in polygons for ring in rings) for polygons in shapes], np.int64)
    suspicious = _equal_groups(areas, counts, ~points)
    for number in np.flatnonzero((counts > ROUND_VERTICES) & ~points).tolist():
        suspicious[number] |= isoperimetric_quotient(shapes[number]) > ROUND_QUOTIENT
    return verdict(~suspicious, ~points)


def _equal_groups(areas: Values, counts: npt.NDArray[np.int64], drawn: Flags) -> Flags:
    """Mark drawn plots in a run of at least five with one vertex count whose areas differ by at most 0.1 %."""
    marked = np.zeros(len(areas), bool)
    for count in np.unique(counts[drawn]):
        members = np.flatnonzero(drawn & (counts == count))
        members = members[np.argsort(areas[members], kind="stable")]
        ordered = areas[members]
        if len(ordered) < EQUAL_PLOTS:
            continue
        for first in np.flatnonzero(ordered[EQUAL_PLOTS - 1 :] <= ordered[: len(ordered) - EQUAL_PLOTS + 1] * (1 + EQUAL_SHARE)).tolist():
            marked[members[first : first + EQUAL_PLOTS]] = True
    return marked


def isoperimetric_quotient(polygons: Polygons) -> float:
    """Return 4 pi area / perimeter^2 of a single outer ring in a local plane (1 = circle); 0 for holes or several parts."""
    if len(polygons) != 1 or len(polygons[0]) != 1:
        return 0.0
    ring = polygons[0][0]
    plane = (ring - ring[0]) * np.array([np.cos(np.radians(ring[:, 1].mean())), 1.0])
    x, y = plane[:, 0], plane[:, 1]
    area = abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2
    perimeter = float(np.hypot(np.diff(x), np.diff(y)).sum())
    return 4 * np.pi * area / perimeter**2 if perimeter else 0.0


def low_precision(coordinates: npt.NDArray[np.float64]) -> bool:
    """Tell whether all coordinates have at most four decimals (11 m)."""
    scaled = coordinates * _DECIMALS
    return bool((np.abs(scaled - np.round(scaled)) < 1e-6).all())
