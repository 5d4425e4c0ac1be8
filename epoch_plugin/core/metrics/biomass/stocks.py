"""Carbon stocks per ha and the choice of the two years that are compared (METHODS section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epoch_plugin.core.metrics.quantities import Floats, Quantity
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.kernel import Cells

CO2_PER_C = 44.0 / 12.0  # molar masses; IPCC 2006 vol. 4, eq. 2.5 and its footnotes


@dataclass(frozen=True)
class Stock:
    """One year's stock at every cell, tCO2e/ha; `year` None: a state without a date."""

    year: int | None
    quantity: Quantity
    factor: float  # tCO2e/ha per stored unit

    def values(self, cells: Cells) -> Floats:
        """Return the stock, NaN where there is no data."""
        return self.quantity.values(cells) * self.factor


@dataclass(frozen=True)
class StockPair:
    """The two stocks whose difference is the change: start and end, of different years."""

    start: Stock
    end: Stock

    @property
    def years(self) -> tuple[int, int]:
        """Return the years of both."""
        return int(self.start.year or 0), int(self.end.year or 0)

    @property
    def span(self) -> int:
        """Return the years between them."""
        return self.years[1] - self.years[0]


def tco2e_factor(unit: str, carbon_fraction: float) -> float:
    """Return tCO2e per unit of biomass or carbon: dry matter x carbon fraction x 44/12 (IPCC 2006 vol. 4, eq. 2.8 and table 4.3)."""
    return {"Mg/ha": carbon_fraction * CO2_PER_C, "MgC/ha": CO2_PER_C, "MgCO2/ha": 1.0}[unit]


def choose_years(bound: Sequence[int], window: MonitoringWindow) -> tuple[int, int] | None:
    """Return the years of start and end stock, None where they would be one layer, or none.

    Start: the year before the first counted year, else the nearest earlier, else the nearest later. End: the last counted year, else the
    nearest earlier.
    """
    before, last = window.years[0] - 1, window.years[-1]
    earlier, later = [y for y in bound if y <= before], [y for y in bound if y > before]
    ends = [y for y in bound if y <= last]
    if not ends:
        return None
    start, end = max(earlier) if earlier else min(later), max(ends)
    return (start, end) if start < end else None


def choose_pair(stocks: Sequence[Stock], window: MonitoringWindow) -> StockPair | None:
    """Return the stocks to compare, None where the window has fewer than two."""
    by_year = {stock.year: stock for stock in stocks if stock.year is not None}
    years = choose_years([year for year in by_year if year is not None], window)
    return None if years is None else StockPair(by_year[years[0]], by_year[years[1]])
