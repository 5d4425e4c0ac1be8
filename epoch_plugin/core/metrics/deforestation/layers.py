"""Which layers a deforestation check reads, and on which grids: from the datasets file to the engine's tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.encodings import AlertDateEncoding, ClassesEncoding, LossYearEncoding, MaskEncoding
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.open import open_layer, open_mask
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.datasets.roles import COMMODITIES
from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.metrics.deforestation.kernel import DeforestationKernel, MaskKernel
from epoch_plugin.core.metrics.deforestation.systems import AlertCodes, ClassMaskCodes, CoverCodes, LossYearCodes, MaskCodes, System
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.cell_area import ground_cell_size
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.grids import extended
from epoch_plugin.core.zonal.kernel import Array, CellKernel, LayerRead
from epoch_plugin.core.zonal.plan import block_shape
from epoch_plugin.core.zonal.rings import Floats, middle_of

BASELINE = "forest_2020"
GRID_ORDER = (BASELINE, "glad", "tmf", "dynamic_world", "radd")  # who wins when grids are equally fine
CONTEXT = ("jrc_forest", "tmf_forest", "natural_forest", "wdpa", "wdpa_mandate")
PROTECTED = ("natural_forest", "wdpa")  # a loss there is critical whatever the crop
TREE_CROPS = ("palm", "cocoa", "rubber", "coffee", "timber")  # soy and cattle never excuse
ROTATION_YEAR = 2020
TMF_DEGRADED_CLASS = 2
SAME_SIZE = 1e-6


@dataclass(frozen=True)
class Place:
    """Where a kernel's answer will be found: number of the task and of the kernel in it."""

    task: int
    kernel: int


@dataclass(frozen=True)
class DeforestationPlan:
    """Everything that is decided before a cell is read; plain data that travels to other threads and nodes."""

    window: MonitoringWindow
    settings: Settings
    systems: tuple[System, ...]
    tasks: tuple[GridTask, ...]
    analysis: Place | None  # None: no baseline or no system is bound
    masks: dict[str, Place]  # forest_2020 and every context and commodity role with a layer
    undated: tuple[str, ...]  # commodities that are bound, but not with a layer of 2020 or earlier
    missing: tuple[str, ...]  # needed layers that are not bound: forest_2020, detection
    analysis_role: str = ""
    layers: tuple[tuple[Entry, str, RasterLayer], ...] = ()  # entry, key, layer: for the provenance


