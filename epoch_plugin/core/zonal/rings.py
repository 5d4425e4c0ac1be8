"""Polygons as flat arrays of rings: parsed once per chunk, brought into each grid's CRS, cut into oriented segments."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_BEND_M = 0.1  # METHODS section 1: no edge may leave the straight line of the plot's own CRS by more
METRES_PER_DEGREE = 111_320.0
ONE_RING = b"\x01\x06\x00\x00\x00\x01\x00\x00\x00\x01\x03\x00\x00\x00\x01\x00\x00\x00"  # WKB of a multipolygon of one polygon of one ring
SMALLEST = len(ONE_RING) + 4 + 4 * 16  # bytes of a triangle


@dataclass(frozen=True)
class Rings:
    """Closed rings of many plots; ring i holds vertices start[i] .. start[i + 1] of x and y."""

    x: Floats
    y: Floats
    start: Ints  # one more than there are rings
    plot: Ints  # per ring
    hole: npt.NDArray[np.bool_]  # per ring
    n_plots: int

    @cached_property
    def segments(self) -> Segments:
        """Return the rings' edges, cut once however many grids ask for them."""
        return segments(self)

    @cached_property
    def digest(self) -> bytes:
        """Return what names these rings wherever they come again."""
        digest = hashlib.blake2b(str(self.n_plots).encode(), digest_size=20)
        for values in (self.x, self.y, self.start, self.plot, self.hole):
            digest.update(np.ascontiguousarray(values).data)
        return digest.digest()

    @cached_property
    def bounds(self) -> Floats:
        """Return (n_plots, 4) of xmin, ymin, xmax, ymax; NaN for a plot without rings."""
        out = np.full((self.n_plots, 4), np.nan)
        if len(self.plot) == 0:
            return out
        starts = self.start[:-1]
        first = np.flatnonzero(np.r_[True, self.plot[1:] != self.plot[:-1]])
        plots = self.plot[first]
        for column, values in enumerate((self.x, self.y)):
            out[plots, column] = np.minimum.reduceat(np.minimum.reduceat(values, starts), first)
            out[plots, column + 2] = np.maximum.reduceat(np.maximum.reduceat(values, starts), first)
        return out


@dataclass(frozen=True)
class Segments:
    """Directed edges: outer rings run counter-clockwise, holes clockwise (y upwards)."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    plot: Ints

    @cached_property
    def plot_ends(self) -> Ints:
        """Return the number of the first edge behind each plot that has any."""
        return np.flatnonzero(np.append(self.plot[1:] != self.plot[:-1], True)) + 1 if len(self.plot) else np.zeros(0, np.int64)

    @cached_property
    def travelled(self) -> tuple[Floats, Floats]:
        """Return how far all edges up to each of `plot_ends` go, in x and in y, back and forth."""
        last = self.plot_ends - 1
        return np.cumsum(np.abs(self.x1 - self.x0))[last], np.cumsum(np.abs(self.y1 - self.y0))[last]


def rings_from_wkb(wkbs: Sequence[bytes]) -> Rings:
    """Parse WKB polygons and multipolygons (2D, little-endian, as the store keeps them) into rings.

    Raises `InputError` for any other geometry: a plot that reaches the engine has been validated.
    """
    coordinates: list[bytes] = []
    plots: list[int] = []
    holes: list[bool] = []
    for number, wkb in enumerate(wkbs):
        if wkb.startswith(ONE_RING) and len(wkb) >= SMALLEST:  # nearly every plot is one polygon without holes
            coordinates.append(wkb[len(ONE_RING) + 4 :])
            plots.append(number)
            holes.append(False)
            continue
        for content, hole in _rings(wkb, number):
            coordinates.append(content)
            plots.append(number)
            holes.append(hole)
    xy = np.frombuffer(b"".join(coordinates), "<f8").reshape(-1, 2)
    start = np.cumsum([0, *(len(content) // 16 for content in coordinates)], dtype=np.int64)
    return Rings(xy[:, 0].copy(), xy[:, 1].copy(), start, np.array(plots, np.int64), np.array(holes, bool), len(wkbs))


def _rings(wkb: bytes, number: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the coordinates of each ring, and whether it is a hole."""
    parts, offset = 1, 0
    if wkb[:5] == b"\x01\x06\x00\x00\x00":
        parts, offset = struct.unpack_from("<I", wkb, 5)[0], 9
    for _ in range(parts):
        if wkb[offset : offset + 5] != b"\x01\x03\x00\x00\x00":
            raise InputError(f"Plot {number + 1} is not a 2D little-endian polygon: stage it again.")
        n_rings = struct.unpack_from("<I", wkb, offset + 5)[0]
        offset += 9
        for ring in range(n_rings):
            n = struct.unpack_from("<I", wkb, offset)[0]
            offset += 4
            if n >= 4:
                yield wkb[offset : offset + 16 * n], ring > 0
            offset += 16 * n


@lru_cache(maxsize=64)
def metres_per_unit(crs: str) -> float:
    """Return how many metres a unit of a CRS's axes has; of degrees, along the equator."""
    from pyproj import CRS

    known = CRS.from_user_input(crs)
    if known.is_geographic:
        return METRES_PER_DEGREE
    return float(known.axis_info[0].unit_conversion_factor if known.axis_info else 1.0) or 1.0


