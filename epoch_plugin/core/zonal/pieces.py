"""Cells in pieces: stretches of neighbouring cells of one row, which need one number each until somebody asks for every cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.zonal.rings import Ints


class Lengths:
    """Numbers of cells of some pieces, and the way from a number per piece to one per cell."""

    def __init__(self, length: Ints) -> None:
        """Take the lengths (at least 1 each)."""
        self.length = length

    @classmethod
    def single(cls, n: int) -> Lengths:
        """Return the lengths of `n` single cells, without an array for them."""
        return cls(np.broadcast_to(np.int64(1), n))

    @cached_property
    def n_cells(self) -> int:
        """Number of cells of all pieces."""
        return int(self.length.sum())

    @property
    def all_single(self) -> bool:
        """Tell whether every piece is one cell."""
        return self.n_cells == len(self.length)

    @cached_property
    def last(self) -> Ints:
        """Return the number of the first cell behind each piece."""
        return np.cumsum(self.length)

    @cached_property
    def first(self) -> Ints:
        """Return the number of each piece's first cell."""
        return self.last - self.length

    @cached_property
    def piece(self) -> npt.NDArray[np.intp]:
        """Return the number of the piece of every cell."""
        return self._along(np.arange(len(self.length)), 0)

    def first_of(self, pieces: Ints) -> Ints:
        """Return the number of the first cell of some pieces."""
        return pieces if self.all_single else self.first[pieces]

    def of(self, pieces: Ints) -> Lengths:
        """Return the lengths of some pieces."""
        return Lengths.single(len(pieces)) if self.all_single else Lengths(self.length[pieces])

    def steps(self, start: Ints) -> npt.NDArray[np.intp]:
        """Return start, start + 1, ... along each piece."""
        return start if self.all_single else self._along(start, 1)

    def _along(self, start: Ints, step: int) -> npt.NDArray[np.intp]:
        """Sum up steps that jump where a piece begins: the quickest way from pieces to cells."""
        cells = np.full(self.n_cells, step, np.intp)
        if len(start):
            cells[0] = start[0]
            cells[self.first[1:]] = start[1:] - start[:-1] - step * (self.length[:-1] - 1)
        return np.cumsum(cells, out=cells)


@dataclass(frozen=True)
class Pieces:
    """Cells (row, col), (row, col + 1), ... of a lattice; one row and first column per piece."""

    row: Ints
    col: Ints
    lengths: Lengths

    @classmethod
    def single(cls, row: Ints, col: Ints) -> Pieces:
        """Return cells as pieces of one cell each."""
        return cls(row, col, Lengths.single(len(row)))

    def moved(self, rows: int, cols: int) -> Pieces:
        """Return the same cells in a lattice whose origin lies elsewhere."""
        return Pieces(self.row + rows, self.col + cols, self.lengths)

    @cached_property
    def cells(self) -> Pieces:
        """Return the cells one by one."""
        if self.lengths.all_single:
            return self
        return Pieces.single(self.row[self.lengths.piece], self.lengths.steps(self.col))


def begins(*changing: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell at which entries a new stretch of equal ones begins; several columns are equal where all of them are."""
    new = np.ones(len(changing[0]), bool)
    np.not_equal(changing[0][1:], changing[0][:-1], out=new[1:])
    for column in changing[1:]:
        new[1:] |= column[1:] != column[:-1]
    return new


def stretches(*changing: npt.NDArray[Any]) -> Ints:
    """Return where a new stretch of equal entries begins."""
    return np.flatnonzero(begins(*changing))
