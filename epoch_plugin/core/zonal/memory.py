"""Giving freed memory back: the C library keeps it, thread by thread, and what several threads keep at their highest adds up."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache


def give_back() -> None:
    """Return freed memory to the operating system where the C library (glibc) can be told to; elsewhere do nothing."""
    _trim()(0)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], object]:
    if sys.platform.startswith("linux"):
        try:
            trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
            return trim
        except (OSError, AttributeError):  # another C library
            pass
    return lambda _: None
