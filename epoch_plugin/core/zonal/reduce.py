"""Summing what kernels say, by plot: first within each block (its boundary cells, its interior runs), then the blocks of a plot in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.zonal.kernel import CellAnswer, CellKeyed, CellStates, CellValues
from epoch_plugin.core.zonal.pieces import begins, stretches
from epoch_plugin.core.zonal.rings import Floats, Ints


@dataclass(frozen=True)
class StateAreas:
    """Area (m2) of each state in each plot: row i says plot[i] has area[i] in states[state[i]]; sorted by plot and state."""

    plot: Ints
    state: Ints
    area: Floats
    states: npt.NDArray[np.int64]


@dataclass(frozen=True)
class ValueSums:
    """Sums over the cells of each plot that have a value v, with w = area (m2) and f = covered fraction; arrays of n plots."""

    weight: Floats  # sum of w
    weighted: Floats  # sum of w * v
    weighted_square: Floats  # sum of w * v * v
    fraction_sum: Floats  # sum of f * v
    count: Ints  # cells
    minimum: Floats  # NaN without cells
    maximum: Floats


@dataclass(frozen=True)
class KeyedSums:
    """Sums of area (m2) * value per plot and key: row i belongs to plot[i] and key[i]; sorted by plot and key."""

    plot: Ints
    key: Ints
    weighted: Floats


@dataclass(frozen=True)
class StatePart:
    """Partial areas of one group: of part of the group's stretches, in states of its own numbering."""

    plot: Ints
    order: Ints
    state: Ints
    area: Floats
    states: npt.NDArray[np.int64]


@dataclass(frozen=True)
class ValuePart:
    """Partial sums of one group: one row per stretch; columns as in `ValueSums`."""

    plot: Ints
    order: Ints
    sums: Floats  # (stretches, 4)
    count: Ints
    minimum: Floats
    maximum: Floats


@dataclass(frozen=True)
class KeyedPart:
    """Partial sums of one group: one row per stretch and key."""

    plot: Ints
    order: Ints
    key: Ints
    weighted: Floats


Part = Union[StatePart, ValuePart, KeyedPart]
Total = Union[StateAreas, ValueSums, KeyedSums]


@dataclass(frozen=True)
class Summands:
    """What is summed of a group: cells, or stretches of equal ones, in their order, with the part each belongs to."""

    part: Ints
    weight: Floats  # m2
    fraction: Floats  # sum of the covered fractions, for `CellValues` only
    part_plot: Ints  # per part
    part_order: Ints  # per part
    count: Ints | None = None  # cells, for `CellValues` only; None: one each


def partial(answer: CellAnswer | tuple[CellAnswer, ...], summands: Summands) -> Part | tuple[Part, ...]:
    """Sum a kernel's answer within each part of a group, one after the other in their order."""
    if isinstance(answer, tuple):
        return tuple(_partial(one, summands) for one in answer)
    return _partial(answer, summands)


def _partial(answer: CellAnswer, summands: Summands) -> Part:
    if isinstance(answer, CellStates):
        return _partial_states(answer, summands)
    if isinstance(answer, CellKeyed):
        return _partial_keyed(answer, summands)
    return _partial_values(answer, summands)


def _partial_states(answer: CellStates, summands: Summands) -> StatePart:
    # of the states that a kernel may name, few occur in a group: only they are worth a place in every part
    present = np.flatnonzero(np.bincount(answer.code, minlength=len(answer.states)))
    n = max(len(present), 1)
    dense = np.zeros(len(answer.states), np.int64)
    dense[present] = np.arange(len(present))
    area = _summed(summands.part * n + dense.take(answer.code), summands.weight, len(summands.part_plot) * n)
    touched = np.flatnonzero(area > 0)
    part = touched // n
    return StatePart(summands.part_plot[part], summands.part_order[part], present.take(touched - part * n), area[touched], answer.states)


def _partial_values(answer: CellValues, summands: Summands) -> ValuePart:
    known = ~np.isnan(answer.values)
    v, part, w, f, cells = answer.values, summands.part, summands.weight, summands.fraction, summands.count
    if not known.all():
        part, v, w, f = part[known], v[known], w[known], f[known]
        cells = None if cells is None else cells[known]
    n = len(summands.part_plot)
    first = stretches(part)
    here = part[first]
    sums, count = np.zeros((n, 4)), np.zeros(n, np.int64)
    minimum, maximum = np.full(n, np.inf), np.full(n, -np.inf)
    if len(part):
        weighted = w * v
        for column, values in enumerate((w, weighted, weighted * v, f * v)):
            sums[here, column] = np.add.reduceat(values, first)
        minimum[here] = np.minimum.reduceat(v, first)
        maximum[here] = np.maximum.reduceat(v, first)
        count[here] = np.diff(np.r_[first, len(part)]) if cells is None else np.add.reduceat(cells, first)
    return ValuePart(summands.part_plot, summands.part_order, sums, count, minimum, maximum)


