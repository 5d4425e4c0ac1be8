"""From sums to statements: totals, values per ha, standard deviations and yearly stocks of every plot (METHODS section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.biomass.kernel import PARTS, BiomassKernel
from epoch_plugin.core.metrics.biomass.land_use import AMORTISATION
from epoch_plugin.core.metrics.biomass.layers import BiomassPlan
from epoch_plugin.core.metrics.biomass.sums import AGB, BY_COVER, BY_SYSTEMS, YEAR, BiomassSums
from epoch_plugin.core.metrics.shares import M2_PER_HA, ratio, share, whole_area
from epoch_plugin.core.zonal.engine import GridResult

Floats = npt.NDArray[np.float64]

AMORTISATION_MIN_YEARS = 2


@dataclass(frozen=True)
class Change:
    """A change of stock of n plots, NaN = not known: tCO2e/year, per ha of what was assessed, standard deviation of the total."""

    total: Floats
    per_ha: Floats
    sd: Floats


@dataclass(frozen=True)
class Annual:
    """A stock's years: area-weighted plot means (tCO2e/ha), their mean, and the spatial SD of the cell-wise mean of all layers."""

    years: dict[int, Floats]
    mean: Floats
    std: Floats


@dataclass(frozen=True)
class BiomassTable:
    """The statistic of n plots; areas in ha."""

    plan: BiomassPlan
    area: Floats
    cells: Floats  # area of the cells; NaN where the plot reaches outside the grid
    assessed: Floats  # biomass known at both ends
    land_use_known: Floats  # of that, where a conversion could be told
    after_last: Floats  # converted after the end stock's year
    before_first: Floats  # converted not later than the start stock's year
    sd_share: Floats  # share of the assessed area with standard deviations
    valid_fraction: Floats
    coverage: dict[str, Floats] = field(default_factory=dict)
    parts: dict[str, Change] = field(default_factory=dict)  # luc, biogenic, removal; empty without any land use
    soc: Change | None = None
    amortised: Change | None = None
    amortisation_years: int = 0
    annual: dict[str, Annual] = field(default_factory=dict)  # agb, bgb, soc
    cover: dict[int, list[int | None]] = field(default_factory=dict)  # year -> majority class


def assess(plan: BiomassPlan, results: list[GridResult], area: Floats) -> BiomassTable:
    """Make the statements from the engine's results; `area` is the plots' geodesic area in ha."""
    n = len(area)
    kernel, place = plan.kernel, plan.place
    if kernel is None or place is None:
        zero = np.zeros(n)
        return BiomassTable(plan, area, np.full(n, np.nan), zero, zero, zero, zero, zero, zero)
    result = results[place.task]
    sums = BiomassSums(kernel.names(), result.kernels[place.kernel], n)
    rows, whole = sums.rows, whole_area(area, result)
    assessed = sums.ha(rows[:, AGB] == 1)
    land_use = sums.ha((rows[:, AGB] == 1) & ((rows[:, BY_COVER] == 1) | (rows[:, BY_SYSTEMS] == 1)))
    sd_share = np.nan_to_num(ratio(sums.known_ha("luc_sd") + sums.known_ha("biogenic_sd"), assessed))
    after, before = _outside_the_stocks(sums, kernel)
    has_parts = sums.values("luc") is not None
    enough_sd = sd_share >= plan.settings.min_valid_fraction
    parts = {part: _part(sums, part, assessed, land_use > 0, enough_sd, plan.settings.rho) for part in PARTS} if has_parts else {}
    years = amortisation_years(kernel)
    return BiomassTable(
        plan=plan, area=area, cells=np.where(result.clipped, np.nan, result.weight / M2_PER_HA), assessed=assessed, land_use_known=land_use,
        after_last=after, before_first=before, sd_share=sd_share, valid_fraction=share(assessed, whole), coverage=_coverage(sums, kernel, whole),
        parts=parts, soc=_soc(sums), amortised=_amortised(sums, assessed, (land_use > 0) & (years >= AMORTISATION_MIN_YEARS)) if has_parts else None,
        amortisation_years=years, annual=_annual(sums, kernel),
        cover={year: sums.majority(f"lc:{year}") for year in kernel.land_use.cover.years},
    )  # fmt: skip


def _part(sums: BiomassSums, part: str, assessed: Floats, known: npt.NDArray[np.bool_], enough_sd: npt.NDArray[np.bool_], rho: float) -> Change:
    total = np.where(known & (assessed > 0), sums.total(part), np.nan)
    sd = np.where(enough_sd & ~np.isnan(total), _standard_deviation(sums, f"{part}_sd", rho), np.nan)
    return Change(total, ratio(total, assessed), sd)


