"""Chunks of plots: neighbours along a Hilbert curve, bounded in plots and in cells, the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.batch.statistics import StatisticPlan
from epoch_plugin.core.zonal.cell_area import ground_cell_size
from epoch_plugin.core.zonal.hilbert import hilbert_order
from epoch_plugin.core.zonal.rings import Floats, middle_of

PLOTS_PER_CHUNK = 10_000  # of all four statistics: about 370 MB
CELLS_PER_CHUNK = 48_000_000


@dataclass(frozen=True)
class Chunk:
    """Some plots of a collection, by their fid in the store; the id says which, so that a resumed job never takes one chunk for another."""

    chunk_id: str
    fids: tuple[int, ...]


def make_chunks(fids: list[int], boxes: Floats, cell_m2: float) -> list[Chunk]:
    """Cut plots into chunks; `boxes` is (n, 4) in degrees, `cell_m2` the ground area of a cell of the finest grid.

    Memory follows the plots' boxes, so their cells are what is bounded; a plot larger than a chunk is one by itself.
    """
    if not fids:
        return []
    order = hilbert_order(boxes)
    height, width = boxes[order, 3] - boxes[order, 1], boxes[order, 2] - boxes[order, 0]
    cells = height * width * 111_320.0**2 / max(cell_m2, 1e-6)
    chunks: list[list[int]] = [[]]
    load = 0.0
    for position, here in zip(order.tolist(), cells.tolist()):
        if chunks[-1] and (len(chunks[-1]) == PLOTS_PER_CHUNK or load + here > CELLS_PER_CHUNK):
            chunks.append([])
            load = 0.0
        chunks[-1].append(fids[position])
        load += here
    return [Chunk(f"{number:06d}-{_digest(chunk)}", tuple(chunk)) for number, chunk in enumerate(chunks, start=1)]


def _digest(fids: list[int]) -> str:
    return hashlib.sha256(np.array(fids, np.int64).tobytes()).hexdigest()[:8]


def finest_cell_m2(plans: Sequence[StatisticPlan], boxes: Floats) -> float:
    """Return the ground area of a cell of the finest grid that any plan reads."""
    centre = middle_of(boxes)
    return min((ground_cell_size(task.grid, *centre) ** 2 for plan in plans for task in plan.tasks), default=1e4)


def as_boxes(rows: list[tuple[int, float, float, float, float]]) -> tuple[list[int], Floats]:
    """Split rows of fid, xmin, ymin, xmax, ymax into fids and boxes."""
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float64).reshape(-1, 4)
