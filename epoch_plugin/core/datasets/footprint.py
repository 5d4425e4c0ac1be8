"""How much of the plots the files of a layer cover, and what reading them will cost; both by boxes, without reading a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epoch_plugin.core.datasets.raster import Grid, RasterLayer

METHOD = (
    "Share of the plots' bounding boxes that lies in the files, weighted by plot area; gaps between files count as not covered, "
    "cells without data inside a file do not."
)
Floats = NDArray[np.float64]
CORNERS = 5  # points along each side of a box when it is carried into another CRS


@dataclass(frozen=True)
class PlotBoxes:
    """Bounding boxes (n, 4: west, south, east, north in degrees) and areas (n, any one unit) of the plots' parts."""

    boxes: Floats
    areas: Floats
    plots: int

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of the middle of all boxes."""
        west, south = self.boxes[:, :2].min(axis=0)
        east, north = self.boxes[:, 2:].max(axis=0)
        return float(west + east) / 2, float(south + north) / 2


def plot_boxes(wkbs: Sequence[bytes]) -> PlotBoxes:
    """Return boxes and areas of plots given as WKB in EPSG:4326; per part, as a plot across 180 degrees has parts at both ends."""
    from shapely import wkb

    shapes = [part for item in wkbs for part in _parts(wkb.loads(item))]
    boxes = np.array([shape.bounds for shape in shapes], float).reshape(-1, 4)
    areas = np.array([shape.area for shape in shapes]) * np.cos(np.radians(boxes[:, 1::2].mean(axis=1)))
    return PlotBoxes(boxes, areas, len(wkbs))


def _parts(shape: Any) -> list[Any]:
    return list(getattr(shape, "geoms", [shape]))


def covered_share(plots: PlotBoxes, crs: str, files: Floats) -> float:
    """Return the share (0..1) of the plots that lies in `files` (m, 4: xmin, ymin, xmax, ymax in `crs`, not overlapping)."""
    boxes = boxes_in(plots.boxes, crs)
    size = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-300)
    inside = np.zeros(len(boxes))
    for xmin, ymin, xmax, ymax in files:
        wide = np.minimum(boxes[:, 2], xmax) - np.maximum(boxes[:, 0], xmin)
        high = np.minimum(boxes[:, 3], ymax) - np.maximum(boxes[:, 1], ymin)
        inside += np.clip(wide, 0, None) * np.clip(high, 0, None)
    share = np.where(np.isfinite(size), np.minimum(inside / size, 1.0), 0.0)
    return float(np.average(share, weights=plots.areas)) if plots.areas.sum() > 0 else 0.0


def boxes_in(boxes: Floats, crs: str) -> Floats:
    """Carry boxes from EPSG:4326 into another CRS (inf where it is not defined there)."""
    from pyproj import Transformer

    transform = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    steps = np.linspace(0, 1, CORNERS)
    u, v = (axis.ravel() for axis in np.meshgrid(steps, steps))
    lon = boxes[:, :1] + (boxes[:, 2:3] - boxes[:, :1]) * u
    lat = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * v
    x, y = (np.asarray(axis).reshape(lon.shape) for axis in transform.transform(lon.ravel(), lat.ravel()))
    return np.column_stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)])


def tile_boxes(layer: RasterLayer) -> Floats:
    """Return the outlines of a layer's tiles (m, 4) in its CRS."""
    grid = layer.grid
    rows = []
    for tile in layer.tiles:
        x = grid.x0 + tile.col0 * grid.dx
        y0, y1 = sorted((grid.y0 + tile.row0 * grid.dy, grid.y0 + (tile.row0 + tile.nrows) * grid.dy))
        rows.append((x, y0, x + tile.ncols * grid.dx, y1))
    return np.array(rows, float)


def ground_resolution(grid: Grid, lon: float | None = None, lat: float | None = None) -> float:
    """Return the side (m) of a square as large as a cell on the ellipsoid, at a place or in the middle of the grid."""
    from pyproj import Geod, Transformer

    transform = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    if lon is None or lat is None:
        x, y = grid.x0 + grid.dx * grid.ncols / 2, grid.y0 + grid.dy * grid.nrows / 2
    else:
        x, y = transform.transform(lon, lat, direction="INVERSE")
    ring = [(x, y), (x + grid.dx, y), (x + grid.dx, y + grid.dy), (x, y + grid.dy)]
    lons, lats = zip(*(transform.transform(*corner) for corner in ring))
    return math.sqrt(abs(Geod(ellps="WGS84").polygon_area_perimeter(lons, lats)[0]))


def cells_to_read(plots: PlotBoxes, layer: RasterLayer) -> tuple[float, float]:
    """Return an upper bound of the cells of all blocks that the plots' boxes touch, and of the cells in the boxes themselves."""
    boxes = boxes_in(plots.boxes, layer.grid.crs)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    tile = layer.tiles[0]
    width, height = (boxes[:, 2] - boxes[:, 0]) / layer.grid.dx, (boxes[:, 3] - boxes[:, 1]) / abs(layer.grid.dy)
    blocks = (np.ceil(width / tile.block_cols) + 1) * (np.ceil(height / tile.block_rows) + 1)
    whole = float(sum(t.nrows * t.ncols for t in layer.tiles))
    return min(float(blocks.sum()) * tile.block_cols * tile.block_rows, whole), min(float((width * height).sum()), whole)
