"""Which layers the water indices read: every role's years on its own grid, months combined cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.encodings import ContinuousEncoding
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.metrics.grid_tasks import Place, TaskBook, finest, widened
from epoch_plugin.core.metrics.quantities import Quantity, QuantityKernel, open_quantity
from epoch_plugin.core.metrics.water.indices import reference_years
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.rings import Floats

STRESS = "water_stress"
PRECIPITATION, PET, SOIL_MOISTURE, ET = "precipitation", "pet", "soil_moisture", "et"
RANKED = (SOIL_MOISTURE, ET)  # compared with reference years
ROLES = (PRECIPITATION, PET, ET, SOIL_MOISTURE, STRESS)
NOT_NUMBERS = (-1.0, 9999.0, -9999.0)  # Aqueduct: arid and low water use, and two spellings of no data


@dataclass(frozen=True)
class Reference:
    """The years with which a role's years are compared."""

    years: tuple[int, ...]
    includes_window: bool


@dataclass(frozen=True)
class WaterPlan:
    """Everything that is decided before a cell is read."""

    window: MonitoringWindow
    tasks: tuple[GridTask, ...]
    series: dict[str, dict[int, Place]]  # role -> year -> where its sums are; a role that is not bound is left out
    references: dict[str, Reference]  # of soil moisture and evapotranspiration
    stress: Place | None
    layers: tuple[tuple[Entry, str, RasterLayer], ...]


def plan_water(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> WaterPlan:
    """Open the layers and lay out the tasks; raise `DatasetError` for a source that cannot be used."""
    return _Planner(datasets, window, settings, boxes).plan()


class _Planner:
    def __init__(self, datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> None:
        self._datasets, self._window, self._settings, self._boxes = datasets, window, settings, boxes
        self._book = TaskBook()
        self._layers: list[tuple[Entry, str, RasterLayer]] = []

    def plan(self) -> WaterPlan:
        series: dict[str, dict[int, Place]] = {}
        references: dict[str, Reference] = {}
        for role in ROLES[:-1]:
            sources = {ref.year: (entry, ref) for entry in self._datasets.by_role(role) for ref in entry.sources if ref.year is not None}
            if not sources:
                continue
            wanted = set(self._window.years)
            if role in RANKED:
                references[role] = Reference(*reference_years(self._settings.reference_years, sorted(sources), self._window.years[0]))
                wanted |= set(references[role].years)
            series[role] = {year: self._add(*sources[year], f"water/{role}:{year}") for year in sorted(wanted & set(sources))}
        stress = self._stress()
        return WaterPlan(self._window, self._book.tasks, series, references, stress, tuple(self._layers))

    def _add(self, entry: Entry, ref: SourceRef, key: str, grid: Grid | None = None) -> Place:
        quantity: Quantity = open_quantity(entry, ref, key, grid)
        self._layers += [(entry, read.key, read.layer) for read in quantity.reads]
        return self._book.add(quantity.layer, QuantityKernel(quantity))

    def _stress(self) -> Place | None:
        """Bind the newest layer not later than the window's end, else an undated one; a vector is burnt on the statistic's finest raster."""
        sources = [(entry, ref) for entry in self._datasets.by_role(STRESS) for ref in entry.sources]
        sources = [item for item in sources if item[1].year is None or item[1].year <= self._window.end.year]
        if not sources:
            return None
        entry, ref = max(sources, key=lambda item: item[1].year or 0)
        if isinstance(entry.encoding, ContinuousEncoding):
            sentinels = tuple(dict.fromkeys((*entry.encoding.sentinels, *NOT_NUMBERS)))
            entry = replace(entry, encoding=replace(entry.encoding, sentinels=sentinels))
        return self._add(entry, ref, "water/water_stress", self._vector_grid() if ref.vector else None)

    def _vector_grid(self) -> Grid | None:
        found = finest([(key, layer) for _, key, layer in self._layers], self._boxes)
        return None if found is None else widened(found[1], self._boxes)