@lru_cache(maxsize=64)
def _transformer(crs: str) -> Any:
    """Return the transformation from EPSG:4326 to `crs`; None where it changes nothing."""
    from pyproj import CRS, Transformer

    target = CRS.from_user_input(crs)
    if target.is_geographic:
        same = target.datum is not None and target.datum.name.startswith("World Geodetic System 1984")
        greenwich = target.prime_meridian is None or target.prime_meridian.longitude == 0
        if same and greenwich:
            return None
    return Transformer.from_crs("EPSG:4326", target, always_xy=True)


def to_grid_crs(rings: Rings, crs: str) -> Rings:
    """Bring rings from EPSG:4326 into a grid's CRS, densified so that no edge bends by more than 0.1 m.

    Rings with a vertex that the CRS cannot express are left out: for that grid their plot lies outside.
    """
    transformer = _transformer(crs)
    if transformer is None:
        return rings
    dense = rings
    for _ in range(4):
        x, y = transformer.transform(dense.x, dense.y)
        parts = _edge_parts(dense, np.asarray(x), np.asarray(y), transformer, metres_per_unit(crs))
        if parts is None:
            break
        dense = _subdivide(dense, parts)
    x, y = (np.asarray(a, np.float64) for a in transformer.transform(dense.x, dense.y))
    return _without_infinite(Rings(x, y, dense.start, dense.plot, dense.hole, dense.n_plots))


def _edges(rings: Rings) -> Ints:
    """Index of the first vertex of every edge."""
    first = np.ones(len(rings.x), bool)
    first[rings.start[1:] - 1] = False
    return np.flatnonzero(first)


def _edge_parts(rings: Rings, x: Floats, y: Floats, transformer: Any, unit_m: float) -> Ints | None:
    """Return into how many parts each edge must be cut, or None when all are straight enough."""
    i = _edges(rings)
    mx, my = transformer.transform((rings.x[i] + rings.x[i + 1]) / 2, (rings.y[i] + rings.y[i + 1]) / 2)
    bend = np.hypot(mx - (x[i] + x[i + 1]) / 2, my - (y[i] + y[i + 1]) / 2) * unit_m
    bend[~np.isfinite(bend)] = 0.0
    if not (bend > MAX_BEND_M).any():
        return None
    # the bend of an edge falls with the square of the number of its parts
    return np.where(bend > MAX_BEND_M, np.ceil(np.sqrt(2 * bend / MAX_BEND_M)), 1).astype(np.int64)


def _subdivide(rings: Rings, parts: Ints) -> Rings:
    i = _edges(rings)
    per_vertex = np.ones(len(rings.x), np.int64)  # the closing vertex of a ring stays one
    per_vertex[i] = parts
    source = np.repeat(np.arange(len(rings.x)), per_vertex)
    ends = np.cumsum(per_vertex)
    t = (np.arange(ends[-1]) - (ends - per_vertex)[source]) / per_vertex[source]
    following = np.minimum(source + 1, len(rings.x) - 1)
    x = rings.x[source] + t * (rings.x[following] - rings.x[source])
    y = rings.y[source] + t * (rings.y[following] - rings.y[source])
    start = np.r_[0, ends[rings.start[1:] - 1]]
    return Rings(x, y, start, rings.plot, rings.hole, rings.n_plots)


def _without_infinite(rings: Rings) -> Rings:
    bad_vertex = ~(np.isfinite(rings.x) & np.isfinite(rings.y))
    if not bad_vertex.any():
        return rings
    sizes = np.diff(rings.start)
    ring_of_vertex = np.repeat(np.arange(len(sizes)), sizes)
    bad_plots = np.unique(rings.plot[ring_of_vertex[bad_vertex]])
    keep = ~np.isin(rings.plot, bad_plots)
    keep_vertex = keep[ring_of_vertex]
    start = np.r_[0, np.cumsum(sizes[keep])]
    return Rings(rings.x[keep_vertex], rings.y[keep_vertex], start, rings.plot[keep], rings.hole[keep], rings.n_plots)


def segments(rings: Rings) -> Segments:
    """Cut rings into directed edges, with outer rings counter-clockwise and holes clockwise whatever they were."""
    i = _edges(rings)
    x0, y0, x1, y1 = rings.x[i], rings.y[i], rings.x[i + 1], rings.y[i + 1]
    if len(i) == 0:
        return Segments(x0, y0, x1, y1, np.zeros(0, np.int64))
    edges_per_ring = np.diff(rings.start) - 1
    ring = np.repeat(np.arange(len(edges_per_ring)), edges_per_ring)
    first = np.r_[0, np.cumsum(edges_per_ring)[:-1]]
    ox, oy = x0[first][ring], y0[first][ring]  # relative to the ring's start: no cancellation far from the origin
    twice_area = np.add.reduceat((x0 - ox) * (y1 - oy) - (x1 - ox) * (y0 - oy), first)
    flip = np.flatnonzero(((twice_area < 0) != rings.hole)[ring])
    for a, b in ((x0, x1), (y0, y1)):
        a[flip], b[flip] = b[flip], a[flip]
    return Segments(x0, y0, x1, y1, rings.plot[ring])


def middle_of(boxes: Floats) -> tuple[float, float]:
    """Return x and y of the middle plot of boxes (n, 4: xmin, ymin, xmax, ymax): medians, which an outlier does not move."""
    return float(np.nanmedian((boxes[:, 0] + boxes[:, 2]) / 2)), float(np.nanmedian((boxes[:, 1] + boxes[:, 3]) / 2))
