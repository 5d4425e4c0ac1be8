"""Which canopy heights a biodiversity score reads, on which grid, and how wide it looks around a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.encodings import Encoding, MaskEncoding
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.open import encoding_of, open_layer
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.errors import DatasetError, InputError
from epoch_plugin.core.metrics.biodiversity.connectivity import BlockLattice, ConnectivityMap, block_side, reach
from epoch_plugin.core.metrics.biodiversity.focal import ConnectivityFocal, RaoFocal
from epoch_plugin.core.metrics.biodiversity.kernel import BiodiversityKernel
from epoch_plugin.core.metrics.grid_tasks import Place, TaskBook
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.cell_area import ground_cell_size, is_geographic
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.kernel import Array, LayerRead
from epoch_plugin.core.zonal.rings import Floats, middle_of

CANOPY, TREES = "chm", "tree_mask"
HIGHEST_M = 60.0  # canopy heights are clamped to 0..60 m: what lies beyond is an artefact of the map
WIDEST = 2_500  # cells to each side that a window may reach: 5,000 x 5,000 cells are 200 MB
TRUE_SCALE = 0.002  # a projection that is true to scale within this is taken at its word


@dataclass(frozen=True)
class CanopyHeight:
    """Decodes canopy height to metres within 0..60, NaN for no data."""

    encoding: Encoding
    nodata: float | None

    def __call__(self, raw: Array) -> npt.NDArray[np.float64]:
        """Return the heights of raw values."""
        return np.clip(np.asarray(self.encoding.decode(raw, self.nodata), np.float64), 0.0, HIGHEST_M)


@dataclass(frozen=True)
class TreeCodes:
    """Decodes the tree mask: 0 no data, 1 no, 2 yes."""

    encoding: MaskEncoding
    nodata: float | None

    def __call__(self, raw: Array) -> npt.NDArray[np.uint8]:
        """Return the codes of raw values."""
        return self.encoding.decode(raw, self.nodata)


@dataclass(frozen=True)
class BiodiversityPlan:
    """Everything that is decided before a cell is read; without any layer there is nothing to run."""

    window: MonitoringWindow
    settings: Settings
    years: tuple[int, ...]  # all years with a layer, whatever the window: the series of annual_chm
    scored: int | None  # the last counted year with a layer
    tasks: tuple[GridTask, ...] = ()
    place: Place | None = None
    cell_m: float = math.nan
    block_cells: int = 0  # f of the connectivity's blocks
    layers: tuple[tuple[Entry, str, RasterLayer], ...] = ()


def plan_biodiversity(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> BiodiversityPlan:
    """Open the layers and lay out the task on the grid of the scored year's canopy height.

    `boxes` are those of the plots (n, 4: xmin, ymin, xmax, ymax in degrees). Raises `InputError` for settings that make no
    sense together and `DatasetError` for a source that cannot be used.
    """
    _check(settings)
    sources = _sources(datasets)
    years = tuple(sorted(sources))
    counted = [year for year in years if year in window.years]
    scored = counted[-1] if counted else None
    if not years:
        return BiodiversityPlan(window, settings, (), None)
    heights = {year: _height_read(*sources[year], f"{CANOPY}:{year}") for year in years}
    grid = heights[scored or years[-1]].layer.grid
    cell_m = ground_cell_size(grid, *middle_of(boxes))
    if settings.connectivity_radius_m / cell_m > WIDEST:
        raise InputError(
            f"Setting 'connectivity_radius_m' is {settings.connectivity_radius_m:g}: with canopy heights of {cell_m:.3g} m cells it may be "
            f"{WIDEST * cell_m:.0f} m at most."
        )
    layers = [(sources[year][0], read.key, read.layer) for year, read in heights.items()]
    rao = connectivity = None
    side = block_side(settings.connectivity_radius_m, cell_m)
    if scored is not None:
        trees = _tree_mask(datasets, scored, grid)
        if trees is not None:
            layers.append((trees[0], trees[1].key, trees[1].layer))
        read = heights[scored]
        rao = LayerRead(f"{read.key}:rao", read.layer, read.decode, np.nan, RaoFocal(settings.rao_window, settings.rao_alpha, HIGHEST_M))
        lattice = BlockLattice(grid, side, _map_scale(grid, cell_m))
        latitudes = float(np.nanmin(boxes[:, 1])), float(np.nanmax(boxes[:, 3]))
        around = ConnectivityMap(lattice, settings.connectivity_radius_m, reach(lattice, settings.connectivity_radius_m, latitudes))
        focal = ConnectivityFocal(around, settings.tree_height_m, None if trees is None else trees[1])
        connectivity = LayerRead(f"{read.key}:connectivity", read.layer, read.decode, np.nan, focal)
    book = TaskBook()
    place = book.add(heights[scored or years[-1]].layer, BiodiversityKernel(tuple(heights.values()), rao, connectivity))
    return BiodiversityPlan(window, settings, years, scored, book.tasks, place, cell_m, side, tuple(layers))


def _check(settings: Settings) -> None:
    if settings.rao_window % 2 == 0:
        raise InputError(f"Setting 'rao_window' is {settings.rao_window}: the window is centred on a cell, so its side must be odd, for example 9.")
    for name in ("rao_reference_m", "connectivity_radius_m"):
        if getattr(settings, name) <= 0:
            raise InputError(f"Setting '{name}' is {getattr(settings, name)}: it must be above 0 m.")


def _sources(datasets: Datasets) -> dict[int, tuple[Entry, SourceRef]]:
    found: dict[int, tuple[Entry, SourceRef]] = {}
    for entry in datasets.by_role(CANOPY):
        if entry.mask is not None:
            raise DatasetError(f"Datasets file, {entry.label}: 'mask' limits detection systems; it does not apply to this role.")
        for ref in entry.sources:
            if ref.year is not None:  # the datasets file demands one of a series, and one source per year
                found[ref.year] = (entry, ref)
    return found


def _height_read(entry: Entry, ref: SourceRef, key: str) -> LayerRead:
    layer = open_layer(entry, ref)
    return LayerRead(key, layer, CanopyHeight(encoding_of(entry, layer), layer.nodata), np.nan)


def _tree_mask(datasets: Datasets, scored: int, grid: Grid) -> tuple[Entry, LayerRead] | None:
    """Return the newest tree mask that is not later than the scored year, else an undated one."""
    candidates = []
    for entry in datasets.by_role(TREES):
        for ref in entry.sources:
            year = ref.year if ref.year is not None else entry.year
            if year is None or year <= scored:
                candidates.append((-1 if year is None else year, entry, ref))
    if not candidates:
        return None
    year, entry, ref = max(candidates, key=lambda candidate: candidate[0])
    if not isinstance(entry.encoding, MaskEncoding):
        raise DatasetError(f"Datasets file, {entry.label}: a {entry.encoding.kind} layer cannot say yes or no; give an encoding of kind mask.")
    layer = open_layer(entry, ref, grid)
    return entry, LayerRead(TREES if year < 0 else f"{TREES}:{year}", layer, TreeCodes(entry.encoding, layer.nodata), 0)


def _map_scale(grid: Grid, cell_m: float) -> float:
    """Return metres on the ground per unit of a projected grid at the plots; the unit itself where the projection is true to scale."""
    if is_geographic(grid.crs):
        return 1.0
    from pyproj import CRS

    axes = CRS.from_user_input(grid.crs).axis_info
    unit = axes[0].unit_conversion_factor if axes else 1.0
    scale = cell_m / math.sqrt(grid.dx * abs(grid.dy))
    return unit if abs(scale / unit - 1) <= TRUE_SCALE else scale
