"""Running means of many plots, weighted by their areas, and counts of the reasons on their rows."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


class AreaWeighted:
    """The area-weighted mean of a number over the plots that have it."""

    def __init__(self) -> None:
        self._area = self._sum = 0.0

    def add(self, area: float, value: float | None) -> None:
        """Add one plot: its area (ha) and its number."""
        if value is not None:
            self._area += area
            self._sum += area * value

    @property
    def mean(self) -> float | None:
        """Return the mean, None where no plot has the number."""
        return self._sum / self._area if self._area > 0 else None


class AreaWeightedObject:
    """The area-weighted mean of each key of an object (`mean`, `std`, years), in the order in which keys appear."""

    def __init__(self) -> None:
        self._by_key: dict[str, AreaWeighted] = {}

    def add(self, area: float, text: str | None) -> None:
        """Add one plot's object, as JSON text."""
        for key, value in json.loads(text or "{}").items():
            self._by_key.setdefault(key, AreaWeighted()).add(area, value)

    @property
    def means(self) -> dict[str, float | None] | None:
        """Return the means, years ascending after the other keys; None where no plot has the object."""
        return {key: self._by_key[key].mean for key in sorted(self._by_key, key=lambda key: (key.isdigit(), key))} or None


class ReasonCounts:
    """How many plots carry each reason code."""

    def __init__(self) -> None:
        self._plots: Counter[str] = Counter()

    def add(self, text: str | None) -> None:
        """Add one plot's reasons, as JSON text."""
        self._plots.update({item["code"] for item in json.loads(text or "[]")})

    def add_not_processed(self) -> None:
        """Add a plot without a row."""
        self._plots["not_processed"] += 1

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Return the codes with the plots that carry them, by code."""
        return [{"code": code, "plots": plots} for code, plots in sorted(self._plots.items())]
