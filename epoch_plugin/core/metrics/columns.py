"""Rows from whole columns: a table's numbers become Python's all at once, and one mapping per plot when it is asked for.

Thousands of mappings held at a time would be as many things for Python's garbage collector to visit, whose pauses are felt in QGIS's windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def records(columns: Mapping[str, Iterable[Any]], n: int = 0) -> Iterator[dict[str, Any]]:
    """Yield one dict per plot of columns of equal length, each a list or made on the way; n empty ones of no column."""
    return (dict(zip(columns, values)) for values in zip(*columns.values())) if columns else ({} for _ in range(n))


def known_numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    """Return the numbers, None for NaN."""
    numbers: list[float | None] = values.tolist()
    for i in np.flatnonzero(np.isnan(values)).tolist():
        numbers[i] = None
    return numbers