def _partial_keyed(answer: CellKeyed, summands: Summands) -> KeyedPart:
    known = ~np.isnan(answer.values)
    part, key, weighted = summands.part[known], answer.key[known], summands.weight[known] * answer.values[known]
    rank = np.lexsort((key, part))  # stable: the cells of a key keep their order
    part, key = part[rank], key[rank]
    new = begins(part, key)
    sums = _summed(np.cumsum(new) - 1, weighted[rank], 0)
    return KeyedPart(summands.part_plot[part[new]], summands.part_order[part[new]], key[new], sums)


def total(parts: Sequence[Part | tuple[Part, ...]], n_plots: int) -> Total | tuple[Total, ...]:
    """Add up what one kernel said of every group (at least one)."""
    if isinstance(parts[0], tuple):
        several = [part for part in parts if isinstance(part, tuple)]
        return tuple(_total(list(column), n_plots) for column in zip(*several))
    return _total([part for part in parts if not isinstance(part, tuple)], n_plots)


def _total(parts: list[Part], n_plots: int) -> Total:
    if isinstance(parts[0], StatePart):
        return total_states([part for part in parts if isinstance(part, StatePart)])
    if isinstance(parts[0], KeyedPart):
        return total_keyed([part for part in parts if isinstance(part, KeyedPart)])
    return total_values([part for part in parts if isinstance(part, ValuePart)], n_plots)


def total_keyed(parts: list[KeyedPart]) -> KeyedSums:
    """Add up partial sums by plot and key, the blocks of a plot in their order."""
    plot, order, key, weighted = (np.concatenate([getattr(part, name) for part in parts]) for name in ("plot", "order", "key", "weighted"))
    rank = np.lexsort((order, key, plot))
    plot, key = plot[rank], key[rank]
    new = begins(plot, key)
    return KeyedSums(plot[new], key[new], _summed(np.cumsum(new) - 1, weighted[rank], 0))


def total_states(parts: list[StatePart]) -> StateAreas:
    """Add up partial areas: states become one sorted table, the blocks of a plot are added in their order."""
    parts = [part for part in parts if len(part.plot)]
    if not parts:
        none = np.zeros(0, np.int64)
        return StateAreas(none, none, np.zeros(0), np.zeros((0, 0), np.int64))
    states, state = _one_table(parts)
    plot, order, area = (np.concatenate([getattr(part, name) for part in parts]) for name in ("plot", "order", "area"))
    both = plot * len(states) + state
    rank = np.lexsort((order, both))
    both = both[rank]
    new = begins(both)
    return StateAreas(plot[rank][new], state[rank][new], _summed(np.cumsum(new) - 1, area[rank], 0), states)


def _one_table(parts: list[StatePart]) -> tuple[npt.NDArray[np.int64], Ints]:
    """Return one sorted table of states, and the parts' states in its numbering, one after the other."""
    if len(parts) > 1 and all(part.states is parts[0].states for part in parts):  # a kernel whose states are always the same, and sorted
        return parts[0].states, np.concatenate([part.state for part in parts])
    states, where = np.unique(np.concatenate([part.states for part in parts]), axis=0, return_inverse=True)
    where = where.reshape(-1)
    offsets = np.cumsum([0] + [len(part.states) for part in parts[:-1]])
    return states, np.concatenate([where[offset + part.state] for offset, part in zip(offsets, parts)])


def _summed(index: Ints, values: Floats, n: int) -> Floats:
    """Add values one after the other, in their order, so that it is the same everywhere."""
    return np.asarray(np.bincount(index, values, minlength=n), np.float64)


def total_values(parts: list[ValuePart], n_plots: int) -> ValueSums:
    """Add up partial sums, the blocks of a plot in their order."""
    if not parts:
        zero = np.zeros(n_plots)
        return ValueSums(zero, zero, zero, zero, np.zeros(n_plots, np.int64), zero * np.nan, zero * np.nan)
    plot, order, sums, count, minimum, maximum = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("plot", "order", "sums", "count", "minimum", "maximum")
    )
    rank = np.lexsort((order, plot))
    columns = [_summed(plot[rank], sums[rank, k], n_plots) for k in range(4)]
    low, high = np.full(n_plots, np.inf), np.full(n_plots, -np.inf)
    np.minimum.at(low, plot, minimum)
    np.maximum.at(high, plot, maximum)
    low[~np.isfinite(low)], high[~np.isfinite(high)] = np.nan, np.nan
    counted = np.bincount(plot, count, minlength=n_plots).astype(np.int64)
    return ValueSums(columns[0], columns[1], columns[2], columns[3], counted, low, high)
