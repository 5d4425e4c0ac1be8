"""Which layers biomass and emissions read, and on which grid: from the datasets file to the engine's task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.encodings import ClassesEncoding
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.open import open_layer
from epoch_plugin.core.datasets.raster import RasterLayer
from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.metrics.biomass.kernel import BiomassKernel
from epoch_plugin.core.metrics.biomass.land_use import CONVERTED, NATURAL, LandCover, LandUseReader
from epoch_plugin.core.metrics.biomass.root_shoot import IPCC_2006, RootShoot
from epoch_plugin.core.metrics.biomass.stocks import Stock, StockPair, choose_pair, tco2e_factor
from epoch_plugin.core.metrics.deforestation.bindings import Bindings
from epoch_plugin.core.metrics.deforestation.kernel import DeforestationKernel
from epoch_plugin.core.metrics.deforestation.systems import System
from epoch_plugin.core.metrics.grid_tasks import Place, TaskBook, finest, widened
from epoch_plugin.core.metrics.quantities import open_quantity, refuse_mask
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.engine import GridTask
from epoch_plugin.core.zonal.kernel import Array, LayerRead
from epoch_plugin.core.zonal.rings import Floats


@dataclass(frozen=True)
class ClassCodes:
    """Decodes classes: the class value, -1 for no data."""

    encoding: ClassesEncoding
    nodata: float | None

    def __call__(self, raw: Array) -> npt.NDArray[np.int16]:
        """Return the classes of raw values."""
        return self.encoding.decode(raw, self.nodata)


@dataclass(frozen=True)
class BiomassPlan:
    """Everything that is decided before a cell is read; plain data that travels to other threads and nodes."""

    window: MonitoringWindow
    settings: Settings
    kernel: BiomassKernel | None  # None: neither biomass, soil carbon nor land cover is bound
    place: Place | None
    tasks: tuple[GridTask, ...]
    analysis_role: str
    layers: tuple[tuple[Entry, str, RasterLayer], ...]


def plan_biomass(datasets: Datasets, window: MonitoringWindow, settings: Settings, boxes: Floats) -> BiomassPlan:
    """Open the layers and lay out the task; `boxes` are those of the plots in degrees.

    Raises `DatasetError` for a source that cannot be used; a layer that is not bound is no error but a reason on every row.
    Raises `InputError` for a window of more years than a cell's state can tell apart.
    """
    window.require_countable()
    return _Planner(datasets, window, settings).plan(boxes)


class _Planner:
    def __init__(self, datasets: Datasets, window: MonitoringWindow, settings: Settings) -> None:
        self._datasets, self._window, self._settings = datasets, window, settings
        self._bindings = Bindings(datasets, window, settings)
        self._layers: list[tuple[Entry, str, RasterLayer]] = []

    def plan(self, boxes: Floats) -> BiomassPlan:
        agb, soc, cover = self._stocks("agb"), self._stocks("soc"), self._cover()
        if not (agb or soc or cover.reads):
            return BiomassPlan(self._window, self._settings, None, None, (), "", ())
        systems = self._bindings.systems()
        role, layer = self._analysis_layer(agb, cover, systems, soc, boxes)
        grid = self._bindings.grid = widened(layer, boxes)
        pair = choose_pair(agb, self._window)
        kernel = BiomassKernel(
            grid=grid,
            land_use=LandUseReader(self._window, self._settings, cover, self._deforestation(systems)),
            root_shoot=self._root_shoot(),
            dry_matter=1 / tco2e_factor("Mg/ha", self._settings.carbon_fraction) if self._settings.carbon_fraction else 0.0,
            agb=agb,
            soc=soc,
            pair=pair,
            sd=self._sd(pair),
            soc_pair=choose_pair(soc, self._window),
            errors_by_cell=self._settings.rho < 1,
        )
        book = TaskBook()
        place = book.add(layer, kernel, grid)
        layers = (*self._layers, *((entry, key, read.layer) for key, (entry, read) in self._bindings.reads.items()))
        return BiomassPlan(self._window, self._settings, kernel, place, book.tasks, role, layers)

    def _stocks(self, role: str) -> tuple[Stock, ...]:
        """Open all layers of a stock, by year; an undated one stands first."""
        found = [self._stock(entry, ref) for entry in self._datasets.by_role(role) for ref in entry.sources]
        return tuple(sorted(found, key=lambda stock: stock.year or 0))

    def _stock(self, entry: Entry, ref: SourceRef) -> Stock:
        key = f"luc_emissions/{entry.role}" + (f":{ref.year}" if ref.year is not None else "")
        quantity = open_quantity(entry, ref, key)
        self._layers += [(entry, read.key, read.layer) for read in quantity.reads]
        return Stock(ref.year, quantity, tco2e_factor(entry.unit, self._settings.carbon_fraction))

    def _sd(self, pair: StockPair | None) -> StockPair | None:
        """Open the standard deviations of both stocks of the pair; None where one is not bound."""
        if pair is None:
            return None
        refs = {ref.year: (entry, ref) for entry in self._datasets.by_role("agb_sd") for ref in entry.sources}
        if not set(pair.years) <= set(refs):
            return None
        start, end = (self._stock(*refs[year]) for year in pair.years)
        return StockPair(start, end)

    def _cover(self) -> LandCover:
        """Open all land cover; which years tell the window's conversions is the reader's matter."""
        refs = [(entry, ref) for entry in self._datasets.by_role("lc") for ref in entry.sources]
        found = sorted(((ref.year, entry, ref) for entry, ref in refs if ref.year is not None), key=lambda item: item[0])
        reads = [self._classes(entry, ref, f"luc_emissions/lc:{year}") for year, entry, ref in found]
        uses = tuple(_uses(entry) for _, entry, _ in found)
        return LandCover(tuple(year for year, _, _ in found), tuple(reads), uses)

    def _classes(self, entry: Entry, ref: SourceRef, key: str) -> LayerRead:
        if not isinstance(entry.encoding, ClassesEncoding):
            raise DatasetError(f"Datasets file, {entry.label}: holds classes; give an encoding of kind classes.")
        refuse_mask(entry)
        layer = open_layer(entry, ref, self._bindings.grid)
        self._layers.append((entry, key, layer))
        return LayerRead(key, layer, ClassCodes(entry.encoding, layer.nodata), -1)

    def _deforestation(self, systems: tuple[System, ...]) -> DeforestationKernel | None:
        baseline = self._bindings.baseline()
        return None if baseline is None or not systems else DeforestationKernel(baseline, systems, (), ())

    def _root_shoot(self) -> RootShoot:
        rasters, zones = self._datasets.by_role("root_shoot"), self._datasets.by_role("ecological_zone")
        if rasters:
            quantity = open_quantity(rasters[0], rasters[0].sources[0], "luc_emissions/root_shoot")
            self._layers += [(rasters[0], read.key, read.layer) for read in quantity.reads]
            return RootShoot(self._settings.root_shoot, raster=quantity)
        if not zones:
            return RootShoot(self._settings.root_shoot)
        names = zones[0].encoding.class_map if isinstance(zones[0].encoding, ClassesEncoding) else ()
        unknown = sorted({name for _, name in names} - set(IPCC_2006))
        if unknown or not names:
            raise DatasetError(
                f"Datasets file, {zones[0].label}: its class map must name zones of IPCC 2006, table 4.4 ({', '.join(IPCC_2006)}), "
                f"not {', '.join(unknown) or 'nothing'}."
            )
        read = self._classes(zones[0], zones[0].sources[0], "luc_emissions/ecological_zone")
        return RootShoot(self._settings.root_shoot, zones=read, zone_names=names)

    def _analysis_layer(
        self, agb: tuple[Stock, ...], cover: LandCover, systems: tuple[System, ...], soc: tuple[Stock, ...], boxes: Floats
    ) -> tuple[str, RasterLayer]:
        """Return role and layer of the finest grid among biomass, land cover and the systems; soil carbon's where it is alone."""
        candidates = [("agb", stock.quantity.layer) for stock in agb] + [("lc", read.layer) for read in cover.reads]
        if agb or cover.reads:
            candidates += [(system.name, system.reads[0].layer) for system in systems if system.reads]
        found = finest(candidates, boxes) or finest([("soc", stock.quantity.layer) for stock in soc], boxes)
        if found is None:
            raise DatasetError(f"luc_emissions: no raster of {self._datasets.path} gives an analysis grid; bind biomass or land cover as rasters.")
        return found


def _uses(entry: Entry) -> tuple[tuple[int, int], ...]:
    encoding = entry.encoding
    class_map = encoding.class_map if isinstance(encoding, ClassesEncoding) else ()
    return tuple((value, NATURAL if use == "natural" else CONVERTED) for value, use in class_map)
