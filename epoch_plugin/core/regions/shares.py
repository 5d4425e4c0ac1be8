"""Which share of each plot lies in which region: exact intersections, geodesic areas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.box_tree import BoxTree
from epoch_plugin.core.regions.region import Region, area_ha

Floats = npt.NDArray[np.float64]
CELL = 0.25  # degrees: plots of one cell share the few pieces of regions around them
KM_PER_DEGREE = 111.2
TOLERANCE = 1e-6  # of the share: what rounding may take from a plot that lies inside


@dataclass(frozen=True)
class Share:
    """One plot (position) in one region (position): share of its area, 0..1; `near_edge`: a coarse border runs nearby."""

    plot: int
    region: int
    share: float
    near_edge: bool


def belongs(share: float, threshold: float) -> bool:
    """Tell whether a share counts as belonging (METHODS section 7)."""
    return share >= threshold - TOLERANCE


def shares(
    boxes: Floats, load: Callable[[Sequence[int]], Sequence[bytes]], regions: Sequence[Region], near_border_km: float = 5.0
) -> Iterator[Share]:  # fmt: skip
    """Yield every plot's share of every region that it lies in.

    `boxes` (n, 4: west, south, east, north in degrees) are those of the plots, `load` gives the WKB of some by position.
    Plots are worked on neighbours first, so memory holds a cell's plots only.
    """
    import shapely.wkb

    if len(boxes) == 0 or not regions:
        return
    shapes = [shapely.wkb.loads(region.polygon) for region in regions]
    tree = BoxTree(shapes)
    for group in _groups(boxes):
        west, south = boxes[group, :2].min(axis=0).tolist()
        east, north = boxes[group, 2:].max(axis=0).tolist()
        around = _Pieces(shapes, regions, tree, (west, south, east, north), near_border_km)
        if not around.pieces:
            continue
        for position, wkb in zip(group.tolist(), load(group.tolist())):
            yield from around.shares_of(position, shapely.wkb.loads(wkb))


def _groups(boxes: Floats) -> Iterator[npt.NDArray[np.int64]]:
    """Yield positions of plots whose boxes' centres lie in one cell of a lattice of degrees."""
    centres = np.floor((boxes[:, :2] + boxes[:, 2:]) / 2 / CELL).astype(np.int64)
    keys = centres[:, 0] * 100_000 + centres[:, 1]
    order = np.argsort(keys, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


class _Pieces:
    """The regions' pieces in the box of a group of plots."""

    def __init__(
        self, shapes: Sequence[Any], regions: Sequence[Region], tree: BoxTree, bounds: tuple[float, float, float, float], near_border_km: float
    ) -> None:  # fmt: skip
        from shapely.geometry import box
        from shapely.prepared import prep

        west, south, east, north = bounds
        window = box(*bounds)
        self._reach_km = near_border_km
        pad = near_border_km / KM_PER_DEGREE
        self._shrink = max(0.05, float(np.cos(np.radians((south + north) / 2))))
        wide = box(west - pad / self._shrink, south - pad, east + pad / self._shrink, north + pad)
        self.pieces: list[tuple[int, Any, Any, Any]] = []  # region, piece, prepared piece, border nearby in km (or None)
        for number in tree.hits(window):
            piece = shapes[number].intersection(window)
            if piece.area > 0:
                self.pieces.append((number, piece, prep(piece), self._border(shapes[number], wide) if regions[number].coarse else None))

    def _border(self, shape: Any, wide: Any) -> Any:
        from shapely.affinity import scale

        border = shape.boundary.intersection(wide)
        return None if border.is_empty else scale(border, self._shrink * KM_PER_DEGREE, KM_PER_DEGREE, origin=(0, 0))

    def shares_of(self, position: int, plot: Any) -> Iterator[Share]:
        """Yield the plot's shares."""
        for number, piece, prepared, border in self.pieces:
            if not prepared.intersects(plot):
                continue
            share = 1.0 if prepared.covers(plot) else self._share(piece, plot)
            if share > 0:
                yield Share(position, number, share, border is not None and self._near(plot, border))

    def _near(self, plot: Any, border: Any) -> bool:
        """Tell whether a plot's middle lies within reach of a border in kilometres, as it is judged for countries."""
        from shapely.geometry import Point

        west, south, east, north = plot.bounds
        middle = Point((west + east) / 2 * self._shrink * KM_PER_DEGREE, (south + north) / 2 * KM_PER_DEGREE)
        return bool(middle.distance(border) <= self._reach_km)

    def _share(self, piece: Any, plot: Any) -> float:
        whole = area_ha(plot)
        return min(area_ha(piece.intersection(plot if plot.is_valid else plot.buffer(0))) / whole, 1.0) if whole > 0 else 0.0
