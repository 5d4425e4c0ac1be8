"""shapely's STRtree with one interface for shapely 1.8 (answers geometries) and 2 (answers numbers)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any


class BoxTree:
    """Finds geometries by bounding box."""

    def __init__(self, geometries: Sequence[Any]) -> None:
        """Index shapely geometries; their order gives the numbers that `hits` returns."""
        from shapely.strtree import STRtree

        self._geometries = list(geometries)  # 1.8 compares identities: the objects must stay alive
        self._number_of = {id(geometry): number for number, geometry in enumerate(self._geometries)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 1.8 announces the change that `hits` already allows for
            self._tree = STRtree(self._geometries) if self._geometries else None

    def hits(self, shape: Any) -> list[int]:
        """Return, in ascending order, the numbers of the geometries whose boxes meet that of `shape`."""
        found = self._tree.query(shape) if self._tree is not None else []
        return sorted(self._number_of[id(hit)] if hasattr(hit, "geom_type") else int(hit) for hit in found)
