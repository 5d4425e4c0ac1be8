"""The water indices: pure functions of yearly plot means, arrays (years, plots) with NaN for no data (METHODS section 6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.shares import ratio

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MIN_REFERENCE_YEARS = 5
AUTO = "auto"


def precipitation_pet(precipitation: Floats, pet: Floats) -> tuple[Floats, Floats]:
    """Return sum(P) / sum(PET) per plot over the years that have both, and P / PET of each year; NaN where PET is not above 0."""
    both = ~np.isnan(precipitation) & ~np.isnan(pet)
    total = ratio(np.where(both, precipitation, 0.0).sum(axis=0), np.where(both, pet, 0.0).sum(axis=0))
    yearly = np.stack([ratio(p, np.where(np.isnan(p), np.nan, e)) for p, e in zip(precipitation, np.nan_to_num(pet))])
    return total, np.where(both, yearly, np.nan)


def reference_years(setting: str, bound: Sequence[int], first_counted: int) -> tuple[tuple[int, ...], bool]:
    """Return the reference years and whether they had to include the window's.

    `auto`: all bound years before the first counted one if there are at least five, else all bound years.
    """
    if setting.strip() != AUTO:
        return tuple(year for year in parse_years(setting) if year in bound), False
    before = tuple(year for year in bound if year < first_counted)
    return (before, False) if len(before) >= MIN_REFERENCE_YEARS else (tuple(bound), True)


def parse_years(text: str) -> tuple[int, ...]:
    """Read years joined by commas; raise `InputError` for anything else."""
    try:
        return tuple(sorted({int(word) for word in text.split(",")}))
    except ValueError:
        raise InputError(f"Setting 'reference_years' is '{text}': write auto, or years joined by commas (2001,2002,2003,2004,2005).") from None


def percentile(values: Floats, reference: Floats) -> Floats:
    """Return the mid-rank percentile 100 x (below + equal / 2) / n of each value among a plot's reference years; NaN under five of them."""
    n = (~np.isnan(reference)).sum(axis=0)
    below = (reference[None] < values[:, None]).sum(axis=1)
    equal = (reference[None] == values[:, None]).sum(axis=1)
    found = 100.0 * (below + 0.5 * equal) / np.maximum(n, 1)
    return np.where((n >= MIN_REFERENCE_YEARS) & ~np.isnan(values), found, np.nan)


def anomaly(values: Floats, reference: Floats) -> Floats:
    """Return (value - mean) / SD, SD with n - 1, over a plot's reference years; NaN under five of them or where all are alike."""
    known = ~np.isnan(reference)
    n = known.sum(axis=0)
    filled = np.where(known, reference, 0.0)
    mean = filled.sum(axis=0) / np.maximum(n, 1)
    squares = np.where(known, (reference - mean) ** 2, 0.0).sum(axis=0)
    usable = (n >= MIN_REFERENCE_YEARS) & ~all_alike(reference)
    sd = np.sqrt(np.where(usable, squares / np.maximum(n - 1, 1), np.nan))
    return np.asarray((values - mean) / sd)


def all_alike(reference: Floats) -> Bools:
    """Tell which plots' reference years do not differ (a computed SD of theirs need not be exactly 0)."""
    known = ~np.isnan(reference)
    low = np.where(known, reference, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, reference, -np.inf).max(axis=0, initial=-np.inf)
    return np.asarray(low >= high)


def last_known(values: Floats) -> npt.NDArray[np.int64]:
    """Return per plot the position of the last year with a value, -1 without one."""
    known = ~np.isnan(values)
    positions = np.where(known, np.arange(len(values))[:, None], -1)
    last: npt.NDArray[np.int64] = positions.max(axis=0, initial=-1)
    return last
