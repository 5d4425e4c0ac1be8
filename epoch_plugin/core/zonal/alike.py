"""Neighbours that are alike: stretches of cells in which nothing changes that a kernel looks at are one cell to it."""

from __future__ import annotations

import numpy as np

from epoch_plugin.core.zonal.coverage import Bools
from epoch_plugin.core.zonal.gather import GroupGather, Raw, decoded
from epoch_plugin.core.zonal.kernel import CellKernel, Cells, CellValues
from epoch_plugin.core.zonal.plan import Group
from epoch_plugin.core.zonal.reduce import Part, Summands, partial
from epoch_plugin.core.zonal.weights import CellWeights

_NOWHERE = np.zeros(0, np.int64)


def joins(kernel: CellKernel) -> bool:
    """Tell whether a kernel may be asked stretch by stretch."""
    return bool(getattr(kernel, "by_values", False)) and all(read.focal is None for read in kernel.reads)


def joined(kernel: CellKernel, group: Group, weight: CellWeights, gather: GroupGather) -> Part | tuple[Part, ...]:
    """Ask a kernel once per stretch of equal cells of a part, and sum what it says with the stretches' areas.

    Maps are made of patches: nearly always there are far fewer stretches than cells, however many layers are looked at.
    """
    raw = {read.key: gather.raw(read.layer) for read in kernel.reads}
    new = np.zeros(group.lengths.n_cells, bool)
    new[group.lengths.first[group.cuts]] = True
    for one in raw.values():
        _mark_changes(new, one)
    centres = bool(getattr(kernel, "needs_centres", False))
    if centres:
        new[1:] |= group.cell_inside[1:] != group.cell_inside[:-1]
    (first,) = new.nonzero()
    piece = group.lengths.piece.take(first)
    values = {read.key: decoded(read, _at(raw[read.key], first)) for read in kernel.reads}
    inside = group.inside[piece] if centres else np.zeros(len(first), bool)
    said = kernel(Cells(inside, values, _NOWHERE, _NOWHERE))
    fraction, count = np.zeros(0), np.zeros(0, np.int64)
    if any(isinstance(one, CellValues) for one in (said if isinstance(said, tuple) else (said,))):
        fraction = np.add.reduceat(group.cell_fraction, first) if len(first) else fraction
        count = np.diff(np.r_[first, group.lengths.n_cells])
    return partial(said, Summands(group.part.take(piece), weight.of_stretches(first), fraction, group.part_plot, group.part_order, count))


def _mark_changes(new: Bools, raw: Raw) -> None:
    new[1:] |= raw.values[1:] != raw.values[:-1]
    if raw.known is not None:
        new[1:] |= raw.known[1:] != raw.known[:-1]


def _at(raw: Raw, first: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Raw:
    return Raw(raw.values.take(first), None if raw.known is None else raw.known.take(first))
