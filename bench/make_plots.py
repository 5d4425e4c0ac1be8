"""Plots: 99 % smallholders of 0.3 to 5 ha in clusters, 1 % estates of 100 to 3,000 ha; 2 % in two parts, 1 % with a hole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.stack import METRES_PER_DEGREE, NORTH, WEST

Floats = npt.NDArray[np.float64]
SEED = 7
CLUSTERS = 120
SPREAD_M = 3_000.0
MARGIN = 0.06  # degrees between the landscape's edge and the nearest cluster
ESTATES, TWO_PARTS, HOLES = 0.01, 0.02, 0.01


def write_plots(path: Path, count: int, degrees: float) -> None:
    """Write `count` plots with id, farmer and area class as GeoPackage."""
    from osgeo import ogr, osr

    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    partial = path.with_name(f"partial_{path.name}")
    partial.unlink(missing_ok=True)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(partial))
    layer = source.CreateLayer("plots", reference, ogr.wkbMultiPolygon, ["SPATIAL_INDEX=NO"])
    for name in ("plotId", "clientId", "farmer"):
        layer.CreateField(ogr.FieldDefn(name, ogr.OFTString))
    layer.StartTransaction()
    for number, rings in enumerate(plots(count, degrees), start=1):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["plotId"], feature["clientId"], feature["farmer"] = f"P{number:07d}", f"C{number % 97:02d}", f"F{number // 3:06d}"
        feature.SetGeometryDirectly(_geometry(rings))
        layer.CreateFeature(feature)
    layer.CommitTransaction()
    del feature, layer, source
    partial.rename(path)


def plots(count: int, degrees: float) -> Iterator[list[list[Floats]]]:
    """Yield plots as parts of rings (degrees); the first plots are the same however many are asked for."""
    rng = np.random.default_rng(SEED)
    margin = min(MARGIN, degrees / 4)
    low, high = np.array([WEST, NORTH - degrees]) + margin, np.array([WEST + degrees, NORTH]) - margin
    centres = rng.uniform(low, high, (CLUSTERS, 2))
    for _ in range(count):
        if rng.random() < ESTATES:
            hectares, corners = float(np.exp(rng.uniform(np.log(100), np.log(3000)))), int(rng.integers(40, 400))
            centre = rng.uniform(low, high)
        else:
            hectares, corners = float(np.clip(np.exp(rng.normal(np.log(1.5), 0.7)), 0.3, 5)), int(rng.integers(6, 61))
            centre = centres[rng.integers(CLUSTERS)] + rng.normal(0, SPREAD_M / METRES_PER_DEGREE, 2)
        yield _plot(rng, centre, hectares, corners, rng.random())


def _plot(rng: np.random.Generator, centre: Floats, hectares: float, corners: int, kind: float) -> list[list[Floats]]:
    radius = _radius(rng, corners)
    outer = _ring(centre, hectares, radius)
    if kind < HOLES:
        return [[outer, _ring(centre, hectares * 0.02, np.full(8, 1.0))[::-1]]]
    if kind < HOLES + TWO_PARTS:
        away = 2.5 * np.sqrt(hectares * 1e4 / np.pi) / METRES_PER_DEGREE
        return [[_ring(centre, hectares * 0.7, np.full(corners, 1.0))], [_ring(centre + np.array([away, 0.0]), hectares * 0.3, np.full(12, 1.0))]]
    return [[outer]]


def _radius(rng: np.random.Generator, corners: int) -> Floats:
    """Return the distance of each corner from the centre: a smooth random outline that a ray from the centre meets once."""
    rough = np.convolve(rng.normal(0, 0.5, corners + 4), np.ones(5) / 5, "valid")
    stretch = rng.uniform(0.7, 1.0) + rng.uniform(0, 0.5) * np.cos(2 * (np.arange(corners) * 2 * np.pi / corners - rng.uniform(0, np.pi))) ** 2
    return np.asarray(np.exp(rough.clip(-0.8, 0.8)) * stretch, np.float64)


def _ring(centre: Floats, hectares: float, radius: Floats) -> Floats:
    """Return a closed counter-clockwise ring of so many hectares (to about a percent)."""
    angle = np.arange(len(radius)) * 2 * np.pi / len(radius)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    area = 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
    size = np.sqrt(hectares * 1e4 / area) / METRES_PER_DEGREE
    ring = np.c_[centre[0] + x * size / np.cos(np.radians(centre[1])), centre[1] + y * size]
    return np.r_[ring, ring[:1]]


def _geometry(parts: list[list[Floats]]) -> Any:
    from osgeo import ogr

    multi = ogr.Geometry(ogr.wkbMultiPolygon)
    for rings in parts:
        polygon = ogr.Geometry(ogr.wkbPolygon)
        for ring in rings:
            line = ogr.Geometry(ogr.wkbLinearRing)
            for x, y in ring.tolist():
                line.AddPoint_2D(x, y)
            polygon.AddGeometryDirectly(line)
        multi.AddGeometryDirectly(polygon)
    return multi
