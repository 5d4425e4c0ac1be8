"""Areas on the WGS84 ellipsoid and shares of cells, in closed form; nothing here is shared with the plugin's engine."""

from __future__ import annotations

import math
from collections.abc import Sequence

SEMI_MAJOR_M = 6378137.0
FLATTENING = 1 / 298.257223563
ECCENTRICITY_2 = FLATTENING * (2 - FLATTENING)
ECCENTRICITY = math.sqrt(ECCENTRICITY_2)
M2_PER_HA = 10_000.0

Point = tuple[float, float]  # (lon, lat) or (column, row), see each function
Ring = Sequence[Point]  # not closed: the last point joins the first

# Gauss-Legendre, five points on 0..1: exact to rounding for edges of a few kilometres.
_GAUSS = [
    (0.5 - 0.5 * x, 0.5 * w)
    for x, w in [
        (0.0, 0.5688888888888889),
        (-0.5384693101056831, 0.47862867049936647),
        (0.5384693101056831, 0.47862867049936647),
        (-0.906179845938664, 0.23692688505618908),
        (0.906179845938664, 0.23692688505618908),
    ]
]


def authalic_q(lat: float) -> float:
    """Return q(lat): a²/2 × Δlon × (q(north) − q(south)) is the area of a lon/lat rectangle (Snyder 1987, eq. 3-12)."""
    s = math.sin(math.radians(lat))
    es = ECCENTRICITY * s
    return (1 - ECCENTRICITY_2) * (s / (1 - es * es) - math.log((1 - es) / (1 + es)) / (2 * ECCENTRICITY))


def rectangle_ha(west: float, south: float, east: float, north: float) -> float:
    """Return the area (ha) of a rectangle bounded by two meridians and two parallels, in degrees."""
    return SEMI_MAJOR_M**2 / 2 * math.radians(east - west) * (authalic_q(north) - authalic_q(south)) / M2_PER_HA


def ring_ha(ring: Ring) -> float:
    """Return the area (ha, always positive) of a ring whose edges are straight in lon/lat: Green's theorem, Gauss quadrature."""
    base = authalic_q(ring[0][1])  # keeps the sum small, so that no digits are lost
    total = 0.0
    for (lon0, lat0), (lon1, lat1) in zip(ring, [*ring[1:], ring[0]]):
        mean = sum(w * (authalic_q(lat0 + t * (lat1 - lat0)) - base) for t, w in _GAUSS)
        total += math.radians(lon1 - lon0) * mean
    return abs(SEMI_MAJOR_M**2 / 2 * total) / M2_PER_HA


def planar_area(ring: Ring) -> float:
    """Return the shoelace area of a ring, always positive; measured from its first corner, so that no digits are lost."""
    x, y = ring[0]
    near = [(px - x, py - y) for px, py in ring]
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(near, [*near[1:], near[0]]))) / 2


def _keep(ring: Ring, axis: int, bound: float, above: bool) -> list[Point]:
    """Clip a ring to one side of an axis-parallel line (one step of Sutherland and Hodgman 1974)."""
    result: list[Point] = []
    for p, q in zip(ring, [*ring[1:], *ring[:1]]):
        p_in = p[axis] >= bound if above else p[axis] <= bound
        q_in = q[axis] >= bound if above else q[axis] <= bound
        if p_in:
            result.append(p)
        if p_in != q_in:
            t = (bound - p[axis]) / (q[axis] - p[axis])
            other = p[1 - axis] + t * (q[1 - axis] - p[1 - axis])
            result.append((bound, other) if axis == 0 else (other, bound))
    return result


def cell_shares(ring: Ring) -> dict[tuple[int, int], float]:
    """Return {(row, column): covered share 0..1} of unit cells for a ring given in (column, row) coordinates."""
    shares: dict[tuple[int, int], float] = {}
    rows = [y for _, y in ring]
    for row in range(math.floor(min(rows)), math.ceil(max(rows))):
        strip = _keep(_keep(ring, 1, row, True), 1, row + 1, False)
        if len(strip) < 3:
            continue
        columns = [x for x, _ in strip]
        for column in range(math.floor(min(columns)), math.ceil(max(columns))):
            piece = _keep(_keep(strip, 0, column, True), 0, column + 1, False)
            share = planar_area(piece) if len(piece) >= 3 else 0.0
            if share > 0:
                shares[row, column] = share
    return shares


def contains(ring: Ring, point: Point) -> bool:
    """Tell whether a point lies inside a ring (crossing number)."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]]):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
    return inside
