"""Which cells of a grid which plots touch, sorted into blocks and groups of blocks that are worked on together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.coverage import Bools, Coverage, expanded
from epoch_plugin.core.zonal.hilbert import hilbert_index
from epoch_plugin.core.zonal.rings import Floats, Ints

BLOCKS_PER_GROUP = 16
CELLS_PER_GROUP = 1_000_000


@dataclass(frozen=True)
class BlockShape:
    """Size of the blocks in which partial sums are made: a property of the grid alone, so that sums never change."""

    rows: int
    cols: int


@dataclass(frozen=True)
class Group:
    """The touched cells of some blocks: sorted by block, plot, row, column; interior runs behind boundary cells.

    `part` numbers the stretches of equal (block, plot, boundary or interior); each stretch is summed by itself.
    """

    blocks: Ints
    row: Ints
    col: Ints
    fraction: Floats
    inside: Bools
    part: Ints
    part_plot: Ints
    part_order: Ints  # by which the parts of a plot are added up: 2 * block (+ 1 for interior runs)


def empty_group() -> Group:
    """Return a group without cells."""
    none = np.zeros(0, np.int64)
    return Group(none, none, none, np.zeros(0), np.zeros(0, bool), none, none, none)


def block_shape(block_rows: int, block_cols: int) -> BlockShape:
    """Choose the blocks of a grid from the file's own: as they are where they are tiles, else 512 x 512."""
    if 64 <= block_rows <= 2048 and 64 <= block_cols <= 2048:
        return BlockShape(block_rows, block_cols)
    return BlockShape(512, 512)


class Plan:
    """The coverage of a chunk of plots, cut at block edges and dealt out to groups along a Hilbert curve."""

    def __init__(self, covered: Coverage, grid: Grid, shape: BlockShape) -> None:
        """Sort `covered` by block; memory is proportional to boundary cells and runs, not to cells."""
        self._shape = shape
        self._blocks_across = -(-grid.ncols // shape.cols)
        run, k = _split_counts(covered, shape)
        block_col = covered.run_col[run] // shape.cols + k
        first = np.maximum(covered.run_col[run], block_col * shape.cols)
        last = np.minimum(covered.run_col[run] + covered.run_length[run], (block_col + 1) * shape.cols)
        self._cells = _Sorted.of(
            self._block(covered.cell_row, covered.cell_col // shape.cols),
            covered.cell_plot, covered.cell_row, covered.cell_col, np.ones(len(covered.cell_plot), np.int64),
            covered.cell_fraction, covered.cell_inside,
        )  # fmt: skip
        self._runs = _Sorted.of(
            self._block(covered.run_row[run], block_col),
            covered.run_plot[run], covered.run_row[run], first, last - first, covered.run_fraction[run], covered.run_inside[run],
        )  # fmt: skip
        self.group_blocks = self._groups()

    def _block(self, row: Ints, block_col: Ints) -> Ints:
        return (row // self._shape.rows) * self._blocks_across + block_col

    def _groups(self) -> list[Ints]:
        """Deal the touched blocks, along a Hilbert curve, into groups of bounded numbers of blocks and cells."""
        blocks, where = np.unique(np.r_[self._cells.block, self._runs.block], return_inverse=True)
        if len(blocks) == 0:
            return []
        cells = np.bincount(where.reshape(-1), np.r_[self._cells.length, self._runs.length])
        row, col = blocks // self._blocks_across, blocks % self._blocks_across
        side = 1 << int(max(row.max(), col.max(), 1)).bit_length()
        order = np.argsort(hilbert_index((col + 0.5) / side, (row + 0.5) / side), kind="stable")
        groups: list[list[int]] = [[]]
        load = 0
        for i in order:
            if groups[-1] and (len(groups[-1]) == BLOCKS_PER_GROUP or load + cells[i] > CELLS_PER_GROUP):
                groups.append([])
                load = 0
            groups[-1].append(int(blocks[i]))
            load += int(cells[i])
        return [np.array(group, np.int64) for group in groups]

    def group(self, number: int) -> Group:
        """Expand one group's cells and runs."""
        blocks = self.group_blocks[number]
        picks = [(source, source.pick(blocks)) for source in (self._cells, self._runs)]
        rows, cols, fractions, insides, parts, plots, orders = [], [], [], [], [], [], []
        n_parts = 0
        for interior, (source, pick) in enumerate(picks):
            if len(pick) == 0:
                continue
            plot, block = source.plot[pick], source.block[pick]
            new = np.r_[True, (plot[1:] != plot[:-1]) | (block[1:] != block[:-1])]
            part = np.cumsum(new) - 1 + n_parts
            item, k = expanded(source.length[pick])
            chosen = pick[item]
            rows.append(source.row[chosen])
            cols.append(source.col[chosen] + k)
            fractions.append(source.fraction[chosen])
            insides.append(source.inside[chosen])
            parts.append(part[item])
            plots.append(plot[new])
            orders.append(block[new] * 2 + interior)
            n_parts = int(part[-1]) + 1
        return Group(blocks, *(np.concatenate(a) for a in (rows, cols, fractions, insides, parts, plots, orders)))


def _split_counts(covered: Coverage, shape: BlockShape) -> tuple[Ints, Ints]:
    last = covered.run_col + covered.run_length - 1
    return expanded(last // shape.cols - covered.run_col // shape.cols + 1)


@dataclass(frozen=True)
class _Sorted:
    """Cells or runs sorted by block; within a block they keep their order by plot, row and column."""

    block: Ints
    plot: Ints
    row: Ints
    col: Ints
    length: Ints
    fraction: Floats
    inside: Bools

    @classmethod
    def of(cls, block: Ints, *columns: Ints | Floats | Bools) -> _Sorted:
        order = np.argsort(block, kind="stable")
        return cls(block[order], *(column[order] for column in columns))  # type: ignore[arg-type]

    def pick(self, blocks: Ints) -> Ints:
        """Return the positions that lie in `blocks`, ascending."""
        low = np.searchsorted(self.block, blocks)
        high = np.searchsorted(self.block, blocks, side="right")
        order = np.argsort(blocks)
        item, k = expanded((high - low)[order])
        return low[order][item] + k
