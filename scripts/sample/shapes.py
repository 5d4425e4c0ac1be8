"""Plots as they are assessed: polygons, and circles around points."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from pyproj import Geod

from scripts.sample.grids import ANALYSIS, Lattice
from scripts.sample.ground import M2_PER_HA, Ring, cell_shares, contains, ring_ha


@dataclass(frozen=True)
class Shape:
    """A plot as it is assessed: rings of (lon, lat), holes after each outer ring, and its area (declared for points)."""

    parts: tuple[tuple[Ring, ...], ...]
    area: float
    assumed: bool = False

    def weights(self, lattice: Lattice) -> dict[tuple[int, int], float]:
        """Return {(row, column): ha}: covered share × area of the cell on the ellipsoid."""
        total: dict[tuple[int, int], float] = defaultdict(float)
        for rings in self.parts:
            for position, ring in enumerate(rings):
                sign = 1 if position == 0 else -1
                for cell, share in cell_shares([lattice.to_cells(*p) for p in ring]).items():
                    total[cell] += sign * share * lattice.cell_ha(cell[0])
        return {cell: ha for cell, ha in sorted(total.items()) if ha > 1e-15}

    def holds(self, column: float, row: float) -> bool:
        """Tell whether a position in analysis cells lies inside (in an outer ring and in none of its holes)."""
        for outer, *holes in self.parts:
            cells = [[ANALYSIS.to_cells(*p) for p in ring] for ring in (outer, *holes)]
            if contains(cells[0], (column, row)) and not any(contains(hole, (column, row)) for hole in cells[1:]):
                return True
        return False


def polygon(parts: tuple[tuple[Ring, ...], ...]) -> Shape:
    """Return the shape of polygons in degrees; its area is, by definition (METHODS section 1), pyproj's geodesic one."""
    geod = Geod(ellps="WGS84")
    signed = [(1 if position == 0 else -1, zip(*ring)) for rings in parts for position, ring in enumerate(rings)]
    return Shape(parts, sum(sign * abs(geod.polygon_area_perimeter(*corners)[0]) for sign, corners in signed) / M2_PER_HA)


def geodesic_circle(lon: float, lat: float, area: float, assumed: bool) -> Shape:
    """Return the 64-gon of METHODS section 1: corners equally far on the ellipsoid, the first due north, geodesic area as declared."""
    geod = Geod(ellps="WGS84")
    radius = math.sqrt(area * M2_PER_HA / math.pi)
    for _ in range(6):
        corners = [geod.fwd(lon, lat, 360 * k / 64, radius)[:2] for k in range(64)]
        radius *= math.sqrt(area * M2_PER_HA / abs(geod.polygon_area_perimeter(*zip(*corners))[0]))
    return Shape(((tuple(corners),),), area, assumed)


def circle(lon: float, lat: float, area: float, assumed: bool) -> Shape:
    """Return a 64-gon of the given area (ha) around a point; where its corners point does not matter to the truth."""
    ring: list[tuple[float, float]] = []
    radius = math.sqrt(area * M2_PER_HA / math.pi) / 110_600  # degrees of latitude, to start with
    for _ in range(6):
        turns = [2 * math.pi * k / 64 for k in range(64)]
        ring = [(lon + radius * math.cos(t) / math.cos(math.radians(lat)), lat + radius * math.sin(t)) for t in turns]
        radius *= math.sqrt(area / ring_ha(ring))
    return Shape(((ring,),), area, assumed)