def _standard_deviation(sums: BiomassSums, name: str, rho: float) -> Floats:
    """Return sqrt((1 - rho) sum(s_i^2) + rho (sum s_i)^2), s_i being a biomass cell's; NaN without standard deviations.

    The variance of a sum of errors that are equally correlated (IPCC 2006 vol. 1, section 3.2.3: rho = 0 is eq. 3.2, rho = 1 the
    fully correlated bound).
    """
    if sums.values(name) is None:
        return np.full(sums.n_plots, np.nan)
    summed = sums.total(name)
    cells = sums.by_cell(f"{name}_by_cell")
    if cells is None:
        return summed
    squares = np.bincount(cells.plot, (cells.weighted / M2_PER_HA) ** 2, minlength=sums.n_plots)
    return np.asarray(np.sqrt((1 - rho) * squares + rho * summed * summed))


def _soc(sums: BiomassSums) -> Change | None:
    if sums.values("soc") is None:
        return None
    known = sums.known_ha("soc")
    total = np.where(known > 0, sums.total("soc"), np.nan)
    return Change(total, ratio(total, known), np.full(sums.n_plots, np.nan))


def _amortised(sums: BiomassSums, assessed: Floats, known: npt.NDArray[np.bool_]) -> Change:
    """Return the change of cells converted in the last 20 years, spread over 20 years (GHG Protocol, PAS 2050: linear)."""
    total = np.where(known & (assessed > 0), sums.total("amortised") / AMORTISATION, np.nan)
    return Change(total, ratio(total, assessed), np.full(sums.n_plots, np.nan))


def amortisation_years(kernel: BiomassKernel) -> int:
    """Return how many of the last 20 years are seen: a source tells conversions of that year, and stocks lie before and after it."""
    reader, pair = kernel.land_use, kernel.pair
    if pair is None:
        return 0
    last = reader.window.years[-1]
    told: set[int] = set()
    cover = [reader.cover.years[k] for k in reader.long_layers]
    if len(cover) > 1:
        told |= set(range(cover[0] + 1, cover[-1] + 1))
    if reader.deforestation is not None:
        told |= {
            year
            for system in reader.deforestation.systems
            for year, end in zip(reader.window.years, system.record_end)
            if end is not None
        }
    first_stock = min(stock.year for stock in kernel.agb if stock.year is not None)
    return len({year for year in told if last - AMORTISATION < year <= last and first_stock < year <= pair.years[1]})


def _outside_the_stocks(sums: BiomassSums, kernel: BiomassKernel) -> tuple[Floats, Floats]:
    """Return the areas (ha) converted after the end stock's year, and not later than the start stock's."""
    if kernel.pair is None:
        return np.zeros(sums.n_plots), np.zeros(sums.n_plots)
    start, end = kernel.pair.years
    year = np.array([0, *kernel.land_use.window.years])[sums.rows[:, YEAR]]
    return sums.ha(year > end), sums.ha((year > 0) & (year <= start))


def _coverage(sums: BiomassSums, kernel: BiomassKernel, whole: Floats) -> dict[str, Floats]:
    """Return the share with data at both ends per role, or of the level where there is no change."""
    rows, found = sums.rows, {}
    if kernel.agb:
        found["agb"] = share(sums.ha(rows[:, AGB] == 1) if kernel.pair else sums.known_ha("agb:mean"), whole)
    if kernel.sd is not None:
        found["agb_sd"] = share(sums.known_ha("luc_sd") + sums.known_ha("biogenic_sd"), whole)
    if kernel.soc:
        found["soc"] = share(sums.known_ha("soc") if kernel.soc_pair else sums.known_ha("soc:mean"), whole)
    if kernel.land_use.cover.reads:
        found["lc"] = share(sums.ha(rows[:, BY_COVER] == 1), whole)
    return found


def _annual(sums: BiomassSums, kernel: BiomassKernel) -> dict[str, Annual]:
    found = {}
    for name, stocks in (("agb", kernel.agb), ("bgb", kernel.agb), ("soc", kernel.soc)):
        if not stocks:
            continue
        scaled = name == "bgb" and kernel.root_shoot.constant
        source, factor = ("agb", kernel.root_shoot.number) if scaled else (name, 1.0)
        years = {stock.year: _mean(sums, f"{source}:{stock.year}") * factor for stock in stocks if stock.year is not None}
        level = _mean(sums, f"{source}:mean") * factor
        mean = _mean_of(list(years.values())) if years else level
        found[name] = Annual(years, mean, _spatial_sd(sums, f"{source}:mean") * factor)
    return found


def _mean(sums: BiomassSums, name: str) -> Floats:
    return ratio(sums.total(name), sums.known_ha(name))


def _mean_of(columns: list[Floats]) -> Floats:
    """Return the mean of the known numbers of each plot."""
    stacked = np.stack(columns)
    return ratio(np.nansum(stacked, axis=0), (~np.isnan(stacked)).sum(axis=0).astype(np.float64))


def _spatial_sd(sums: BiomassSums, name: str) -> Floats:
    """Return the area-weighted population SD of a value over a plot's cells; exactly 0 where they are all alike."""
    found = sums.values(name)
    if found is None:
        return np.full(sums.n_plots, np.nan)
    mean = ratio(found.weighted, found.weight)
    spread: Floats = np.sqrt(np.maximum(ratio(found.weighted_square, found.weight) - mean * mean, 0.0))
    return np.where(found.minimum == found.maximum, 0.0, spread)
