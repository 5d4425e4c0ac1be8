"""Which cells of a grid which plots touch, sorted into blocks and groups of blocks that are worked on together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.coverage import Bools, Coverage, Shorts, expanded
from epoch_plugin.core.zonal.hilbert import hilbert_index
from epoch_plugin.core.zonal.kernel import Array
from epoch_plugin.core.zonal.pieces import Lengths, Pieces, stretches
from epoch_plugin.core.zonal.rings import Floats, Ints
from epoch_plugin.core.zonal.weights import ROWS_TOGETHER


@dataclass(frozen=True)
class Portion:
    """How much is worked on together at most."""

    blocks: int  # in a group, which is one block at least
    cells: int  # in a group
    band: int  # cells that are planned together, about


# Of one layer at a time: many small arrays would cost the interpreter's time, and those of 4 MB on get huge pages.
ONE_LAYER = Portion(64, 550_000, 12_000_000)
SEVERAL_LAYERS = Portion(16, 125_000, 5_000_000)


@dataclass(frozen=True)
class BlockShape:
    """Size of the blocks in which partial sums are made: a property of the grid alone, so that sums never change."""

    rows: int
    cols: int


@dataclass(frozen=True)
class Group:
    """The touched cells of some blocks, in pieces that no block's edge cuts and whose cells have one fraction.

    Block after block; in a block boundary cells (pieces of one cell) come before interior runs, both by plot, row and column.
    A part is a stretch of pieces of equal (block, plot, boundary or interior); each part is summed by itself.
    """

    pieces: Pieces
    fraction: Floats  # per piece
    inside: Bools  # per piece
    part: Ints  # number of each piece's part
    part_plot: Ints
    part_order: Ints  # by which the parts of a plot are added up: 2 * block (+ 1 for interior runs)

    @property
    def lengths(self) -> Lengths:
        """Return the way from pieces to cells."""
        return self.pieces.lengths

    @cached_property
    def cell_part(self) -> Ints:
        """Return the number of each cell's part."""
        return self.part[self.lengths.piece]

    @cached_property
    def cell_fraction(self) -> Floats:
        """Return the covered fraction of each cell."""
        return self.fraction[self.lengths.piece]

    @cached_property
    def cell_inside(self) -> Bools:
        """Tell which cells have their centre in the plot."""
        return self.inside[self.lengths.piece]

    @cached_property
    def cuts(self) -> Ints:
        """Return the pieces with which a part begins, or further rows of it that are summed by themselves."""
        return stretches(self.part, self.pieces.row // ROWS_TOGETHER)


def empty_group() -> Group:
    """Return a group without cells."""
    none = np.zeros(0, np.int64)
    return Group(Pieces.single(none, none), np.zeros(0), np.zeros(0, bool), none, none, none)


def block_shape(block_rows: int, block_cols: int) -> BlockShape:
    """Choose the blocks of a grid from the file's own: as they are where they are tiles, else 512 x 512."""
    if 64 <= block_rows <= 2048 and 64 <= block_cols <= 2048:
        return BlockShape(block_rows, block_cols)
    return BlockShape(512, 512)


class Plan:
    """The coverage of a chunk of plots, cut at block edges and dealt out to groups along a Hilbert curve."""

    def __init__(self, covered: Coverage, grid: Grid, shape: BlockShape, portion: Portion = SEVERAL_LAYERS) -> None:
        """Sort `covered` by block and deal it out to groups of at most `portion`; memory is proportional to boundary cells and runs, not to cells."""
        across = -(-grid.ncols // shape.cols)
        run, block_col, col, length = _cut_runs(covered, shape)
        order_of = np.r_[
            (covered.cell_row // shape.rows * np.int64(across) + covered.cell_col // shape.cols) * 2,
            ((covered.run_row // shape.rows * np.int64(across))[run] + block_col) * 2 + 1,
        ]
        lengths = np.r_[np.ones(len(covered.cell_plot), np.int32), length]
        rank, self._order, self._groups = _deal(order_of, lengths, across, portion)
        del order_of
        order = np.argsort(rank, kind="stable")
        self._rank = rank[order]
        self._bounds = np.searchsorted(self._rank, self._groups)
        self._length = lengths[order]
        self._plot, self._row, self._fraction, self._inside = (
            np.concatenate([of_cells, of_runs[run]])[order]
            for of_cells, of_runs in (
                (covered.cell_plot, covered.run_plot), (covered.cell_row, covered.run_row),
                (covered.cell_fraction, covered.run_fraction), (covered.cell_inside, covered.run_inside),
            )
        )  # fmt: skip
        self._col = np.concatenate([covered.cell_col, col])[order]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self._groups) - 1

    def group(self, number: int) -> Group:
        """Return one group."""
        here = slice(int(self._bounds[number]), int(self._bounds[number + 1]))
        rank, plot = self._rank[here], self._plot[here].astype(np.int64)
        first = stretches(rank, plot)
        part = np.zeros(len(plot), np.int64)
        part[first[1:]] = 1
        row, col, length = (column[here].astype(np.int64) for column in (self._row, self._col, self._length))
        return Group(
            Pieces(row, col, Lengths(length)), self._fraction[here], self._inside[here],
            np.cumsum(part, out=part), plot[first], self._order[rank[first]],
        )  # fmt: skip


def _cut_runs(covered: Coverage, shape: BlockShape) -> tuple[Ints, Shorts, Shorts, Shorts]:
    """Cut runs at block edges; return of each piece its run, the column of its block, its first column and its length."""
    first_block = covered.run_col // shape.cols
    end = covered.run_col + covered.run_length
    run, k = expanded((end - 1) // shape.cols - first_block + 1)
    block_col = first_block[run] + k.astype(np.int32)
    first = np.maximum(covered.run_col[run], block_col * shape.cols)
    return run, block_col, first, np.minimum(end[run], (block_col + 1) * shape.cols) - first


def _deal(order_of: Ints, lengths: Shorts, across: int, portion: Portion) -> tuple[Array, Ints, Ints]:
    """Deal the touched blocks, along a Hilbert curve, into groups of bounded numbers of blocks and cells.

    Returns for each piece the rank by which it is sorted, which of `order_of` each rank stands for, and the first rank of
    every group, with the end behind the last.
    """
    first = stretches(order_of)  # pieces come plot by plot, many of one block in a row
    if len(first) == 0:
        return order_of, order_of, np.zeros(1, np.int64)
    stretch_order, stretch_length = order_of[first], np.diff(np.r_[first, len(order_of)])
    blocks, where = np.unique(stretch_order // 2, return_inverse=True)
    where = where.reshape(-1)
    cells = np.bincount(where, np.add.reduceat(lengths, first, dtype=np.int64))
    row, col = blocks // across, blocks % across
    side = 1 << int(max(row.max(), col.max(), 1)).bit_length()
    along = np.argsort(hilbert_index((col + 0.5) / side, (row + 0.5) / side), kind="stable")
    rank = np.empty(len(blocks), np.int64)
    rank[along] = np.arange(len(blocks))
    # numpy sorts 16-bit numbers by radix, the fastest that there is
    ranks = (rank[where] * 2 + (stretch_order & 1)).astype(np.uint16 if len(blocks) <= 1 << 15 else np.int64)
    order = np.repeat(blocks[along] * 2, 2)
    order[1::2] += 1
    return np.repeat(ranks, stretch_length), order, 2 * np.array(_cuts(cells[along].tolist(), portion), np.int64)


def _cuts(cells: list[float], portion: Portion) -> list[int]:
    """Return where groups of blocks begin, and their number, so that each has at most so many blocks and cells (or is one block)."""
    cuts, load = [0], 0.0
    for i, here in enumerate(cells):
        if i > cuts[-1] and (i - cuts[-1] == portion.blocks or load + here > portion.cells):
            cuts.append(i)
            load = 0.0
        load += here
    return [*cuts, len(cells)]