def plan_deforestation(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> DeforestationPlan:
    """Open the layers and lay out the tasks; `boxes` are those of the plots (n, 4: xmin, ymin, xmax, ymax in degrees).

    Raises `DatasetError` for a source that cannot be used; a layer that is not bound is no error but a reason on every row.
    """
    return _Planner(datasets, window, settings, boxes).plan()


class _Planner:
    """Collects reads and tasks while the plan is made."""

    def __init__(self, datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> None:
        self._datasets, self._window, self._settings, self._boxes = datasets, window, settings, boxes
        self._reads: dict[str, tuple[Entry, LayerRead]] = {}  # one per layer, also where two kernels look at it
        self._kernels: dict[Grid, list[CellKernel]] = {}
        self._shapes: dict[Grid, RasterLayer] = {}
        self._masks: dict[str, tuple[Grid, int]] = {}
        self._grid: Grid | None = None  # the analysis grid, wide enough for all plots
        self._narrow: Grid | None = None  # the same as the layer that gave it has it

    def plan(self) -> DeforestationPlan:
        baseline = self._baseline()
        systems = tuple(self._system(entry) for entry in self._datasets.detection)
        role, layer = self._analysis_layer(baseline, systems)
        if layer is not None:
            self._narrow, self._grid = layer.grid, self._widened(layer)
        analysis = self._analysis_kernel(baseline, systems, layer)
        if baseline is not None:
            self._mask_task(BASELINE, baseline)
        for name in (*CONTEXT, *COMMODITIES):
            self._context_task(name)
        missing = tuple(name for name, there in ((BASELINE, baseline), ("detection", systems)) if not there)
        grids = list(self._kernels)
        tasks = tuple(self._task(grid) for grid in grids)
        masks = {name: Place(grids.index(grid), kernel) for name, (grid, kernel) in self._masks.items()}
        place = None if analysis is None else Place(grids.index(analysis[0]), analysis[1])
        layers = tuple((entry, key, read.layer) for key, (entry, read) in self._reads.items())
        undated = tuple(name for name in COMMODITIES if self._datasets.by_role(name) and not self._dated(name, ROTATION_YEAR))
        return DeforestationPlan(self._window, self._settings, systems, tasks, place, masks, undated, missing, role, layers)

    def _read(self, entry: Entry, key: str, layer: RasterLayer, decode: Callable[[Array], Array]) -> LayerRead:
        self._reads[key] = (entry, LayerRead(key, layer, decode, 0))
        return self._reads[key][1]

    def _mask_read(self, entry: Entry, ref: SourceRef, key: str) -> LayerRead:
        if key in self._reads:
            return self._reads[key][1]
        layer = open_layer(entry, ref, self._grid)
        encoding = entry.encoding
        if isinstance(encoding, ClassesEncoding) and encoding.forest:
            return self._read(entry, key, layer, ClassMaskCodes(encoding, layer.nodata, encoding.forest))
        if not isinstance(encoding, MaskEncoding):
            raise DatasetError(f"Datasets file, {entry.label}: a {encoding.kind} layer cannot say yes or no; give an encoding of kind mask.")
        return self._read(entry, key, layer, MaskCodes(encoding, layer.nodata))

    def _baseline(self) -> LayerRead | None:
        entry = self._datasets.one(BASELINE)
        return None if entry is None else self._mask_read(entry, entry.sources[0], BASELINE)

    # detection systems

    def _system(self, entry: Entry) -> System:
        if entry.series:
            return self._series(entry)
        layer = open_layer(entry, entry.sources[0], self._grid)
        decode: LossYearCodes | AlertCodes
        if isinstance(entry.encoding, LossYearEncoding):
            decode = LossYearCodes(entry.encoding, layer.nodata, self._window.years)
        elif isinstance(entry.encoding, AlertDateEncoding):
            decode = AlertCodes(entry.encoding, layer.nodata, self._window)
        else:
            raise DatasetError(
                f"Datasets file, {entry.label}: a {entry.encoding.kind} layer does not date a loss; see the docs on detection systems."
            )
        reads = [self._read(entry, entry.role, layer, decode)]
        mask = open_mask(entry)
        if entry.mask is not None and mask is not None:
            reads.append(self._read(entry, f"{entry.role}:mask", mask, MaskCodes(entry.mask.encoding, mask.nodata)))
        return System(entry.role, tuple(reads), tuple(self._record_end(entry, year) for year in self._window.years), self._window.years[0])

    def _record_end(self, entry: Entry, year: int) -> dt.date | None:
        """Return the last day of `year` for which a layer of loss years or dated alerts speaks."""
        if entry.years is None or not entry.years[0] <= year:
            return None
        until = entry.until or dt.date(entry.years[1], 12, 31)
        if until < dt.date(year, 1, 1):
            return None
        return min(until, dt.date(year, 12, 31))

    def _series(self, entry: Entry) -> System:
        years = self._window.years
        bound = [year for year in entry.bound_years if years[0] - 1 <= year <= years[-1]]
        degraded = (TMF_DEGRADED_CLASS,) if entry.role == "tmf" and isinstance(entry.encoding, ClassesEncoding) else ()
        reads = []
        for year in bound:
            ref = entry.source_of(year)
            if ref is None or not isinstance(entry.encoding, (ClassesEncoding, MaskEncoding)):
                raise DatasetError(f"Datasets file, {entry.label}: no usable source for {year}.")
            layer = open_layer(entry, ref, self._grid)
            reads.append(self._read(entry, f"{entry.role}:{year}", layer, CoverCodes(entry.encoding, layer.nodata, degraded)))
        record = tuple(dt.date(year, 12, 31) if {year - 1, year} <= set(bound) else None for year in years)
        return System(entry.role, tuple(reads), record, years[0], tuple(bound), self._settings.persistence_years)

    # the analysis grid

    def _analysis_layer(self, baseline: LayerRead | None, systems: tuple[System, ...]) -> tuple[str, RasterLayer | None]:
        """Return role and layer of the finest grid among baseline and systems, by the ground size of a cell at the centre."""
        candidates = [(BASELINE, baseline.layer)] if baseline else []
        candidates += [(system.name, system.reads[0].layer) for system in systems if system.reads]
        candidates = [(role, layer) for role, layer in candidates if layer.kind == "raster"]
        if not candidates:
            return "", None
        candidates.sort(key=lambda item: GRID_ORDER.index(item[0]) if item[0] in GRID_ORDER else len(GRID_ORDER))
        centre = middle_of(self._boxes)
        sizes = [ground_cell_size(layer.grid, *centre) for _, layer in candidates]
        finest = min(sizes)
        return next(item for item, size in zip(candidates, sizes) if size <= finest * (1 + SAME_SIZE))

    def _analysis_kernel(self, baseline: LayerRead | None, systems: tuple[System, ...], layer: RasterLayer | None) -> tuple[Grid, int] | None:
        if baseline is None or not systems or layer is None:
            return None
        protected = tuple(self._mask_read(entry, ref, name) for name in PROTECTED for entry, ref in self._context(name))
        rotation = tuple(
            self._mask_read(entry, ref, f"{name}:{year}") for name in TREE_CROPS for entry, ref, year in self._dated(name, ROTATION_YEAR)
        )
        return self._add(layer, DeforestationKernel(baseline, systems, protected, rotation))

    # context and commodities, each on its own grid

    def _context(self, name: str) -> list[tuple[Entry, SourceRef]]:
        entry = self._datasets.one(name)
        return [] if entry is None else [(entry, entry.sources[0])]

    def _dated(self, name: str, last_year: int) -> list[tuple[Entry, SourceRef, int]]:
        """Return the commodity's layers dated `last_year` or earlier, oldest first."""
        found = []
        for entry in self._datasets.by_role(name):
            for ref in entry.sources:
                year = ref.year if ref.year is not None else entry.year
                if year is not None and year <= last_year:
                    found.append((entry, ref, year))
        return sorted(found, key=lambda item: item[2])

    def _context_task(self, name: str) -> None:
        chosen = self._newest(name) if name in COMMODITIES else next(((entry, ref, name) for entry, ref in self._context(name)), None)
        if chosen is None or (chosen[1].vector and self._grid is None):  # a vector needs a raster of the check to be burnt on
            return
        self._mask_task(name, self._mask_read(*chosen))

    def _newest(self, name: str) -> tuple[Entry, SourceRef, str] | None:
        """Return the commodity's newest layer not later than the window's end; an undated one where there is no other."""
        dated = self._dated(name, self._window.end.year)
        if dated:
            entry, ref, year = dated[-1]
            return entry, ref, f"{name}:{year}"
        undated = [(e, ref, name) for e in self._datasets.by_role(name) for ref in e.sources if ref.year is None and e.year is None]
        return undated[0] if undated else None

    def _mask_task(self, name: str, read: LayerRead) -> None:
        self._masks[name] = self._add(read.layer, MaskKernel(read))

    def _widened(self, layer: RasterLayer) -> Grid:
        shape = block_shape(layer.tiles[0].block_rows, layer.tiles[0].block_cols)
        box = (*np.nanmin(self._boxes[:, :2], axis=0).tolist(), *np.nanmax(self._boxes[:, 2:], axis=0).tolist())
        return extended(layer.grid, box, shape.rows, shape.cols)

    def _add(self, layer: RasterLayer, kernel: CellKernel) -> tuple[Grid, int]:
        grid = self._grid if self._grid is not None and layer.grid == self._narrow else layer.grid
        kernels = self._kernels.setdefault(grid, [])
        self._shapes.setdefault(grid, layer)
        kernels.append(kernel)
        return grid, len(kernels) - 1

    def _task(self, grid: Grid) -> GridTask:
        tile = self._shapes[grid].tiles[0]
        return GridTask(grid, block_shape(tile.block_rows, tile.block_cols), tuple(self._kernels[grid]))
