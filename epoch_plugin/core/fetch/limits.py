"""How many features are returned."""

from __future__ import annotations

from collections.abc import Iterable

DEFAULT_LIMIT = 10_000
ONE_PLOT_KEYS = ("plotid", "uuid", "name")


def effective_limit(asked: int | None, filter_keys: Iterable[str]) -> int | None:
    """Return the number of features at most, None for all: 0 asks for all; unset means 10,000, or 1 where a filter names one plot."""
    if asked is not None:
        return asked or None
    return 1 if any(key.casefold() in ONE_PLOT_KEYS for key in filter_keys) else DEFAULT_LIMIT
