"""Plots that lie on top of each other, inside a collection and across collections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from epoch_plugin.core.box_tree import BoxTree
from epoch_plugin.core.progress import Progress, stop_if_cancelled

MIN_SHARE, MIN_HA = 0.05, 0.01


class OverlapFinder:
    """Collects, per plot, sentences on what it overlaps with.

    An overlap counts from more than 5 % of the plot and 0.01 ha. The circle of a point plot is an assumption: it counts only where
    another plot has the same circle.
    """

    def __init__(self, geometries: Sequence[Any], areas: Sequence[float], points: Sequence[bool], plotids: Sequence[str]) -> None:
        """Take shapely polygons (degrees) with their areas (ha), whether each stands for a point, and their ids."""
        self._geometries, self._areas, self._points, self._plotids = geometries, areas, points, plotids
        self._tree = BoxTree(geometries)
        self.found: list[list[str]] = [[] for _ in geometries]

    def inside(self, progress: Progress) -> None:
        """Compare the plots with each other."""
        for number, geometry in enumerate(self._geometries):
            if number % 1000 == 0:
                stop_if_cancelled(progress)
            for other in self._tree.hits(geometry):
                if other > number:
                    self._pair(number, other)

    def across(self, others: Iterable[tuple[str, str, bytes]], progress: Progress) -> None:
        """Compare the plots with those of other collections: name, plot id, WKB polygon."""
        import shapely.wkb

        for number, (collection, plotid, wkb) in enumerate(others):
            if number % 1000 == 0:
                stop_if_cancelled(progress)
            geometry = shapely.wkb.loads(wkb)
            for own in self._tree.hits(geometry):
                self._note(own, self._shared(own, geometry), f"plot '{plotid}' of collection '{collection}'")

    def _pair(self, one: int, other: int) -> None:
        if self._points[one] or self._points[other]:
            if self._geometries[one].equals_exact(self._geometries[other], 1e-9):
                self._note(one, 1.0, f"plot '{self._plotids[other]}'")
                self._note(other, 1.0, f"plot '{self._plotids[one]}'")
            return
        geometry = self._geometries[other]
        shared = self._shared(one, geometry)
        if shared > 0:
            self._note(one, shared, f"plot '{self._plotids[other]}'")
            own = self._geometries[one].area * shared / geometry.area
            self._note(other, own, f"plot '{self._plotids[one]}'")

    def _shared(self, number: int, geometry: Any) -> float:
        """Return the share of a plot that another geometry covers (planar in degrees: a ratio of neighbouring areas)."""
        own = self._geometries[number]
        if self._points[number]:
            return 1.0 if own.equals_exact(geometry, 1e-9) else 0.0
        return float(own.intersection(geometry).area / own.area) if own.intersects(geometry) else 0.0

    def _note(self, number: int, share: float, what: str) -> None:
        if share > MIN_SHARE and share * self._areas[number] > MIN_HA:
            self.found[number].append(f"{'duplicate of' if share > 0.999 else f'{share:.0%} lie in'} {what}")
