"""The cell kernel of an extra layer: sums of its values, areas that meet a condition, and the area of each value where one asks for it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.encodings import ContinuousEncoding
from epoch_plugin.core.datasets.extra_stats import ExtraStat
from epoch_plugin.core.metrics.quantities import Floats, Numbers, Quantity
from epoch_plugin.core.zonal.kernel import CellAnswer, CellKeyed, Cells, CellValues, LayerRead

BY_VALUE = ("quantile", "majority", "minority", "variety", "classes")  # kinds that need to know every value
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"==": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt}
SIGN_BIT = np.int64(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class ZonalStatsKernel:
    """Answers with the values, then 1 or 0 per `area` statistic, then the values as keys if a statistic needs each of them."""

    quantity: Quantity
    stats: tuple[ExtraStat, ...]

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the layer, or the layers that are combined."""
        return self.quantity.reads

    @property
    def areas(self) -> tuple[ExtraStat, ...]:
        """Return the `area` statistics, in the order of their answers."""
        return tuple(stat for stat in self.stats if stat.kind == "area")

    @property
    def by_value(self) -> bool:
        """Tell whether the last answer is the area of each value."""
        return any(stat.kind in BY_VALUE for stat in self.stats)

    def __call__(self, cells: Cells) -> tuple[CellAnswer, ...]:
        """Return the answers."""
        values = self.quantity.values(cells)
        answers: list[CellAnswer] = [CellValues(values)]
        for stat in self.areas:
            hit = OPERATORS[stat.operator](values, self._threshold(stat.threshold))
            answers.append(CellValues(np.where(np.isnan(values), np.nan, np.where(hit, 1.0, 0.0))))
        if self.by_value:
            answers.append(CellKeyed(keys_of(values), np.where(np.isnan(values), np.nan, 1.0)))
        return tuple(answers)

    def _threshold(self, threshold: float) -> float:
        """Return a threshold in the precision of the cells: a float32 cell of 0.38 is the 0.38 of the condition."""
        tile, decode = self.reads[0].layer.tiles[0], self.reads[0].decode
        encoding = decode.encoding if isinstance(decode, Numbers) else None
        unscaled = isinstance(encoding, ContinuousEncoding) and (encoding.scale, encoding.offset) == (1.0, 0.0)
        return float(np.float32(threshold)) if tile.dtype == "float32" and unscaled and len(self.reads) == 1 else threshold


def keys_of(values: Floats) -> npt.NDArray[np.int64]:
    """Return whole numbers that sort as the values do: the bits of a double, those of negative ones turned round."""
    bits = (values + 0.0).view(np.int64)  # + 0.0: minus zero is zero
    return np.where(bits < 0, bits ^ SIGN_BIT, bits)


def values_of(keys: npt.NDArray[np.int64]) -> Floats:
    """Return the values of `keys_of`."""
    return np.where(keys < 0, keys ^ SIGN_BIT, keys).view(np.float64)
