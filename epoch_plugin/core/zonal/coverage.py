"""Exact coverage fractions of many polygons on one grid at once, by signed-area accumulation.

Every edge contributes, to each cell that it crosses, its height there (cover) and the area between it and the cell's
right side (area); the sum of covers to the left of a cell is what the polygon covers of it. All contributions are
rounded to multiples of 2^-52 and added as integers: the fraction of a cell does not depend on the order of the edges,
nor on which other plots, threads or chunks are processed with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.rings import Floats, Ints, Segments

Bools = npt.NDArray[np.bool_]

ONE = float(1 << 52)
NOTHING = int(ONE * 1e-10)  # fractions below are rounding
SLICE = 50_000  # cell pieces handled at once: the temporaries stay in the processor's cache


@dataclass(frozen=True)
class Coverage:
    """Cells crossed by a boundary, and runs of cells between two of them in one row; both sorted by plot, row, column.

    A run carries its own fraction: in a row crossed by an exactly horizontal edge it is not 1.
    """

    cell_plot: Ints
    cell_row: Ints
    cell_col: Ints
    cell_fraction: Floats
    cell_inside: Bools  # is the cell's centre in the plot
    run_plot: Ints
    run_row: Ints
    run_col: Ints  # first column
    run_length: Ints
    run_fraction: Floats
    run_inside: Bools

    @property
    def n_cells(self) -> int:
        """Number of cells touched, over all plots."""
        return len(self.cell_plot) + int(self.run_length.sum())


def coverage(segments: Segments, grid: Grid, row_from: int = 0, row_to: int | None = None, centres: bool = True) -> Coverage:
    """Return the coverage of all plots on rows row_from .. row_to - 1 of `grid`; cells outside the grid are left out.

    Without `centres` it is not worked out which cells have their centre in the plot, and all `inside` are False.
    """
    row_to = grid.nrows if row_to is None else min(row_to, grid.nrows)
    u0, u1 = (segments.x0 - grid.x0) / grid.dx, (segments.x1 - grid.x0) / grid.dx
    v0, v1 = (segments.y0 - grid.y0) / grid.dy, (segments.y1 - grid.y0) / grid.dy
    upright = -1.0 if grid.dy > 0 else 1.0
    keep = (v0 != v1) & (np.maximum(v0, v1) > row_from) & (np.minimum(v0, v1) < row_to) & (np.minimum(u0, u1) < grid.ncols)
    plot = segments.plot
    if not keep.all():
        u0, u1, v0, v1, plot = u0[keep], u1[keep], v0[keep], v1[keep], plot[keep]
    slices = _slices(u0, u1, v0, v1, plot)
    keys = _Keys.of(grid)

    def of_slice(s: slice) -> Coverage:
        return _slice_coverage(u0[s], u1[s], v0[s], v1[s], plot[s], upright, keys, (row_from, row_to), centres)

    return _joined([of_slice(piece) for piece in slices])


@dataclass(frozen=True)
class _Keys:
    """Plot, row and column of a cell in one number, in bit fields: they sort in that order and come apart by shifts."""

    ncols: int
    col_bits: int
    row_bits: int

    @classmethod
    def of(cls, grid: Grid) -> _Keys:
        return cls(grid.ncols, int(grid.ncols).bit_length(), int(grid.nrows).bit_length())

    def join(self, plot_row: Ints, col: Ints) -> Ints:
        return (plot_row << self.col_bits) | col

    def plot_row(self, plot: Ints, row: Ints) -> Ints:
        return (plot << self.row_bits) | row


def _slices(u0: Floats, u1: Floats, v0: Floats, v1: Floats, plot: Ints) -> list[slice]:
    """Cut the edges into slices of whole plots with about SLICE pieces each."""
    if len(plot) == 0:
        return []
    pieces = np.cumsum(np.abs(u1 - u0) + np.abs(v1 - v0) + 2)
    plot_ends = np.flatnonzero(np.r_[plot[1:] != plot[:-1], True]) + 1
    number = (pieces[plot_ends - 1] // SLICE).astype(np.int64)
    cuts = plot_ends[np.flatnonzero(np.r_[number[1:] != number[:-1], True])]
    return [slice(int(a), int(b)) for a, b in zip(np.r_[0, cuts[:-1]], cuts)]


def expanded(counts: Ints) -> tuple[Ints, Ints]:
    """Repeat item i counts[i] times; return the item and the running number within it."""
    ends = np.cumsum(counts)
    n = int(ends[-1]) if len(ends) else 0
    # counting the ends before each entry is three times as fast as np.repeat
    item = np.cumsum(np.bincount(ends[:-1], minlength=n)[:n]) if n else np.zeros(0, np.int64)
    return item, np.arange(n) - (ends - counts)[item]


def _slice_coverage(
    u0: Floats, u1: Floats, v0: Floats, v1: Floats, plot: Ints, upright: float, keys: _Keys, rows: tuple[int, int], centres: bool
) -> Coverage:
    down = v1 > v0
    sign = np.where(down, upright, -upright)
    ua, va, ub, vb = np.where(down, u0, u1), np.where(down, v0, v1), np.where(down, u1, u0), np.where(down, v1, v0)

    first = np.maximum(np.floor(va), rows[0])
    last = np.minimum(np.ceil(vb) - 1, rows[1] - 1)
    i, k = expanded((last - first + 1).astype(np.int64))
    row = first[i] + k
    top, bottom = np.maximum(va[i], row), np.minimum(vb[i], row + 1)
    ua, va, slope, sign = ua[i], va[i], ((ub - ua) / (vb - va))[i], sign[i]
    u_top, u_bottom = ua + (top - va) * slope, ua + (bottom - va) * slope
    plot_row = keys.plot_row(plot[i], row.astype(np.int64))
    j, col, cover, area = _column_pieces(np.minimum(u_top, u_bottom), np.maximum(u_top, u_bottom), (bottom - top) * sign, keys.ncols)
    key = keys.join(plot_row[j], col)
    if not centres:
        return _accumulated(key, cover, area, None, keys)

    centre = row + 0.5
    crossed = np.flatnonzero((top <= centre) & (centre < bottom))
    cross_col = np.ceil(ua[crossed] + (centre[crossed] - va[crossed]) * slope[crossed] - 0.5)
    crossed, cross_col = crossed[cross_col < keys.ncols], cross_col[cross_col < keys.ncols]
    none = np.zeros(len(crossed), np.int64)
    key = np.r_[key, keys.join(plot_row[crossed], np.maximum(cross_col, 0).astype(np.int64))]
    cross = np.r_[np.zeros(len(cover), np.int64), sign[crossed].astype(np.int64)]
    return _accumulated(key, np.r_[cover, none], np.r_[area, none], cross, keys)


def _column_pieces(left: Floats, right: Floats, height: Floats, ncols: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Cut row pieces of edges at columns: (row piece, column, cover, area), the last two in units of 2^-52.

    What lies left of the grid opens the row for column 0 on; what lies right of it is nobody's.
    """
    first = np.maximum(np.floor(left), -1)
    last = np.minimum(np.maximum(np.ceil(right) - 1, first), ncols - 1)
    j, k = expanded(np.maximum(last - first + 1, 0).astype(np.int64))
    col = first[j] + k
    lo, hi = np.where(col < 0, left[j], np.maximum(left[j], col)), np.minimum(right[j], col + 1)
    width = right[j] - left[j]
    with np.errstate(divide="ignore", invalid="ignore"):
        cover = height[j] * np.where(width > 0, (hi - lo) / width, 1.0)
    area = np.where(col < 0, cover, cover * (1.0 - (0.5 * (lo + hi) - col)))
    fixed = (np.rint(cover * ONE).astype(np.int64), np.rint(area * ONE).astype(np.int64))
    return j, np.maximum(col, 0).astype(np.int64), *fixed


