"""METHODS section 6 a second time, from yearly plot means."""

from __future__ import annotations

import math
import statistics
from typing import Any

from scripts.sample.metrics.layers import CLIMATE, UNDATED, Ground
from scripts.sample.metrics.means import Known, known, mean, share, weight_of
from scripts.sample.metrics.runs import Run
from scripts.sample.shapes import Shape

ARIDITY = ((0.65, "humid"), (0.5, "dry sub-humid"), (0.2, "semi-arid"), (0.05, "arid"), (-math.inf, "hyper-arid"))  # from this ratio on
MIN_REFERENCE = 5
FIELDS = {
    "water_stress_index": ("water_stress",), "precipitation_pet_ratio": ("precipitation", "pet"),
    "soil_moisture_percentile": ("soil_moisture",), "evapotranspiration_anomaly": ("et",),
}  # fmt: skip


class Water:
    """The expected rows of `water` in one run."""

    def __init__(self, ground: Ground, run: Run) -> None:
        self.ground, self.run, self.years = ground, run, run.window.years
        self.stress = run.entry("water_stress") is not None

    def reference(self, role: str) -> tuple[list[int], bool]:
        """Return a role's reference years, and whether the window's had to be taken in."""
        bound, setting = self.run.years(role), self.run.settings["reference_years"]
        if setting != "auto":
            return [year for year in bound if str(year) in setting.split(",")], False
        before = [year for year in bound if year < self.years[0]]
        return (before, False) if len(before) >= MIN_REFERENCE else (bound, True)

    def value(self, role: str, year: int, row: int, column: int) -> Known:
        """Return a cell's value; the rain of 2022 is the sum of two files where the entry combines them."""
        value = self.ground.measured[role][year].at(row, column)
        if (role, year) == ("precipitation", 2022) and value is not None:
            late = self.ground.measured["precipitation_late"][2022].at(row, column)
            return None if late is None else value + late
        return value

    def of(self, shape: Shape) -> dict[str, Any]:
        """Return the expected fields of one plot."""
        return _Plot(self, shape).fields()


class _Plot:
    def __init__(self, of: Water, shape: Shape) -> None:
        self.of, self.area, self.years = of, shape.area, of.years
        self.cells = [(row, column, ha) for (row, column), ha in shape.weights(CLIMATE).items()]
        self.reasons: set[str] = {"area_assumed"} if shape.assumed else set()
        self.told: set[int] = set()
        self.coverage: dict[str, float] = {}

    def means(self, role: str, years: list[int]) -> dict[int, float]:
        """Return the plot means of the years that are bound and have data."""
        found = {}
        for year in years:
            if year in self.of.run.years(role):
                value = mean(known((ha, self.of.value(role, year, r, c)) for r, c, ha in self.cells))
                if value is not None:
                    found[year] = value
        return found

    def _cover(self, role: str) -> None:
        shares = []
        for year in (year for year in self.of.run.years(role) if year in self.years):
            seen = weight_of(known((ha, self.of.value(role, year, r, c)) for r, c, ha in self.cells))
            shares += [share(seen, self.area)] if seen else []
        self.coverage[role] = min(shares, default=0.0)

    def fields(self) -> dict[str, Any]:
        """All expected fields."""
        found: dict[str, Any] = {"water_stress_index": self._stress()}
        found |= self._pet_ratio()
        found |= self._ranked("soil_moisture", "soil_moisture_percentile")
        found |= self._ranked("et", "evapotranspiration_anomaly")
        for role in ("precipitation", "pet", "et", "soil_moisture"):
            if self.of.run.entry(role) is not None:
                self._cover(role)
        run = []
        for year in self.years:
            if year not in self.told:
                break
            run.append(year)
        behind = [self.coverage[role] for field, roles in FIELDS.items() if found[field] is not None for role in roles]
        found["assessed_end"] = min(f"{run[-1]}-12-31", self.of.run.end.isoformat()) if run else None
        found["coverage"] = self.coverage
        found["valid_fraction"] = min(behind, default=0.0)
        found["reasons"] = sorted(self.reasons)
        return found

    def _stress(self) -> Known:
        if not self.of.stress:
            self.reasons.add("missing_layer:water_stress")
            return None
        layer = self.of.ground.measured["water_stress"][UNDATED]
        pairs = known((ha, layer.at(r, c)) for r, c, ha in self.cells)
        self.coverage["water_stress"] = share(weight_of(pairs), self.area)
        if not pairs:
            self.reasons.add("no_data:water_stress")
        return mean(pairs)

    def _pet_ratio(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"precipitation_pet_ratio": None, "aridity_class": None, "annual_precipitation_pet_ratio": None}
        rain, demand = (self.means(role, list(self.years)) for role in ("precipitation", "pet"))
        missing = False
        for role, values in (("precipitation", rain), ("pet", demand)):
            if self.of.run.entry(role) is None:
                self.reasons.add(f"missing_layer:{role}")
                missing = True
            elif not values:
                self.reasons.add(f"no_window_year:{role}")
        both = [year for year in self.years if year in rain and year in demand]
        self.told |= set(both)
        if not missing:
            empty["annual_precipitation_pet_ratio"] = {
                str(year): rain[year] / demand[year] if year in both and demand[year] > 0 else None for year in self.years
            }
        if missing or not rain or not demand:
            return empty
        if not both:
            self.reasons.add("no_common_year")
            return empty
        if math.fsum(demand[year] for year in both) <= 0:
            self.reasons.add("pet_not_positive")
            return empty
        if both[-1] != self.years[-1]:
            self.reasons.add("earlier_year:precipitation_pet_ratio")
        ratio = math.fsum(rain[year] for year in both) / math.fsum(demand[year] for year in both)
        return {**empty, "precipitation_pet_ratio": ratio, "aridity_class": next(name for bound, name in ARIDITY if ratio >= bound)}

    def _ranked(self, role: str, field: str) -> dict[str, Any]:
        if self.of.run.entry(role) is None:
            self.reasons.add(f"missing_layer:{role}")
            return {field: None, f"annual_{field}": None}
        years, with_window = self.of.reference(role)
        values, reference = self.means(role, list(self.years)), list(self.means(role, years).values())
        self.told |= set(values)
        index = _percentile if role == "soil_moisture" else _anomaly
        yearly = {year: index(values[year], reference) if year in values else None for year in self.years}
        shown = [year for year in self.years if yearly[year] is not None]
        self._note(role, values, reference, with_window, shown)
        return {field: yearly[shown[-1]] if shown else None, f"annual_{field}": {str(year): value for year, value in yearly.items()}}

    def _note(self, role: str, values: dict[int, float], reference: list[float], with_window: bool, shown: list[int]) -> None:
        if not values:
            self.reasons.add(f"no_window_year:{role}")
        elif len(reference) < MIN_REFERENCE:
            self.reasons.add(f"few_reference_years:{role}")
        elif not shown:
            self.reasons.add(f"no_variation:{role}")
        else:
            self.reasons |= {f"reference_includes_window:{role}"} if with_window else set()
            self.reasons |= {f"earlier_year:{role}"} if shown[-1] != self.years[-1] else set()


def _percentile(value: float, reference: list[float]) -> Known:
    if len(reference) < MIN_REFERENCE:
        return None
    return 100 * (sum(x < value for x in reference) + sum(x == value for x in reference) / 2) / len(reference)


def _anomaly(value: float, reference: list[float]) -> Known:
    if len(reference) < MIN_REFERENCE or len(set(reference)) == 1:
        return None
    return (value - statistics.fmean(reference)) / statistics.stdev(reference)
