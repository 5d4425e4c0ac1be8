"""The planted truth: METHODS sections 1 to 3 written a second time, cell by cell, over the plan of the landscape instead of its files.

Nothing here comes from the plugin. What METHODS leaves open is decided here as `docs/sample.md` says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from scripts.sample.context import Binding, baseline_says, meaning
from scripts.sample.grids import ANALYSIS, Lattice
from scripts.sample.looks import SERIES_FOREST, Cell, Window, looks
from scripts.sample.scene import COMMODITIES, Scene
from scripts.sample.shapes import Shape

# Thresholds of METHODS section 10, typed anew.
HIGH_SYSTEMS = 3
MIN_VALID, LOW_AGREEMENT, HIGH_AGREEMENT, ROTATION_SHARE = 0.95, 0.25, 0.5, 0.5
MIN_AREA_HA, LOW_CRITICAL_HA, LOW_CRITICAL_SHARE, NOTHING_HA = 0.01, 0.5, 0.5, 1e-6
API_SYSTEMS = ("dynamic_world", "glad", "tmf")  # always named in `agreement`, bound or not
TREE_CROPS = ("palm", "cocoa", "rubber", "coffee", "timber")
OVERLAPS = ("jrc_forest", "tmf_forest", "natural_forest", "wdpa", "wdpa_mandate", *COMMODITIES)


def _area(cells: Iterable[Cell]) -> float:
    return math.fsum(cell.ha for cell in cells)


class Truth:
    """The expected result of every plot for one datasets binding and window."""

    def __init__(self, scene: Scene, binding: Binding, window: Window) -> None:
        self.scene, self.binding, self.window = scene, binding, window
        self.lookers = {s: looks(scene, s, record, window) for s, record in binding.records.items()}

    def of(self, shape: Shape) -> dict[str, Any]:
        """Return the expected fields of one plot, as `truth.json` holds them."""
        return _Plot(self, shape).fields()


class _Plot:
    """One plot's cells, and the rules of METHODS section 3 over them, in its order."""

    def __init__(self, truth: Truth, shape: Shape) -> None:
        self.truth, self.shape, self.area = truth, shape, shape.area
        self.scene, self.years, self.records = truth.scene, truth.window.years, truth.binding.records
        self._shares: dict[tuple[str, int], float] = {}
        self._weights: dict[Lattice, list[tuple[tuple[int, int], float]]] = {}
        baseline = self.scene.single["forest_2020"]
        self.cells = [
            Cell(row, column, ha, baseline_says(baseline.at(row, column)), {s: look(row, column) for s, look in truth.lookers.items()})
            for (row, column), ha in self.weights(ANALYSIS)
        ]
        self.union = [cell for cell in self.cells if cell.flags]
        if _area(self.union) < NOTHING_HA:
            self.union = []
        self.reasons: set[str] = {"area_assumed"} if shape.assumed else set()

    def weights(self, lattice: Lattice) -> list[tuple[tuple[int, int], float]]:
        """The plot's cells and weights on a lattice, computed once."""
        if lattice not in self._weights:
            self._weights[lattice] = list(self.shape.weights(lattice).items())
        return self._weights[lattice]

    # -- what was seen ---------------------------------------------------------------------------------------------------------------

    def share(self, system: str, year: int) -> float:
        """Share of the plot in which a system could look in a year."""
        key = system, year
        if key not in self._shares:
            self._shares[key] = _area(c for c in self.cells if year in c.looks[system].years) / self.area
        return self._shares[key]

    def with_data(self) -> set[str]:
        """Systems with data in the plot."""
        return {s for s in self.records if any(c.looks[s].years for c in self.cells)}

    def on_record(self, year: int) -> bool:
        """Whether a year lies in the record of a system with data in the plot."""
        present = self.with_data()
        return any(first + (s in SERIES_FOREST) <= year <= last for s, (first, last) in self.records.items() if s in present)

    def assessed_years(self) -> list[int]:
        """The unbroken run of counted years, from the first, in the record of a system with data in the plot."""
        run = []
        for year in self.years:
            if not self.on_record(year):
                break
            run.append(year)
        return run

    def valid_fraction(self) -> float:
        """Share with baseline data and, for each assessed year, some system that could look."""
        run = self.assessed_years()
        if not run:
            return 0.0
        return _area(c for c in self.cells if c.baseline is not None and all(any(y in k.years for k in c.looks.values()) for y in run)) / self.area

    def seen(self, year: int) -> bool:
        """Whether any part of the plot has the baseline and a system for a year: without, an area of 0 would be a claim."""
        return any(c.baseline is not None and any(year in k.years for k in c.looks.values()) for c in self.cells)

    # -- areas -----------------------------------------------------------------------------------------------------------------------

    def system_area(self, system: str, year: int | None = None) -> float:
        """Area that one system flags, in all years or in one of its own years."""
        return _area(c for c in self.union if system in c.flags and year in (None, c.flags[system]))

    def judges(self, years: Iterable[int]) -> list[str]:
        """Systems that cover enough of the plot in each of the years."""
        return [s for s in sorted(self.records) if all(self.share(s, year) >= MIN_VALID for year in years)]

    def annual(self) -> dict[str, float | None]:
        """`annual_defor`: union area per year and its rmse."""
        result: dict[str, float | None] = {}
        for year in self.years:
            area = _area(c for c in self.union if c.year == year) if self.seen(year) else None
            result[f"defor_ha_{year}"] = area
            judges = self.judges([year])
            known = area is not None and len(judges) >= 2
            result[f"defor_ha_rmse_{year}"] = _rms([self.system_area(s, year) - (area or 0.0) for s in judges]) if known else None
            if not any(self.share(s, year) > 0 for s in self.records):
                self.reasons.add(f"year_not_covered:{year}")
            elif not self.on_record(year):
                self.reasons.add(f"year_partly_covered:{year}")
        return result

    def rrmse(self, union: float | None) -> float | None:
        """`uncertainty_rrmse`; null with fewer than two systems that cover the plot in all assessed years."""
        judges = self.judges(self.assessed_years()) if self.assessed_years() else []
        if self.assessed_years() and len(judges) < 2:
            self.reasons.add("single_system")
        if union is None or len(judges) < 2:
            return None
        return _rms([self.system_area(s) - union for s in judges]) / union if union else 0.0

    def agreement(self, union: float | None) -> dict[str, float | None]:
        """Each system's share of the union, and of the cells on which all agree."""
        present = self.with_data()
        result: dict[str, float | None] = {}
        for system in sorted({*API_SYSTEMS, *self.records}):
            known = system in present and union is not None
            result[system] = (self.system_area(system) / union if union else 0.0) if known else None
        unanimous = _area(c for c in self.union if c.unanimous)
        result["all"] = None if union is None or len(present) < 2 else unanimous / union if union else 0.0
        return result

    def overlaps(self) -> tuple[dict[str, float | None], dict[str, float]]:
        """`overlap` (ha, null where the layer is missing or has no data) and the coverage of the same layers."""
        areas: dict[str, float | None] = {}
        coverage: dict[str, float] = {}
        for role in OVERLAPS:
            layer = meaning(self.scene, role, self.truth.binding, self.truth.window.end.year)
            if layer is None:
                areas[role] = None
                continue
            lattice, read = layer
            weights = [(ha, read(row, column)) for (row, column), ha in self.weights(lattice)]
            known = math.fsum(ha for ha, value in weights if value is not None)
            areas[role] = math.fsum(ha for ha, value in weights if value) if known else None
            coverage[role] = known / self.area
        return areas, coverage

    # -- judgement -------------------------------------------------------------------------------------------------------------------

    def confidence(self, union: float) -> str:
        """`deforestation_confidence` of a plot that was looked at."""
        if not union:
            return "no detection"
        if _area(c for c in self.union if c.consensus) / union < LOW_AGREEMENT:
            return "low"
        unanimous = _area(c for c in self.union if c.unanimous and len(c.available) >= HIGH_SYSTEMS)
        return "high" if unanimous / union >= HIGH_AGREEMENT else "medium"

    def alert(self, confidence: str, deciding: list[Cell]) -> str:
        """The alert table; notes its reasons."""
        area = _area(deciding)
        self._note_deciding(deciding)
        if area < MIN_AREA_HA:
            self.reasons.add("below_min_area")
            return "non-critical"
        if _area(c for c in deciding if self._is("wdpa", c) or self._is("natural_forest", c)) >= MIN_AREA_HA:
            return "critical"
        dated = [r for r in TREE_CROPS if (self.truth.binding.layers.get(r) or 9999) <= 2020]
        if _area(c for c in deciding if any(self._is(r, c) for r in dated)) / area > ROTATION_SHARE:
            return "non-critical"
        if confidence != "low" or area >= LOW_CRITICAL_HA or area / self.area >= LOW_CRITICAL_SHARE:
            return "critical"
        return "non-critical"

    def _note_deciding(self, deciding: list[Cell]) -> None:
        if all(not self.shape.holds(c.column + 0.5, c.row + 0.5) for c in deciding):
            self.reasons.add("edge_only")
        if {c.year for c in self.union} == {2021}:
            self.reasons.add("boundary_year")

    def _note_layers(self, coverage: dict[str, float]) -> None:
        """What the alert table could not rest on, on every row."""
        bound = self.truth.binding.layers
        self.reasons |= {f"context_missing:{r}" for r in ("wdpa", "natural_forest") if coverage.get(r, 0.0) < MIN_VALID}
        self.reasons |= {f"commodity_undated:{r}" for r in TREE_CROPS if r in bound and (bound[r] or 9999) > 2020}

    def _is(self, role: str, cell: Cell) -> bool:
        """Whether a context layer says yes where the analysis cell's centre lies."""
        layer = meaning(self.scene, role, self.truth.binding, self.truth.window.end.year)
        if layer is None:
            return False
        lattice, read = layer
        return bool(read(lattice.index(cell.row, "y"), lattice.index(cell.column, "x")))

    def fields(self) -> dict[str, Any]:
        """All expected fields."""
        annual = self.annual()
        looked = any(annual[f"defor_ha_{y}"] is not None for y in self.years)
        union = _area(self.union) if looked else None
        valid, run = self.valid_fraction(), self.assessed_years()
        confidence = self.confidence(union) if union is not None else None
        deciding = [c for c in self.union if c.consensus] if confidence in ("medium", "high") else self.union
        alert = None if confidence is None else "no deforestation" if not union else self.alert(confidence, deciding)
        if valid < MIN_VALID:
            self.reasons.add("not_assessed:coverage")
            if not union:
                confidence = alert = None
        loss = _area(deciding) if alert == "critical" else None if alert is None or valid < MIN_VALID else 0.0
        areas, coverage = self.overlaps()
        self._note_layers(coverage)
        flagged = sorted({c.year for c in self.union if c.year is not None})
        rrmse, agreement = self.rrmse(union), self.agreement(union)
        return {
            "area": self.area,
            "deforestation_alert": alert,
            "deforestation_confidence": confidence,
            "detected_area": union,
            "noncompliance_area": loss,
            "noncompliance_area_perc": None if loss is None else loss / self.area,
            "deforestation_start": f"{flagged[0]}-01-01" if flagged else None,
            "deforestation_end": f"{flagged[-1]}-12-31" if flagged else None,
            "annual_defor": annual,
            "system_defor": {s: self._system_years(s) for s in sorted(self.records)},
            "uncertainty_rrmse": rrmse,
            "agreement": agreement,
            "overlap": areas,
            "forest_area": areas["jrc_forest"],
            "tmf_degraded_ha": self._degraded(),
            "valid_fraction": valid,
            "coverage": {**coverage, **self._coverage()},
            "assessed_end": min(f"{run[-1]}-12-31", self.truth.window.end.isoformat()) if run else None,
            "reasons": sorted(self.reasons),
        }

    def _system_years(self, system: str) -> dict[str, float | None]:
        return {str(y): self.system_area(system, y) if self.share(system, y) > 0 and self.seen(y) else None for y in self.years}

    def _coverage(self) -> dict[str, float]:
        """Share of the plot with data, for the baseline and each system."""
        shares = {s: _area(c for c in self.cells if c.looks[s].years) / self.area for s in self.records}
        return {**shares, "forest_2020": _area(c for c in self.cells if c.baseline is not None) / self.area}

    def _degraded(self) -> float | None:
        """Area that TMF turns from undisturbed to degraded in a counted year."""
        if "tmf" not in self.with_data():
            return None
        first, last = self.records["tmf"]
        layers = self.scene.series["tmf"]
        steps = [(layers[y - 1], layers[y]) for y in self.years if first < y <= last]
        return _area(c for c in self.cells if any((a.at_analysis(c.row, c.column), b.at_analysis(c.row, c.column)) == (1, 2) for a, b in steps))


def _rms(errors: list[float]) -> float:
    return math.sqrt(math.fsum(e * e for e in errors) / len(errors))
