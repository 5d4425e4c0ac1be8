"""The text of a plot's shape that its hash, its uuid and its collection's id are made of (contract, section Store)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.collections.shapes import Polygons, Ring

Integers = npt.NDArray[np.int64]
_VELTKAMP = 134217729.0  # 2**27 + 1 splits a double in two halves whose products with 10**6 are exact
_LARGEST = 999.9999994


def micro_degrees(values: npt.NDArray[np.float64]) -> Integers:
    """Round to whole millionths, halves away from zero, judged on the exact value of each double.

    `value * 1e6` alone rounds a second time; the product's error term (Dekker 1971) decides what it leaves open.
    """
    size = np.abs(values)
    product = size * 1e6
    scaled = size * _VELTKAMP
    high = scaled - (scaled - size)
    error = (high * 1e6 - product) + (size - high) * 1e6
    whole = np.floor(product)
    rounded: Integers = (whole + ((product - whole - 0.5) + error >= 0)).astype(np.int64)
    return np.where(values < 0, -rounded, rounded)


def point_text(lon: float, lat: float) -> str:
    """Return `POINT(x y)` with six decimals, without negative zero."""
    return f"POINT({_six_decimals(lon)} {_six_decimals(lat)})"


def _six_decimals(value: float) -> str:
    millionths = int(micro_degrees(np.array([value]))[0])
    return f"{'-' if millionths < 0 else ''}{abs(millionths) // 1_000_000}.{abs(millionths) % 1_000_000:06d}"


def polygon_texts(shapes: Sequence[Polygons]) -> list[str]:
    """Return `MULTIPOLYGON(((x y,...)))` of each shape: a list of polygons, each a list of rings (outer first), each (n, 2) degrees."""
    rings = [ring for polygons in shapes for rings in polygons for ring in rings]
    if not rings:
        return []
    outer = np.array([number == 0 for polygons in shapes for rings in polygons for number in range(len(rings))])
    texts = iter(_ring_texts(rings, outer))
    result = []
    for polygons in shapes:
        parts = []
        for polygon in polygons:
            shell, *holes = [next(texts) for _ in polygon]
            parts.append("(" + ",".join([shell, *sorted(holes)]) + ")")
        result.append("MULTIPOLYGON(" + ",".join(sorted(parts)) + ")")
    return result


def _ring_texts(rings: list[Ring], outer: npt.NDArray[np.bool_]) -> list[str]:
    points = np.concatenate(rings)
    if np.abs(points).max() > _LARGEST:
        raise ValueError("coordinates beyond 999 are not degrees")
    units = micro_degrees(points)
    sizes = np.array([len(ring) for ring in rings], np.int64)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    closed = (units[starts] == units[ends - 1]).all(axis=1) & (sizes > 1)
    counts = sizes - closed
    order, ring_of = _canonical_order(units[:, 0], units[:, 1], starts, counts, outer)
    text, widths = _vertex_text(units[order], last=np.cumsum(counts + 1) - 1)
    stops = np.cumsum(np.bincount(ring_of, weights=widths, minlength=len(rings)).astype(np.int64)).tolist()
    return ["(" + text[a:b] + ")" for a, b in zip([0, *stops[:-1]], stops)]


def _canonical_order(x: Integers, y: Integers, starts: Integers, counts: Integers, outer: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Return the vertex indices of every ring in canonical order, closing vertex included, and each one's ring."""
    ring_of = np.repeat(np.arange(len(counts)), counts)
    offset = np.cumsum(counts) - counts
    step = np.arange(len(ring_of)) - offset[ring_of]
    here = starts[ring_of] + step
    there = starts[ring_of] + (step + 1) % counts[ring_of]
    # 64-bit wrap-around of single terms cancels: twice the true area always fits
    doubled = np.add.reduceat(x[here] * y[there] - x[there] * y[here], offset)
    key = ((x[here] + (1 << 30)) << 31) + (y[here] + (1 << 30))
    smallest = key == np.minimum.reduceat(key, offset)[ring_of]
    first = np.minimum.reduceat(np.where(smallest, step, np.iinfo(np.int64).max), offset)
    direction = np.where((doubled > 0) == outer, 1, -1)
    ambiguous = (np.add.reduceat(smallest.astype(np.int64), offset) > 1) | (doubled == 0)
    for ring in np.flatnonzero(ambiguous).tolist():
        span = slice(int(starts[ring]), int(starts[ring] + counts[ring]))
        both = (1, -1) if doubled[ring] == 0 else (int(direction[ring]),)
        first[ring], direction[ring] = _smallest_walk(list(zip(x[span].tolist(), y[span].tolist())), both)
    ring_of = np.repeat(np.arange(len(counts)), counts + 1)
    step = np.arange(len(ring_of)) - (np.cumsum(counts + 1) - counts - 1)[ring_of]
    return starts[ring_of] + (first[ring_of] + direction[ring_of] * step) % counts[ring_of], ring_of


def _smallest_walk(vertices: list[tuple[int, int]], directions: tuple[int, ...]) -> tuple[int, int]:
    """Decide a ring that meets its smallest vertex twice, or has no area after rounding: the smallest sequence wins."""
    lowest, n = min(vertices), len(vertices)
    walks = [
        ([vertices[(start + way * step) % n] for step in range(n)], start, way)
        for start in range(n)
        if vertices[start] == lowest
        for way in directions
    ]
    _, start, way = min(walks)
    return start, way


def _digit_tables() -> tuple[npt.NDArray[np.uint8], Integers, npt.NDArray[np.uint8]]:
    """Return 5 bytes per signed whole degree (index + 1000, negative zero at 0; unused bytes are 0), how many are used, 3 bytes per thousand."""
    signed = [f"-{v}." for v in range(1000)] + [f"{v}." for v in range(1000)]
    whole = np.frombuffer("".join(t.rjust(5, "\0") for t in signed).encode(), np.uint8).reshape(2000, 5)
    thousand = np.frombuffer("".join(f"{v:03d}" for v in range(1000)).encode(), np.uint8).reshape(1000, 3)
    return whole, np.array([len(t) for t in signed], np.int64), thousand


_WHOLE, _WHOLE_WIDTH, _THOUSAND = _digit_tables()


def _vertex_text(units: Integers, last: Integers) -> tuple[str, Integers]:
    """Return `x y,` of all vertices joined (no comma at the `last` of a ring) and the number of characters of each."""
    cells = np.empty((len(units), 24), np.uint8)
    widths = np.full(len(units), 14, np.int64)  # two times six decimals, the space, the comma
    for axis, column in ((0, 0), (1, 12)):
        value = units[:, axis].astype(np.int32)  # up to 999 million; divides faster
        size = np.abs(value)
        degree = size // 1_000_000
        rest = size - degree * 1_000_000
        thousands = rest // 1000
        signed = np.where(value < 0, degree, degree + 1000)
        widths += _WHOLE_WIDTH.take(signed)
        cells[:, column : column + 5] = _WHOLE.take(signed, 0)
        cells[:, column + 5 : column + 8] = _THOUSAND.take(thousands, 0)
        cells[:, column + 8 : column + 11] = _THOUSAND.take(rest - thousands * 1000, 0)
    cells[:, 11] = ord(" ")
    cells[:, 23] = ord(",")
    cells[last, 23] = 0
    widths[last] -= 1
    return cells.tobytes().translate(None, b"\0").decode("ascii"), widths
