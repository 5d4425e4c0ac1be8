"""Which extra layers are read: every source of every entry with a role of its own and `stats`, on its own grid."""

from __future__ import annotations

from dataclasses import dataclass

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.open import open_layers
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.grid_tasks import Place, TaskBook
from epoch_plugin.core.metrics.quantities import open_quantity
from epoch_plugin.core.metrics.zonal_stats.kernel import ZonalStatsKernel
from epoch_plugin.core.metrics.zonal_stats.table import ValueTableKernel, table_kernel
from epoch_plugin.core.zonal.cell_area import ground_cell_size
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.rings import Floats, middle_of


@dataclass(frozen=True)
class ExtraLayer:
    """One source of an extra entry; `name` is its key in the result: the role, with `_<year>` where the entry has several years."""

    name: str
    kernel: ValueTableKernel | ZonalStatsKernel
    place: Place


@dataclass(frozen=True)
class ZonalStatsPlan:
    """Everything that is decided before a cell is read."""

    extras: tuple[ExtraLayer, ...]
    tasks: tuple[GridTask, ...]
    layers: tuple[tuple[Entry, str, RasterLayer], ...]


def plan_zonal_stats(datasets: Datasets, boxes: Floats) -> ZonalStatsPlan:
    """Open the layers and lay out the tasks; raise `InputError` if there is nothing to do and `DatasetError` for an unusable source."""
    if not datasets.extras:
        raise InputError(f"STATS holds 'extra', but no entry of {datasets.path} has a role of its own with \"stats\": add one, or leave 'extra' out.")
    book = TaskBook()
    extras: list[ExtraLayer] = []
    layers: list[tuple[Entry, str, RasterLayer]] = []
    vector_grid = _vector_grid(datasets, boxes)
    for entry in datasets.extras:
        for ref in entry.sources:
            name = result_key(entry, ref)
            if any(extra.name == name for extra in extras):
                raise InputError(f"Datasets file, {entry.label}: two layers would both be called '{name}' in the results; rename one role.")
            quantity = open_quantity(entry, ref, f"extra/{name}", vector_grid)
            kernel = table_kernel(quantity, entry.stats) or ZonalStatsKernel(quantity, entry.stats)
            extras.append(ExtraLayer(name, kernel, book.add(quantity.layer, kernel)))
            layers += [(entry, read.key, read.layer) for read in quantity.reads]
    return ZonalStatsPlan(tuple(extras), book.tasks, tuple(layers))


def result_key(entry: Entry, ref: SourceRef) -> str:
    """Return the name of a source's statistics: its role, or `<role>_<year>` where the entry binds several years."""
    return entry.role if len(entry.sources) == 1 else f"{entry.role}_{ref.year}"


def _vector_grid(datasets: Datasets, boxes: Floats) -> Grid | None:
    """Return the grid on which vectors are burnt: the finest of the extra rasters, else of baseline and detection systems; None without any."""
    if not any(ref.vector for entry in datasets.extras for ref in entry.sources):
        return None
    for group in (datasets.extras, (*datasets.by_role("forest_2020"), *datasets.detection)):
        grids = [layer.grid for entry in group for ref in entry.sources[:1] if not ref.vector for layer in open_layers(entry, ref)[:1]]
        if grids:
            return min(grids, key=lambda grid: ground_cell_size(grid, *middle_of(boxes)))
    return None
