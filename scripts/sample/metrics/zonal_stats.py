"""The grammar of `stats` (METHODS section 1) a second time."""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from scripts.sample.metrics.layers import UNDATED, Ground
from scripts.sample.metrics.means import deviation, mean, share, weight_of
from scripts.sample.metrics.runs import Run
from scripts.sample.shapes import Shape

TESTS: dict[str, Callable[[float, float], bool]] = {"==": operator.eq, ">=": operator.ge, ">": operator.gt, "<": operator.lt}


class OwnLayers:
    """The expected rows of `extra` in one run."""

    def __init__(self, ground: Ground, run: Run) -> None:
        self.layers = []
        for entry in (entry for entry in run.entries if "stats" in entry):
            for year in run.years(entry["role"]) or [UNDATED]:
                name = entry["role"] if year == UNDATED else f"{entry['role']}_{year}"
                self.layers.append((name, ground.measured[entry["role"]][year], entry["stats"]))

    def of(self, shape: Shape) -> dict[str, Any]:
        """Return the expected fields of one plot."""
        found, coverage = {}, {}
        reasons = {"area_assumed"} if shape.assumed else set()
        for name, layer, words in self.layers:
            lattice = layer.layer.lattice
            cells = [(ha, ha / lattice.cell_ha(row), layer.at(row, column)) for (row, column), ha in shape.weights(lattice).items()]
            pairs = [(ha, fraction, value) for ha, fraction, value in cells if value is not None]
            found[name] = {word: statistic(word, pairs) for word in words}
            coverage[name] = share(weight_of([(ha, 0.0) for ha, _, _ in pairs]), shape.area)
            reasons |= set() if pairs else {f"no_data:{name}"}
        return {
            "extra": found, "assessed_end": None, "coverage": coverage, "valid_fraction": min(coverage.values()), "reasons": sorted(reasons),
        }  # fmt: skip


def statistic(word: str, cells: list[tuple[float, float, float]]) -> Any:
    """Return one statistic of cells (ha, covered fraction, value); None of nothing."""
    if not cells:
        return None
    weighted, values = [(ha, value) for ha, _, value in cells], [value for _, _, value in cells]
    areas: dict[float, float] = defaultdict(float)
    for ha, value in weighted:
        areas[value] += ha
    simple: dict[str, Callable[[], Any]] = {
        "count": lambda: len(cells),
        "mean": lambda: mean(weighted),
        "std": lambda: deviation(weighted),
        "sum": lambda: sum(fraction * value for _, fraction, value in cells),
        "min": lambda: min(values),
        "max": lambda: max(values),
        "variety": lambda: len(areas),
        "majority": lambda: max(areas, key=lambda value: (areas[value], value)),
        "minority": lambda: min(areas, key=lambda value: (areas[value], value)),
        "classes": lambda: {f"{value:g}": areas[value] for value in sorted(areas)},
        "median": lambda: _quantile(areas, 0.5),
    }
    if word in simple:
        return simple[word]()
    if match := re.fullmatch(r"p(\d+)", word):
        return _quantile(areas, int(match.group(1)) / 100)
    sign, bound = re.fullmatch(r"area(==|>=|>|<)(.+)", word).groups()  # type: ignore[union-attr]
    return sum(ha for value, ha in areas.items() if TESTS[sign](value, float(bound)))


def _quantile(areas: dict[float, float], q: float) -> float:
    """Return the smallest value whose cumulative weight reaches q × total."""
    wanted, reached = q * sum(areas.values()), 0.0
    for value in sorted(areas):
        reached += areas[value]
        if reached >= wanted:
            return value
    return max(areas)