def _accumulated(key: Ints, cover: Ints, area: Ints, cross: Ints | None, keys: _Keys) -> Coverage:
    """Add up contributions per cell, then along each row; integers wrap around harmlessly, differences stay right."""
    order = np.argsort(key, kind="stable")
    key = key[order]
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, np.int64)
    if len(start) == 0:
        return _EMPTY
    key = key[start]
    cover, area = np.add.reduceat(cover[order], start), np.add.reduceat(area[order], start)
    col, plot_row = key & ((1 << keys.col_bits) - 1), key >> keys.col_bits
    new_row = np.r_[True, plot_row[1:] != plot_row[:-1]]
    row_number = np.cumsum(new_row) - 1
    after = _running(cover, new_row, row_number)
    if cross is None:
        inside = np.zeros(len(start), bool)
    else:
        inside = _running(np.add.reduceat(cross[order], start), new_row, row_number) > 0
    fraction = after - cover + area

    next_col = np.where(np.r_[new_row[1:], True], keys.ncols, np.r_[col[1:], 0])  # an open row runs to the grid's edge
    length = next_col - col - 1
    cells, runs = fraction > NOTHING, (length > 0) & (after > NOTHING)
    plot, row = plot_row >> keys.row_bits, plot_row & ((1 << keys.row_bits) - 1)
    return Coverage(
        plot[cells], row[cells], col[cells], np.minimum(fraction[cells] / ONE, 1.0), inside[cells],
        plot[runs], row[runs], col[runs] + 1, length[runs], np.minimum(after[runs] / ONE, 1.0), inside[runs],
    )  # fmt: skip


def _running(values: Ints, new_row: Bools, row_number: Ints) -> Ints:
    total = np.cumsum(values)
    return total - (total - values)[new_row][row_number]


_NO_INTS = np.zeros(0, np.int64)
_EMPTY = Coverage(
    _NO_INTS, _NO_INTS, _NO_INTS, np.zeros(0), np.zeros(0, bool), _NO_INTS, _NO_INTS, _NO_INTS, _NO_INTS, np.zeros(0), np.zeros(0, bool)
)


def _joined(parts: list[Coverage]) -> Coverage:
    if len(parts) < 2:
        return parts[0] if parts else _EMPTY
    names = Coverage.__dataclass_fields__
    return Coverage(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
