"""METHODS section 4 a second time: one cell after the other, over the plan of the layers instead of their files."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from scripts.sample.context import baseline_says
from scripts.sample.grids import ANALYSIS, HANSEN
from scripts.sample.looks import Cell, looks
from scripts.sample.metrics.layers import BIOMASS, UNDATED, Ground
from scripts.sample.metrics.means import Known, Weighted, deviation, known, mean, plain_mean, share, total, weight_of
from scripts.sample.metrics.runs import LAND_COVER, Run
from scripts.sample.shapes import Shape

CO2 = 44 / 12
NATURAL = {10}
CONVERTED = {30, 40, 50}
MIN_SHARE, LONG_YEARS, MIN_LONG_YEARS, NOTHING_HA = 0.95, 20, 2, 1e-6


class Emissions:
    """The expected rows of `luc_emissions` in one run."""

    def __init__(self, ground: Ground, run: Run) -> None:
        self.ground, self.run, self.years = ground, run, run.window.years
        unit = {"Mg/ha": run.settings["carbon_fraction"] * CO2, "MgC/ha": CO2}
        self.factors = {role: unit[entry["unit"]] for role in ("agb", "agb_sd", "soc") if (entry := run.entry(role)) is not None}
        self.pair, self.soil_pair = self._pair("agb"), self._pair("soc")
        self.lookers = {s: looks(ground.scene, s, record, run.window) for s, record in run.systems.records.items()}
        self.cover_years = run.years("lc")
        self.window_cover = self._between(self.years[0], self.years[-1])
        self.long_cover = self._between(self.years[-1] - LONG_YEARS + 1, self.years[-1])

    def _pair(self, role: str) -> tuple[int, int] | None:
        bound, before, last = self.run.years(role), self.years[0] - 1, self.years[-1]
        start = next((y for y in reversed(bound) if y <= before), None) or next((y for y in bound if y > before), None)
        end = next((y for y in reversed(bound) if y <= last), None)
        return (start, end) if start is not None and end is not None and start < end else None

    def _between(self, first: int, last: int) -> list[int]:
        return [y for y in self.cover_years if y < first][-1:] + [y for y in self.cover_years if first <= y <= last]

    def amortisation_years(self) -> int:
        """Return the years of the last 20 for which a source tells conversions, with stocks before and after."""
        if self.pair is None:
            return 0
        told = set(range(self.long_cover[0] + 1, self.long_cover[-1] + 1)) if len(self.long_cover) > 1 else set()
        for first, last in self.run.systems.records.values():
            told |= {y for y in self.years if first <= y <= last}
        first_stock = self.run.years("agb")[0]
        return sum(self.years[-1] - LONG_YEARS < y and first_stock < y <= self.pair[1] for y in told)

    def of(self, shape: Shape) -> dict[str, Any]:
        """Return the expected fields of one plot."""
        return _Plot(self, shape).fields()


class _FineCell:
    """One analysis cell: weight, stocks by year, conversion."""

    def __init__(self, of: Emissions, row: int, column: int, ha: float) -> None:
        run, measured = of.run, of.ground.measured
        self.ha, self.place = ha, (BIOMASS.index(row, "y"), BIOMASS.index(column, "x"))
        self.stock = {role: self._stocks(of, role, row, column) for role in ("agb", "agb_sd", "soc")}
        ratio: Known = run.settings["root_shoot"]
        if run.entry("root_shoot") is not None:
            ratio = measured["root_shoot"][UNDATED].at_analysis(row, column)
        self.ratio = ratio
        self.codes = {year: measured["lc"][year].at_analysis(row, column) for year in of.cover_years}
        cell = self._cell(of, row, column)
        self.by_systems = cell.baseline is not None and any(look.years for look in cell.looks.values())
        self.by_cover = sum(self._use(year) != 0 for year in of.window_cover) > 1
        self.year = _earlier(self._converted(of.window_cover), cell.year)
        self.long_year = _earlier(self._converted(of.long_cover), cell.year)
        self.change = self._change(of)

    def _stocks(self, of: Emissions, role: str, row: int, column: int) -> dict[int, Known]:
        found: dict[int, Known] = {}
        for year in of.run.years(role):
            value = of.ground.measured[role][year].at_analysis(row, column)
            found[year] = None if value is None else value * of.factors[role]
        return found

    def _cell(self, of: Emissions, row: int, column: int) -> Cell:
        baseline = of.ground.scene.single["forest_2020"].at(row, column)
        return Cell(row, column, self.ha, baseline_says(baseline), {s: look(row, column) for s, look in of.lookers.items()})

    def _use(self, year: int) -> int:
        code = self.codes[year]
        return 1 if code in NATURAL else 2 if code in CONVERTED else 0

    def _converted(self, years: list[int]) -> int | None:
        before = 0
        for year in years:
            use = self._use(year)
            if before == 1 and use == 2:
                return year
            before = use or before
        return None

    def whole(self, year: int) -> Known:
        """Return biomass above and below ground, tCO2e/ha."""
        above = self.stock["agb"][year]
        return None if above is None or self.ratio is None else above * (1 + self.ratio)

    def _change(self, of: Emissions) -> Known:
        return None if of.pair is None else _per_year(self.whole(of.pair[0]), self.whole(of.pair[1]), of.pair)

    def soil_change(self, pair: tuple[int, int]) -> Known:
        """Return the change of soil carbon, tCO2e/ha/year."""
        return _per_year(self.stock["soc"][pair[0]], self.stock["soc"][pair[1]], pair)

    def error(self, pair: tuple[int, int]) -> Known:
        """Return the standard deviation of the change, tCO2e/ha/year."""
        start, end = (self.stock["agb_sd"][year] for year in pair)
        if self.change is None or start is None or end is None or self.ratio is None:
            return None
        return (1 + self.ratio) * math.sqrt(start**2 + end**2) / (pair[1] - pair[0])

    def amortised(self, of: Emissions) -> Known:
        """Return end stock − last stock before the conversion of the last 20 years."""
        if of.pair is None or self.change is None or self.long_year is None or self.long_year > of.pair[1]:
            return None
        earlier = [year for year in of.run.years("agb") if year < self.long_year and self.whole(year) is not None]
        end = self.whole(of.pair[1])
        return None if not earlier or end is None else end - (self.whole(earlier[-1]) or 0.0)

    def level(self, role: str) -> Known:
        """Return the mean of all layers of a stock that have data here; bgb: of those above, times the ratio."""
        value = plain_mean(list(self.stock["agb" if role == "bgb" else role].values()))
        return value if role != "bgb" or value is None else None if self.ratio is None else value * self.ratio


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((year for year in (one, other) if year is not None), default=None)


def _per_year(start: Known, end: Known, pair: tuple[int, int]) -> Known:
    return None if start is None or end is None else (end - start) / (pair[1] - pair[0])


class _Plot:
    """One plot's sums."""

    def __init__(self, of: Emissions, shape: Shape) -> None:
        self.of, self.shape, self.area = of, shape, shape.area
        # the finest grid: land cover's 10 m where it is bound, else Hansen's, whose centres are those of every third analysis cell
        if of.run.entry("lc") is not None:
            places = [(row, column, ha) for (row, column), ha in shape.weights(ANALYSIS).items()]
        else:
            places = [(3 * row + 1, 3 * column + 1, ha) for (row, column), ha in shape.weights(HANSEN).items()]
        self.cells = [_FineCell(of, *place) for place in places]
        self.assessed = [cell for cell in self.cells if cell.change is not None]
        self.assessed_ha = math.fsum(cell.ha for cell in self.assessed)
        self.known_ha = math.fsum(cell.ha for cell in self.assessed if cell.by_cover or cell.by_systems)
        self.reasons: set[str] = {"area_assumed"} if shape.assumed else set()

    def fields(self) -> dict[str, Any]:
        """All expected fields."""
        of, pair = self.of, self.of.pair
        found: dict[str, Any] = {}
        parts = {
            "luc": [cell for cell in self.assessed if cell.year is not None],
            "biogenic": [cell for cell in self.assessed if cell.year is None],
            "removal": [cell for cell in self.assessed if cell.year is None and (cell.change or 0.0) > 0],
        }
        sd_share = self._sd_share()
        for name, cells in parts.items():
            value = math.fsum(cell.ha * (cell.change or 0.0) for cell in cells) if self.known_ha > 0 else None
            found[f"{name}_tco2eyear"] = value
            found[f"{name}_tco2ehayear"] = None if value is None else value / self.assessed_ha
            found[f"{name}_uncertainty_sd"] = self._sd(cells) if value is not None and sd_share is not None and sd_share >= MIN_SHARE else None
        self._note_stocks(sd_share)
        found |= self._soil()
        found |= self._amortised()
        between = pair is not None and self.assessed_ha > 0 and pair[0] < of.years[0] <= pair[1]
        found["assessed_end"] = min(f"{pair[1]}-12-31", of.run.end.isoformat()) if between and pair is not None else None
        found["stock_years"] = None if pair is None else list(pair)
        found |= {f"annual_{role}": self._annual(role) for role in ("agb", "bgb", "soc")}
        found["annual_lc"] = {str(year): self._majority(year) for year in of.cover_years} or None
        found["coverage"] = self._coverage()
        found["valid_fraction"] = share(self.assessed_ha, self.area)
        if self.assessed_ha > 0:
            self._note_land_use()
        found["reasons"] = sorted(self.reasons)
        return found

    def _errors(self, cells: list[_FineCell]) -> Weighted:
        pair = self.of.pair
        return known((cell.ha, cell.error(pair)) for cell in cells) if pair is not None else []

    def _has_sd(self) -> bool:
        return self.of.pair is not None and set(self.of.pair) <= set(self.of.run.years("agb_sd"))

    def _sd_share(self) -> Known:
        if not self._has_sd() or self.assessed_ha == 0:
            return None
        return weight_of(self._errors(self.assessed)) / self.assessed_ha

    def _sd(self, cells: list[_FineCell]) -> float:
        """sqrt((1 − rho) Σ s² + rho (Σ s)²), s being that of a biomass cell."""
        by_cell: dict[tuple[int, int], float] = defaultdict(float)
        for cell in cells:
            error = cell.error(self.of.pair) if self.of.pair is not None else None
            if error is not None:
                by_cell[cell.place] += cell.ha * error
        rho, summed = self.of.run.settings["rho"], math.fsum(by_cell.values())
        return math.sqrt((1 - rho) * math.fsum(s * s for s in by_cell.values()) + rho * summed * summed)

    def _soil(self) -> dict[str, Known]:
        pair = self.of.soil_pair
        pairs = known((cell.ha, cell.soil_change(pair)) for cell in self.cells) if pair is not None else []
        if pair is None:
            self.reasons.add("one_stock_year:soc")
        elif not pairs:
            self.reasons.add("no_data:soc")
        elif pair != self.of.pair:
            self.reasons.add("stock_years_differ:soc")
        return {"soc_tco2eyear": total(pairs) if pairs else None, "soc_tco2ehayear": mean(pairs)}

    def _amortised(self) -> dict[str, Any]:
        years = self.of.amortisation_years()
        pairs = known((cell.ha, cell.amortised(self.of)) for cell in self.assessed)
        value = total(pairs) / LONG_YEARS if self.known_ha > 0 and years >= MIN_LONG_YEARS else None
        per_ha = None if value is None else value / self.assessed_ha
        return {"luc_amortised_tco2eyear": value, "luc_amortised_tco2ehayear": per_ha, "amortisation_years": years}

    def _annual(self, role: str) -> dict[str, Known]:
        stock = "agb" if role == "bgb" else role
        years: dict[str, Known] = {}
        for year in self.of.run.years(stock):
            values = ((cell.ha, cell.stock[stock][year], cell.ratio if role == "bgb" else 1.0) for cell in self.cells)
            years[str(year)] = mean([(ha, value * ratio) for ha, value, ratio in values if value is not None and ratio is not None])
        spread = deviation(known((cell.ha, cell.level(role)) for cell in self.cells))
        return {"mean": plain_mean(list(years.values())), "std": spread, **years}

    def _majority(self, year: int) -> int | None:
        areas: dict[int, float] = defaultdict(float)
        for cell in self.cells:
            code = cell.codes[year]
            if code is not None:
                areas[int(code)] += cell.ha
        return max(areas, key=lambda code: (areas[code], code)) if areas else None

    def _coverage(self) -> dict[str, float]:
        of = self.of
        agb = self.assessed_ha if of.pair is not None else weight_of(known((cell.ha, cell.level("agb")) for cell in self.cells))
        found = {"agb": share(agb, self.area)}
        if self._has_sd():
            found["agb_sd"] = share(weight_of(self._errors(self.assessed)), self.area)
        pair = of.soil_pair
        soil = known((cell.ha, cell.level("soc") if pair is None else cell.soil_change(pair)) for cell in self.cells)
        found["soc"] = share(weight_of(soil), self.area)
        if of.cover_years:
            found["lc"] = share(math.fsum(cell.ha for cell in self.cells if cell.by_cover), self.area)
        return found

    def _note_stocks(self, sd_share: Known) -> None:
        if self.of.pair is None:
            self.reasons.add("one_stock_year")
        elif self.assessed_ha == 0:
            self.reasons.add("no_data:agb")
        elif not self._has_sd():
            self.reasons.add("missing_layer:agb_sd")
        elif sd_share is not None and sd_share < MIN_SHARE:
            self.reasons.add("sd_coverage")

    def _note_land_use(self) -> None:
        of = self.of
        if self.known_ha == 0:
            self.reasons.add("no_land_use")
            return
        if self.known_ha / self.assessed_ha < MIN_SHARE:
            self.reasons.add("land_use_partly")
        if len(of.window_cover) > 1 and (of.window_cover[0], of.window_cover[-1]) != (of.years[0] - 1, of.years[-1]):
            self.reasons.add("land_cover_years")
        pair = of.pair or (0, 0)
        if math.fsum(cell.ha for cell in self.cells if cell.year is not None and cell.year > pair[1]) > NOTHING_HA:
            self.reasons.add("loss_after_last_stock")
        if math.fsum(cell.ha for cell in self.cells if cell.year is not None and cell.year <= pair[0]) > NOTHING_HA:
            self.reasons.add("loss_before_first_stock")


assert {int(code) for code in LAND_COVER["class_map"]} == NATURAL | CONVERTED  # the datasets file says the same
