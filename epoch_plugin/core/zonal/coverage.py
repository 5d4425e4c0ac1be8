"""Exact coverage fractions of many polygons on one grid at once, by signed-area accumulation.

Every edge contributes, to each cell that it crosses, its height there (cover) and the area between it and the cell's
right side (area); the sum of covers to the left of a cell is what the polygon covers of it. All contributions are
rounded to multiples of 2^-52 and added as integers: the fraction of a cell does not depend on the order of the edges,
nor on which other plots, threads or chunks are processed with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.pieces import begins
from epoch_plugin.core.zonal.rings import Floats, Ints, Segments

Bools = npt.NDArray[np.bool_]
Shorts = npt.NDArray[np.int32]

ONE = float(1 << 52)
NOTHING = int(ONE * 1e-10)  # fractions below are rounding
SLICE = 50_000  # cell pieces handled at once: the temporaries stay in the processor's cache


@dataclass(frozen=True)
class Coverage:
    """Cells crossed by a boundary, and runs of cells between two of them in one row; both sorted by plot, row, column.

    A run carries its own fraction: in a row crossed by an exactly horizontal edge it is not 1. Whole numbers have 32 bits:
    there are millions, and no plot, row or column needs more.
    """

    cell_plot: Shorts
    cell_row: Shorts
    cell_col: Shorts
    cell_fraction: Floats
    cell_inside: Bools  # is the cell's centre in the plot
    run_plot: Shorts
    run_row: Shorts
    run_col: Shorts  # first column
    run_length: Shorts
    run_fraction: Floats
    run_inside: Bools

    @property
    def n_cells(self) -> int:
        """Number of cells touched, over all plots."""
        return len(self.cell_plot) + int(self.run_length.sum(dtype=np.int64))


def coverage(segments: Segments, grid: Grid, row_from: int = 0, row_to: int | None = None, centres: bool = True) -> Coverage:
    """Return the coverage of all plots on rows row_from .. row_to - 1 of `grid`; cells outside the grid are left out.

    Without `centres` it is not worked out which cells have their centre in the plot, and all `inside` are False.
    """
    rows = row_from, grid.nrows if row_to is None else min(row_to, grid.nrows)
    keys = _Keys.of(grid)
    return _joined([_slice_coverage(segments, s, grid, rows, keys, centres) for s in _slices(segments, grid)])


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


def _slices(segments: Segments, grid: Grid) -> list[slice]:
    """Cut the edges into slices of whole plots with about SLICE pieces each."""
    ends = segments.plot_ends
    if len(ends) == 0:
        return []
    across, along = segments.travelled
    number = ((across / grid.dx + along / abs(grid.dy) + 2 * ends) // SLICE).astype(np.int64)
    cuts = ends[np.append(number[1:] != number[:-1], True)].tolist()
    return [slice(a, b) for a, b in zip([0, *cuts], cuts)]


def expanded(counts: Ints) -> tuple[Ints, Ints]:
    """Repeat item i counts[i] times; return the item and the running number within it."""
    ends = np.cumsum(counts)
    n = int(ends[-1]) if len(ends) else 0
    # counting the ends before each entry is three times as fast as np.repeat
    item = np.cumsum(np.bincount(ends[:-1], minlength=n)[:n]) if n else np.zeros(0, np.int64)
    return item, np.arange(n) - (ends - counts)[item]


def _spread(further: Floats, *columns: npt.NDArray[Any]) -> tuple[Floats, tuple[npt.NDArray[Any], ...]]:
    """Repeat each item `further` times more, behind all items; return the number within the item, from 0, and the repeated columns.

    Most items are not repeated at all: they stay where they are.
    """
    many = np.flatnonzero(further)
    item, k = expanded(further[many].astype(np.int64))
    item = many[item]
    return np.concatenate([np.zeros(len(further)), k + 1.0]), tuple(np.concatenate([column, column[item]]) for column in columns)


def _slice_coverage(segments: Segments, s: slice, grid: Grid, rows: tuple[int, int], keys: _Keys, centres: bool) -> Coverage:
    upright = -1.0 if grid.dy > 0 else 1.0
    v0, v1 = (segments.y0[s] - grid.y0) / grid.dy, (segments.y1[s] - grid.y0) / grid.dy
    u0, u1 = (segments.x0[s] - grid.x0) / grid.dx, (segments.x1[s] - grid.x0) / grid.dx
    plot = segments.plot[s]
    here = (v0 != v1) & (np.maximum(v0, v1) > rows[0]) & (np.minimum(v0, v1) < rows[1])
    if not here.all():
        u0, u1, v0, v1, plot = u0[here], u1[here], v0[here], v1[here], plot[here]
    down = v1 > v0
    va, vb = np.minimum(v0, v1), np.maximum(v0, v1)
    ua, slope, sign = np.where(down, u0, u1), (u1 - u0) / (v1 - v0), np.where(down, upright, -upright)
    first = np.maximum(np.floor(va), rows[0])
    last = np.minimum(np.ceil(vb), rows[1]) - 1
    k, (va, vb, ua, slope, sign, row, plot_row) = _spread(
        last - first, va, vb, ua, slope, sign, first, keys.plot_row(plot, first.astype(np.int64))
    )  # fmt: skip
    row += k
    plot_row += k.astype(np.int64)
    top, bottom = np.maximum(va, row), np.minimum(vb, row + 1)
    u_top, u_bottom = ua + (top - va) * slope, ua + (bottom - va) * slope
    key, cover, area = _column_pieces(np.minimum(u_top, u_bottom), np.maximum(u_top, u_bottom), (bottom - top) * sign, plot_row, keys)
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


def _column_pieces(left: Floats, right: Floats, height: Floats, plot_row: Ints, keys: _Keys) -> tuple[Ints, Ints, Ints]:
    """Cut row pieces of edges at columns: (key, cover, area), the last two in units of 2^-52.

    What lies left of the grid opens the row for column 0 on; what lies right of it is nobody's.
    """
    first = np.floor(left)
    if len(first) and first.max() >= keys.ncols:
        near = first < keys.ncols
        left, right, height, plot_row, first = left[near], right[near], height[near], plot_row[near], first[near]
    np.maximum(first, -1.0, out=first)
    last = np.minimum(np.maximum(np.ceil(right) - 1.0, first), keys.ncols - 1.0)
    k, (left, right, width, height, col, plot_row) = _spread(last - first, left, right, right - left, height * ONE, first, plot_row)
    col += k
    end = col + 1.0
    lo, hi = np.maximum(left, col), np.minimum(right, end)
    outside = np.flatnonzero(col < 0)
    lo[outside] = left[outside]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (hi - lo) / width
    share[width == 0] = 1.0
    cover = height * share
    area = cover * (end - 0.5 * (lo + hi))
    area[outside], col[outside] = cover[outside], 0.0
    return keys.join(plot_row, col.astype(np.int64)), _fixed(cover), _fixed(area)


def _fixed(values: Floats) -> Ints:
    return np.rint(values).astype(np.int64)


def _accumulated(key: Ints, cover: Ints, area: Ints, cross: Ints | None, keys: _Keys) -> Coverage:
    """Add up contributions per cell, then along each row; integers wrap around harmlessly, differences stay right."""
    if len(key) == 0:
        return _EMPTY
    order = np.argsort(key, kind="stable")  # quickest for what is in order in parts, as edges are that follow one another
    key = key[order]
    new = begins(key)
    last = np.flatnonzero(np.append(new[1:], True))  # contribution to each cell
    key = key[last]
    col, plot_row = key & ((1 << keys.col_bits) - 1), key >> keys.col_bits
    new_row = begins(plot_row)
    row_number = np.cumsum(new_row) - 1

    def sums(values: Ints) -> tuple[Ints, Ints]:
        """Return the sum of all contributions before each cell, and with it."""
        until = np.cumsum(values[order])[last]
        before = np.empty_like(until)
        before[0], before[1:] = 0, until[:-1]
        return before, until

    def along_row(values: Ints) -> tuple[Ints, Ints]:
        """Return the sum along each row before each cell, and with it."""
        before, until = sums(values)
        base = before[new_row][row_number]
        return before - base, until - base

    cover_before, cover_after = along_row(cover)
    area_before, area_until = sums(area)
    inside = np.zeros(len(key), bool) if cross is None else along_row(cross)[1] > 0
    fraction = cover_before + (area_until - area_before)

    next_col = np.full(len(col), keys.ncols)  # an open row runs to the grid's edge
    np.copyto(next_col[:-1], col[1:], where=~new_row[1:])
    length = next_col - col - 1
    cells, runs = np.flatnonzero(fraction > NOTHING), np.flatnonzero((length > 0) & (cover_after > NOTHING))
    plot, row = (plot_row >> keys.row_bits).astype(np.int32), (plot_row & ((1 << keys.row_bits) - 1)).astype(np.int32)
    col, length = col.astype(np.int32), length.astype(np.int32)
    return Coverage(
        plot[cells], row[cells], col[cells], np.minimum(fraction[cells] / ONE, 1.0), inside[cells],
        plot[runs], row[runs], col[runs] + 1, length[runs], np.minimum(cover_after[runs] / ONE, 1.0), inside[runs],
    )  # fmt: skip


_NONE = np.zeros(0, np.int32)
_EMPTY = Coverage(_NONE, _NONE, _NONE, np.zeros(0), np.zeros(0, bool), _NONE, _NONE, _NONE, _NONE, np.zeros(0), np.zeros(0, bool))


def _joined(parts: list[Coverage]) -> Coverage:
    if len(parts) < 2:
        return parts[0] if parts else _EMPTY
    names = Coverage.__dataclass_fields__
    return Coverage(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
