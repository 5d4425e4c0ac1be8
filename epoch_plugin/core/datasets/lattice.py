"""Placing the tiles of one layer on a common lattice of cells; pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epoch_plugin.core.datasets.describe import RasterFile
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.errors import DatasetError

CELL_SIZE_TOLERANCE = 1e-6  # relative
ALIGNMENT_TOLERANCE = 0.01  # cells
_EXACT = 1e-3  # cells: offsets below are rounding noise of the written origin, and the files' own cell size is kept

Cells = NDArray[np.int64]


def place(files: Sequence[RasterFile], who: str) -> tuple[Grid, list[tuple[int, int]]]:
    """Return the lattice of all files and each file's (row0, col0) on it; raise `DatasetError` naming the files that do not fit.

    Neighbours may leave gaps, and may overlap by one cell. Where the origins are exact but the cell size was rounded (10 degrees
    written as 37037 x 0.00027), the cell size is refitted to the origins.
    """
    first = files[0]
    for other in files[1:]:
        _check_size(first, other, who)
    dx, cols = _axis([f.x0 for f in files], first.dx, files, who)
    dy, rows = _axis([f.y0 for f in files], first.dy, files, who)
    _check_overlaps(files, rows, cols, who)
    grid = Grid(
        crs=first.crs,
        x0=files[int(np.argmin(cols))].x0,
        y0=files[int(np.argmin(rows))].y0,
        dx=dx,
        dy=dy,
        ncols=max(int(col) + f.ncols for col, f in zip(cols, files)),
        nrows=max(int(row) + f.nrows for row, f in zip(rows, files)),
    )
    return grid, [(int(row), int(col)) for row, col in zip(rows, cols)]


def _check_size(first: RasterFile, other: RasterFile, who: str) -> None:
    for ours, theirs in ((first.dx, other.dx), (first.dy, other.dy)):
        if abs(theirs - ours) > CELL_SIZE_TOLERANCE * abs(ours):
            raise DatasetError(f"{who}: the tiles {first.path} and {other.path} differ in cell size ({ours!r} and {theirs!r}); bind them as "
                               "entries of their own, or bring them to one grid with gdalwarp -r near.")  # fmt: skip


def _axis(origins: Sequence[float], step: float, files: Sequence[RasterFile], who: str) -> tuple[float, Cells]:
    """Return the cell size of one axis and the first cell of each file, the smallest being 0."""
    values, which = np.unique(np.asarray(origins, float), return_inverse=True)
    if step < 0:
        values, which = values[::-1], len(values) - 1 - which
    # from neighbour to neighbour, so that a rounded cell size does not add up to half a cell over a continent
    cells = np.concatenate([[0], np.cumsum(np.round(np.diff(values) / step))])
    offset = np.abs((values - values[0]) / step - cells)
    if offset.max() > _EXACT and cells[-1] > 0:
        fitted = float((values[-1] - values[0]) / cells[-1])
        if abs(fitted - step) <= 2 * CELL_SIZE_TOLERANCE * abs(step):
            step = fitted
            offset = np.abs((values - values[0]) / step - cells)
    if offset.max() > ALIGNMENT_TOLERANCE:
        bad = files[int(np.flatnonzero(which.ravel() == int(np.argmax(offset)))[0])]
        near = files[int(np.flatnonzero(which.ravel() == 0)[0])]
        raise DatasetError(f"{who}: the cells of {bad.path} do not lie on those of {near.path} (off by {offset.max():.3g} of a cell); bring the "
                           "tiles to one grid with gdalwarp -r near -tap.")  # fmt: skip
    return step, cells[which.ravel()].astype(np.int64)


def _check_overlaps(files: Sequence[RasterFile], rows: Cells, cols: Cells, who: str) -> None:
    bottom = rows + np.array([f.nrows for f in files])
    right = cols + np.array([f.ncols for f in files])
    for i in range(len(files) - 1):
        high = np.minimum(bottom[i], bottom[i + 1 :]) - np.maximum(rows[i], rows[i + 1 :])
        wide = np.minimum(right[i], right[i + 1 :]) - np.maximum(cols[i], cols[i + 1 :])
        bad = np.flatnonzero((high > 1) & (wide > 1))
        if bad.size:
            j = int(bad[0])
            raise DatasetError(f"{who}: the tiles {files[i].path} and {files[i + 1 + j].path} overlap by {wide[j]} x {high[j]} cells; keep one of "
                               "them, or narrow the pattern. Tiles of different years or versions belong to entries of their own.")  # fmt: skip
