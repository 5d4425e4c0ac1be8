"""Kernels that hand the engine a layer as it is, and the way from a datasets file to class areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.datasets.open import open_layer
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.zonal import engine
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.kernel import CellStates, CellValues, LayerRead, StateCoder
from epoch_plugin.core.zonal.plan import block_shape
from tests.core.raster_files import wkb_of, write_datasets


@dataclass(frozen=True)
class ClassCodes:
    """Classes as codes from 0: 0 no data, else the class + 1."""

    encoding: Any
    nodata: float | None

    def __call__(self, raw):
        return self.encoding.decode(raw, self.nodata).astype(np.int32) + 1


@dataclass(frozen=True)
class Numbers:
    """Values as they are, NaN for no data."""

    encoding: Any
    nodata: float | None

    def __call__(self, raw):
        return self.encoding.decode(raw, self.nodata)


@dataclass(frozen=True)
class ClassKernel:
    """The state of a cell is (class or -1 for no data, centre inside)."""

    read: LayerRead
    needs_centres = True
    by_values = True

    @property
    def reads(self):
        return (self.read,)

    def __call__(self, cells) -> CellStates:
        coder = StateCoder(len(cells))
        coder.add(cells.values[self.read.key])
        coder.add(cells.inside.astype(np.intp))
        return coder.result()


@dataclass(frozen=True)
class ValueKernel:
    """The value of a cell is the layer's."""

    read: LayerRead

    @property
    def reads(self):
        return (self.read,)

    def __call__(self, cells) -> CellValues:
        return CellValues(np.asarray(cells.values[self.read.key], np.float64))


def open_classes(folder: Path, analysis: Grid | None = None, name: str = "layer", **entry: Any) -> tuple[RasterLayer, LayerRead]:
    """Bind a layer of classes in a datasets file, open it and return it with the read that decodes it."""
    entry = {"role": name, "encoding": {"kind": "classes"}, "stats": ["classes"], **entry}
    found = load_datasets(write_datasets(folder, entry, name=f"{name}.json")).entries[0]
    layer = open_layer(found, found.sources[0], analysis)
    return layer, LayerRead(name, layer, ClassCodes(found.encoding, layer.nodata), 0)


def task_of(layer: RasterLayer, *kernels: Any, grid: Grid | None = None) -> GridTask:
    """Return the task that runs kernels on a layer's grid (or another one with its blocks)."""
    return GridTask(grid or layer.grid, block_shape(layer.tiles[0].block_rows, layer.tiles[0].block_cols), kernels)


def run(task: GridTask, shapes: Sequence[Any], threads: int = 2) -> engine.GridResult:
    """Run one task over shapely polygons in EPSG:4326."""
    return engine.run([wkb_of(shape) for shape in shapes], [task], threads, NoProgress())[0]


def class_areas(result: engine.GridResult, n: int, number: int = 0) -> list[dict[int | None, float]]:
    """Return per plot {class, or None for no data: m2}."""
    answer = result.kernels[number]
    found: list[dict[int | None, float]] = [{} for _ in range(n)]
    for plot, state, area in zip(answer.plot, answer.state, answer.area):
        code = int(answer.states[state][0])
        value = None if code == 0 else code - 1
        found[plot][value] = found[plot].get(value, 0.0) + float(area)
    return found


def areas_by_class(folder: Path, shapes: Sequence[Any], threads: int = 2, **entry: Any) -> list[dict[int | None, float]]:
    """Go the whole way: datasets file, layer, engine; return per plot {class or None: m2}."""
    layer, read = open_classes(folder, **entry)
    return class_areas(run(task_of(layer, ClassKernel(read)), shapes, threads), len(shapes))
