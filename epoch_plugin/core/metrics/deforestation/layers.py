"""Which layers a deforestation check reads, and on which grids: from the datasets file to the engine's tasks."""

from __future__ import annotations

from dataclasses import dataclass

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.datasets.roles import COMMODITIES
from epoch_plugin.core.metrics.deforestation.bindings import BASELINE, Bindings
from epoch_plugin.core.metrics.deforestation.kernel import DeforestationKernel, MaskKernel
from epoch_plugin.core.metrics.deforestation.systems import System
from epoch_plugin.core.metrics.grid_tasks import Place, TaskBook, finest, widened
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.kernel import CellKernel, LayerRead
from epoch_plugin.core.zonal.rings import Floats

GRID_ORDER = (BASELINE, "glad", "tmf", "dynamic_world", "radd")  # who wins when grids are equally fine
CONTEXT = ("jrc_forest", "tmf_forest", "natural_forest", "wdpa", "wdpa_mandate")
PROTECTED = ("natural_forest", "wdpa")  # a loss there is critical whatever the crop
TREE_CROPS = ("palm", "cocoa", "rubber", "coffee", "timber")  # soy and cattle never excuse
ROTATION_YEAR = 2020


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
    Raises `InputError` for a window of more years than a cell's state can tell apart.
    """
    window.require_countable()
    return _Planner(datasets, window, settings, boxes).plan()


class _Planner:
    """Collects reads and tasks while the plan is made."""

    def __init__(self, datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> None:
        self._datasets, self._window, self._settings, self._boxes = datasets, window, settings, boxes
        self._bindings = Bindings(datasets, window, settings)
        self._book = TaskBook()
        self._masks: dict[str, Place] = {}
        self._grid: Grid | None = None  # the analysis grid, wide enough for all plots
        self._narrow: Grid | None = None  # the same as the layer that gave it has it

    def plan(self) -> DeforestationPlan:
        role, layer = self._analysis_layer()
        if layer is not None:
            self._narrow, self._grid = layer.grid, widened(layer, self._boxes)
            self._bindings.grid = self._grid
        baseline, systems = self._bindings.baseline(), self._bindings.systems()
        analysis = self._analysis_kernel(baseline, systems, layer)
        if baseline is not None:
            self._mask_task(BASELINE, baseline)
        for name in (*CONTEXT, *COMMODITIES):
            self._context_task(name)
        missing = tuple(name for name, there in ((BASELINE, baseline), ("detection", systems)) if not there)
        layers = tuple((entry, key, read.layer) for key, (entry, read) in self._bindings.reads.items())
        undated = tuple(name for name in COMMODITIES if self._datasets.by_role(name) and not self._dated(name, ROTATION_YEAR))
        return DeforestationPlan(self._window, self._settings, systems, self._book.tasks, analysis, self._masks, undated, missing, role, layers)

    # the analysis grid

    def _analysis_layer(self) -> tuple[str, RasterLayer | None]:
        """Return role and layer of the finest grid among baseline and systems, by the ground size of a cell at the centre."""
        candidates = self._bindings.rasters()
        candidates.sort(key=lambda item: GRID_ORDER.index(item[0]) if item[0] in GRID_ORDER else len(GRID_ORDER))
        return finest(candidates, self._boxes) or ("", None)

    def _analysis_kernel(self, baseline: LayerRead | None, systems: tuple[System, ...], layer: RasterLayer | None) -> Place | None:
        if baseline is None or not systems or layer is None:
            return None
        protected = tuple(self._bindings.mask(entry, ref, name) for name in PROTECTED for entry, ref in self._context(name))
        rotation = tuple(
            self._bindings.mask(entry, ref, f"{name}:{year}") for name in TREE_CROPS for entry, ref, year in self._dated(name, ROTATION_YEAR)
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
        self._mask_task(name, self._bindings.mask(*chosen))

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

    def _add(self, layer: RasterLayer, kernel: CellKernel) -> Place:
        return self._book.add(layer, kernel, self._grid if layer.grid == self._narrow else None)
