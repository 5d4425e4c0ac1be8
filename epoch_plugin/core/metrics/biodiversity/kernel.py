"""The cell kernel of biodiversity: heights of every year, their mean, and for the scored year Rao's Q and connectivity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.zonal.kernel import Cells, CellValues, LayerRead


@dataclass(frozen=True)
class BiodiversityKernel:
    """Answers, in this order: the mean of the years' heights, each year's height, Rao's Q, connectivity (the last two only with a scored year)."""

    heights: tuple[LayerRead, ...]
    rao: LayerRead | None
    connectivity: LayerRead | None

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the years' heights and the focal reads of the scored year."""
        return (*self.heights, *(read for read in (self.rao, self.connectivity) if read is not None))

    def __call__(self, cells: Cells) -> tuple[CellValues, ...]:
        """Return the values of every cell, NaN for no data."""
        values = [np.asarray(cells.values[read.key], np.float64) for read in self.reads]
        total, count = np.zeros(len(cells)), np.zeros(len(cells))
        for height in values[: len(self.heights)]:
            known = ~np.isnan(height)
            total[known] += height[known]
            count += known
        mean = np.divide(total, count, out=np.full(len(cells), np.nan), where=count > 0)
        return (CellValues(mean), *(CellValues(value) for value in values))
