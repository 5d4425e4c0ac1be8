"""Collecting kernels by grid while a statistic is planned, and finding each one's answer again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.zonal.cell_area import ground_cell_size
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.grids import extended
from epoch_plugin.core.zonal.kernel import CellKernel
from epoch_plugin.core.zonal.plan import block_shape
from epoch_plugin.core.zonal.rings import Floats, middle_of

SAME_SIZE = 1e-6  # relative: cells that differ by less are equally fine


@dataclass(frozen=True)
class Place:
    """Where a kernel's answer will be found: number of the task and of the kernel in it."""

    task: int
    kernel: int


class TaskBook:
    """Kernels by grid, in the order in which they are added."""

    def __init__(self) -> None:
        """Start empty."""
        self._kernels: dict[Grid, list[CellKernel]] = {}
        self._layers: dict[Grid, RasterLayer] = {}

    def add(self, layer: RasterLayer, kernel: CellKernel, grid: Grid | None = None) -> Place:
        """Add a kernel to run on a layer's grid (or on `grid`, a widened one) in the layer's blocks; return where its answer will be."""
        grid = grid or layer.grid
        kernels = self._kernels.setdefault(grid, [])
        self._layers.setdefault(grid, layer)
        kernels.append(kernel)
        return Place(list(self._kernels).index(grid), len(kernels) - 1)

    @property
    def tasks(self) -> tuple[GridTask, ...]:
        """Return one task per grid."""
        return tuple(self._task(grid) for grid in self._kernels)

    def _task(self, grid: Grid) -> GridTask:
        tile = self._layers[grid].tiles[0]
        return GridTask(grid, block_shape(tile.block_rows, tile.block_cols), tuple(self._kernels[grid]))


def widened(layer: RasterLayer, boxes: Floats) -> Grid:
    """Return a layer's grid made wide enough for all plots; `boxes` (n, 4: xmin, ymin, xmax, ymax) in degrees."""
    shape = block_shape(layer.tiles[0].block_rows, layer.tiles[0].block_cols)
    box = (*np.nanmin(boxes[:, :2], axis=0).tolist(), *np.nanmax(boxes[:, 2:], axis=0).tolist())
    return extended(layer.grid, box, shape.rows, shape.cols)


def finest(candidates: Sequence[tuple[str, RasterLayer]], boxes: Floats) -> tuple[str, RasterLayer] | None:
    """Return role and layer of the finest raster by the ground size of a cell at the plots' centre; of equally fine ones the first."""
    rasters = [item for item in candidates if item[1].kind == "raster"]
    if not rasters:
        return None
    centre = middle_of(boxes)
    sizes = [ground_cell_size(layer.grid, *centre) for _, layer in rasters]
    limit = min(sizes) * (1 + SAME_SIZE)
    return next(item for item, size in zip(rasters, sizes) if size <= limit)


def describe_grid(role: str, grid: Grid) -> dict[str, Any]:
    """Return an analysis grid for the provenance: who gave it, origin, cell size and extent in cells."""
    return {
        "role": role, "crs": grid.crs, "x0": grid.x0, "y0": grid.y0, "dx": grid.dx, "dy": grid.dy, "columns": grid.ncols, "rows": grid.nrows,
    }  # fmt: skip
