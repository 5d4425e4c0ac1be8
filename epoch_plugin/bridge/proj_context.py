"""PROJ in QGIS's worker threads: without this, pyproj 3.7 ends QGIS with the second task that uses it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_kept: list[Any] = []


def keeping_proj_context(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """Decorate what a thread of QGIS runs: the thread's pyproj context then stays until the process ends.

    QGIS uses its threads again, while Python forgets a thread that it did not start as soon as the function is left. pyproj from 3.7
    on then frees the thread's context but goes on using it (its issues 1509 and 1622). One context stays per thread; where pyproj was
    not used, or is older, there is nothing to keep.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> _Result:
        try:
            return function(*args, **kwargs)
        finally:
            find = getattr(sys.modules.get("pyproj._context"), "get_context_manager", None)
            manager = find() if find else None
            if manager is not None:
                _kept.append(manager)

    return run
