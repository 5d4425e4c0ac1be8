"""The cell kernel of biomass and emissions: change of carbon per ha and year of every cell, shared out by what happened there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.metrics.biomass.land_use import LandUse, LandUseReader
from epoch_plugin.core.metrics.biomass.root_shoot import RootShoot
from epoch_plugin.core.metrics.biomass.stocks import Stock, StockPair
from epoch_plugin.core.metrics.quantities import Floats
from epoch_plugin.core.zonal.gather import cells_in_other_grid
from epoch_plugin.core.zonal.kernel import CellAnswer, CellKeyed, Cells, CellStates, CellValues, LayerRead, StateCoder

PARTS = ("luc", "biogenic", "removal")
STATE_COLUMNS = ("agb", "by_cover", "by_systems", "year")  # `year`: 0 not converted, k + 1 = in the k-th counted year


@dataclass(frozen=True)
class BiomassKernel:
    """Answers by name, in the order of `names`; values are tCO2e/ha, changes tCO2e/ha/year.

    `errors_by_cell`: also sum the standard deviations within each cell of the end stock's own grid (fine cells under one biomass cell
    share one error); needed where errors of different biomass cells are not fully correlated.
    """

    grid: Grid  # the analysis grid
    land_use: LandUseReader
    root_shoot: RootShoot
    dry_matter: float  # t d.m. per tCO2e of above-ground biomass
    agb: tuple[Stock, ...]  # by year, ascending
    soc: tuple[Stock, ...]
    pair: StockPair | None
    sd: StockPair | None  # standard deviations of the pair's stocks
    soc_pair: StockPair | None
    errors_by_cell: bool

    @property
    def by_values(self) -> bool:
        """Tell whether it does not matter which cell has the values: only errors are summed by where a cell lies."""
        return not self.errors_by_cell

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return every layer that the kernel looks at."""
        stocks = (*self.agb, *self.soc, *((self.sd.start, self.sd.end) if self.sd else ()))
        return (*(read for stock in stocks for read in stock.quantity.reads), *self.root_shoot.reads, *self.land_use.reads)

    def __call__(self, cells: Cells) -> tuple[CellAnswer, ...]:
        """Return the answers of `names`."""
        return tuple(self._answers(cells).values())

    def names(self) -> tuple[str, ...]:
        """Return the names of the answers: those that no cell at all would get."""
        none = np.zeros(0, np.int64)
        empty = {read.key: read.decode(np.zeros(0, read.layer.tiles[0].dtype)) for read in self.reads}
        return tuple(self._answers(Cells(np.zeros(0, bool), empty, none, none)))

    def _answers(self, cells: Cells) -> dict[str, CellAnswer]:
        above = {stock.year: stock.values(cells) for stock in self.agb}
        ratio = {year: self._ratio(cells, values) for year, values in above.items()}
        use = self.land_use(cells)
        answers: dict[str, CellAnswer] = {}
        change = None
        if self.pair is not None:
            start, end = self.pair.years
            change = (above[end] * (1 + ratio[end]) - above[start] * (1 + ratio[start])) / self.pair.span  # above and below ground
        answers["state"] = self._state(use, change)
        if change is not None and self.land_use.bound:
            answers.update(self._parts(cells, use, change, ratio))
            answers["amortised"] = CellValues(np.where(np.isnan(change), np.nan, self._amortised(use, above, ratio)))
        answers.update(_series("agb", above))
        if not self.root_shoot.constant:
            answers.update(_series("bgb", {year: values * ratio[year] for year, values in above.items()}))
        soil = {stock.year: stock.values(cells) for stock in self.soc}
        if self.soc_pair is not None:
            start, end = self.soc_pair.years
            answers["soc"] = CellValues((soil[end] - soil[start]) / self.soc_pair.span)
        answers.update(_series("soc", soil))
        for year, read in zip(self.land_use.cover.years, self.land_use.cover.reads):
            answers[f"lc:{year}"] = _classes(cells, read)
        return answers

    def _ratio(self, cells: Cells, above: Floats) -> Floats | float:
        return self.root_shoot.number if self.root_shoot.constant else self.root_shoot.ratio(cells, above * self.dry_matter)

    def _state(self, use: LandUse, change: Floats | None) -> CellStates:
        coder = StateCoder(len(use.year))
        coder.add(np.zeros(len(use.year), np.int64) if change is None else (~np.isnan(change)).astype(np.int64))
        coder.add(use.by_cover.astype(np.int64))
        coder.add(use.by_systems.astype(np.int64))
        coder.add(np.maximum(use.year - self.land_use.window.years[0] + 1, 0))
        return coder.result()

    def _parts(self, cells: Cells, use: LandUse, change: Floats, ratio: dict[int | None, Floats | float]) -> dict[str, CellAnswer]:
        converted = use.year > 0
        biogenic = np.where(converted, np.nan, change)
        removal = np.where(np.isnan(biogenic), np.nan, np.maximum(biogenic, 0.0))
        answers: dict[str, CellAnswer] = {
            "luc": CellValues(np.where(converted, change, np.nan)), "biogenic": CellValues(biogenic), "removal": CellValues(removal),
        }  # fmt: skip
        if self.sd is None or self.pair is None:
            return answers
        error = np.where(np.isnan(change), np.nan, self._error(cells, self.sd, self.pair, ratio))
        errors = dict(zip(PARTS, (np.where(converted, error, np.nan), np.where(converted, np.nan, error), np.where(removal > 0, error, np.nan))))
        answers.update({f"{part}_sd": CellValues(values) for part, values in errors.items()})
        if self.errors_by_cell:
            other = self.pair.end.quantity.layer.grid
            row, col = cells_in_other_grid(self.grid, cells.row, cells.col, other)
            answers.update({f"{part}_sd_by_cell": CellKeyed(row * other.ncols + col, values) for part, values in errors.items()})
        return answers

    def _error(self, cells: Cells, sd: StockPair, pair: StockPair, ratio: dict[int | None, Floats | float]) -> Floats:
        """Return the standard deviation of the change of AGB + BGB: both dates' errors are independent (IPCC 2006 vol. 1, eq. 3.2)."""
        start, end = (stock.values(cells) * (1 + ratio[year]) for stock, year in zip((sd.start, sd.end), pair.years))
        return np.asarray(np.sqrt(start * start + end * end) / pair.span)

    def _amortised(self, use: LandUse, above: dict[int | None, Floats], ratio: dict[int | None, Floats | float]) -> Floats:
        """Return the change from the last stock before a cell's conversion to the end stock (not per year); NaN elsewhere."""
        found = np.full(len(use.long_year), np.nan)
        if self.pair is None:
            return found
        end = self.pair.years[1]
        cells = np.flatnonzero((use.long_year > 0) & (use.long_year <= end))  # few

        def whole(year: int) -> Floats:
            of_year = ratio[year]
            return np.asarray(above[year][cells] * (1 + (of_year[cells] if isinstance(of_year, np.ndarray) else of_year)))

        changes, last = np.full(len(cells), np.nan), whole(end)
        for year in sorted(year for year in above if year is not None and year < end):
            # ascending: a later stock that is still before the conversion replaces an earlier one
            stock = whole(year)
            changes = np.where((use.long_year[cells] > year) & ~np.isnan(stock), last - stock, changes)
        found[cells] = changes
        return found


def _series(name: str, values: dict[int | None, Floats]) -> dict[str, CellAnswer]:
    """Return each dated year, and the cell-wise mean of all layers that have data there."""
    if not values:
        return {}
    found: dict[str, CellAnswer] = {f"{name}:{year}": CellValues(stock) for year, stock in values.items() if year is not None}
    n = len(next(iter(values.values())))
    total, count = np.zeros(n), np.zeros(n)
    for stock in values.values():
        known = ~np.isnan(stock)
        np.add(total, stock, out=total, where=known)
        count += known
    mean = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    return {**found, f"{name}:mean": CellValues(mean)}


def _classes(cells: Cells, read: LayerRead) -> CellStates:
    coder = StateCoder(len(cells))
    coder.add(np.asarray(cells.values[read.key], np.int64) + 1)  # 0 no data, else the class + 1
    return coder.result()
