"""Layers of few values: one area per value and plot answers every question but those for cells, in a third of the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.extra_stats import ExtraStat
from epoch_plugin.core.metrics.quantities import Floats, Quantity
from epoch_plugin.core.metrics.shares import M2_PER_HA
from epoch_plugin.core.metrics.zonal_stats.kernel import OPERATORS
from epoch_plugin.core.metrics.zonal_stats.values import by_value, moment
from epoch_plugin.core.zonal.kernel import Array, Cells, CellStates, LayerRead
from epoch_plugin.core.zonal.reduce import StateAreas

COUNTS_CELLS = ("count", "sum")  # kinds that the areas of values cannot tell


@dataclass(frozen=True)
class Ranks:
    """Decodes to the number of a value in `table`, from 1; 0 for no data. Elementwise."""

    decode: Any
    table: tuple[float, ...]

    def __call__(self, raw: Array) -> Array:
        """Return the numbers of raw values."""
        values = self.decode(raw)
        rank = np.where(np.isnan(values), 0, np.searchsorted(np.array(self.table), values) + 1)
        return rank.astype(np.uint8 if len(self.table) < 256 else np.uint16)


@dataclass(frozen=True)
class ValueTableKernel:
    """The state of a cell is the number of its value in `table`, 0 for no data."""

    read: LayerRead
    table: tuple[float, ...]
    stats: tuple[ExtraStat, ...]
    by_values = True

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the layer."""
        return (self.read,)

    def __call__(self, cells: Cells) -> CellStates:
        """Return the numbers as states."""
        return CellStates(cells.values[self.read.key], _numbers(len(self.table) + 1))

    def seen(self, areas: StateAreas, n_plots: int) -> Floats:
        """Return per plot the area (m2) with data."""
        known = areas.states[areas.state, 0] > 0
        return np.asarray(np.bincount(areas.plot[known], areas.area[known], minlength=n_plots), np.float64)

    def summarise(self, areas: StateAreas, n_plots: int) -> Iterator[dict[str, Any]]:
        """Yield {statistic: value} per plot, as `summary.summarise`."""
        number = areas.states[areas.state, 0]
        known = number > 0
        plot, weights, values = areas.plot[known], areas.area[known], np.array(self.table)[number[known] - 1]
        ends = np.searchsorted(plot, np.arange(n_plots), side="right").tolist()
        start = 0
        for end in ends:
            yield {stat.name: _value(stat, values[start:end], weights[start:end]) for stat in self.stats}
            start = end


def table_kernel(quantity: Quantity, stats: Sequence[ExtraStat]) -> ValueTableKernel | None:
    """Return the kernel for a layer of 8-bit whole numbers whose statistics need no cell counts; None for any other."""
    read = quantity.reads[0]
    kinds = {np.dtype(tile.dtype) for tile in read.layer.tiles}
    small = all(kind.kind in "iu" and kind.itemsize == 1 for kind in kinds)
    if len(quantity.reads) > 1 or not small or any(stat.kind in COUNTS_CELLS for stat in stats):
        return None
    values = np.concatenate([read.decode(np.arange(256, dtype=np.uint8).view(kind)) for kind in kinds])
    table = tuple(np.unique(values[~np.isnan(values)]).tolist())
    return ValueTableKernel(replace(read, decode=Ranks(read.decode, table), missing=0), table, tuple(stats))


@lru_cache(maxsize=16)
def _numbers(n: int) -> npt.NDArray[np.int64]:
    return np.arange(n, dtype=np.int64)[:, None]


def _value(stat: ExtraStat, values: Floats, weights: Floats) -> Any:
    """Return one statistic of a plot's values, ascending, and their areas (m2)."""
    if len(values) == 0:
        return None
    if stat.kind == "area":
        return float(weights[OPERATORS[stat.operator](values, stat.threshold)].sum()) / M2_PER_HA
    if stat.kind in ("min", "max"):
        return float(values[0] if stat.kind == "min" else values[-1])
    if stat.kind in ("mean", "std"):
        total = float(weights.sum())
        return moment(stat.kind, total, float((weights * values).sum()), float((weights * values * values).sum()), len(values) == 1)
    return by_value(stat, values, weights)
