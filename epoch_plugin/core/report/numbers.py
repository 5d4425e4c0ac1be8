"""Numbers as people read them: three significant digits, thousands separated, the unit always there."""

from __future__ import annotations

import math


def hectares(value: float | None) -> str:
    """Return an area with its unit; unknown areas are a dash, never 0."""
    return "–" if value is None else f"{significant(value)} ha"


def significant(value: float) -> str:
    """Return a number with three significant digits; whole numbers from 100 on."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 6)}f}"


def plots(count: int) -> str:
    """Return a number of plots in words."""
    return f"{count:,} plot" if count == 1 else f"{count:,} plots"
