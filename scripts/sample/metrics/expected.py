"""The truth of a run, and the hand-written expectations that it must meet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from scripts.sample.cases import Case
from scripts.sample.grids import ANALYSIS
from scripts.sample.metrics.biodiversity import Diversity
from scripts.sample.metrics.biomass import Emissions
from scripts.sample.metrics.layers import Ground
from scripts.sample.metrics.plant import village
from scripts.sample.metrics.runs import RUNS, Run
from scripts.sample.metrics.stories import CANOPY_REGIONS, CLIMATES, Story, all_stories
from scripts.sample.metrics.water import Water
from scripts.sample.metrics.zonal_stats import OwnLayers
from scripts.sample.plan import Plan, plots_with_ids
from scripts.sample.shapes import Shape, geodesic_circle


class Maker(Protocol):
    """Knows the expected row of a plot."""

    def of(self, shape: Shape) -> dict[str, Any]:
        """Return the expected fields."""


TRUTHS: dict[str, Callable[[Ground, Run], Maker]] = {"luc_emissions": Emissions, "biodiversity": Diversity, "water": Water, "extra": OwnLayers}


def truth_of(ground: Ground, plan: Plan, run: Run) -> dict[str, dict[str, Any]]:
    """Return {plot id: {statistic: expected fields}}; raise if the truth contradicts what was written by hand."""
    stories = all_stories()
    told = {story.case for story in stories} | {case for region in CANOPY_REGIONS for case in region.cases}
    makers = {statistic: TRUTHS[statistic](ground, run) for statistic in run.statistics}
    plots: dict[str, dict[str, Any]] = {}
    wrong: list[str] = []
    for number, (plotid, shape, case) in enumerate(_assessed(plan)):
        if number % run.every and case.name not in told:
            continue
        plots[plotid] = {"case": case.name, **{statistic: maker.of(shape) for statistic, maker in makers.items()}}
        for story in _expectations(run, stories, case.name, shape):
            wrong += [f"{plotid} ({case.name}): {line}" for line in _disagreements(story, plots[plotid])]
    if wrong:
        raise AssertionError(f"{run.truth}: the truth contradicts what was planted:\n" + "\n".join(wrong))
    return plots


def _assessed(plan: Plan) -> Iterator[tuple[str, Shape, Case]]:
    """Yield every plot; round points, the circle on the ellipsoid, because here values differ from corner to corner."""
    points: dict[str, tuple[float, float]] = {}
    for plot in plan.plots:
        if plot.case.points:
            given = plot.geometry["coordinates"]
            points.update(zip(plot.shapes, [given] if plot.geometry["type"] == "Point" else given))
    for plotid, shape, case in plots_with_ids(plan):
        yield plotid, geodesic_circle(*points[plotid], shape.area, shape.assumed) if plotid in points else shape, case


def _expectations(run: Run, stories: list[Story], case: str, shape: Shape) -> Iterator[Story]:
    """Yield what was written for a plot: all of it for the first run, for other settings what they change."""
    regions = [region for region in CANOPY_REGIONS if case in region.cases]
    if run.truth == "truth_settings.json":
        yield from (Story(case, (), {"biodiversity": region.expect_other_settings}) for region in regions)
    if run is not RUNS[0]:
        return
    yield from (story for story in stories if story.case == case)
    yield from (Story(case, (), {"biodiversity": region.expect}) for region in regions)
    for number, climate in CLIMATES.items():
        column0, row0, column1, row1 = village(number)
        corners = [ANALYSIS.to_cells(*point) for outer, *_ in shape.parts for point in outer]
        if all(column0 < x < column1 and row0 < y < row1 for x, y in corners):
            yield Story(case, (), {"water": climate.expect})


def _disagreements(story: Story, truth: dict[str, Any]) -> list[str]:
    wrong = []
    for statistic, expect in story.expect.items():
        row = truth[statistic]
        wrong += [f"reason {code} is missing: {row['reasons']}" for code in expect.get("has", ()) if code not in row["reasons"]]
        wrong += [f"reason {code} should not be there" for code in expect.get("without", ()) if code in row["reasons"]]
        if expect.get("partly_covered") and not 0.05 < row["valid_fraction"] < 0.95:
            wrong.append(f"valid_fraction is {row['valid_fraction']}, not a part")
        if "sd_of_luc" in expect and not _close(row["luc_uncertainty_sd"], expect["sd_of_luc"] * abs(row["luc_tco2eyear"]), 1e-9):
            wrong.append(f"luc_uncertainty_sd is {row['luc_uncertainty_sd']}")
        for field, wanted in expect.items():
            if field not in ("has", "without", "partly_covered", "sd_of_luc"):
                wrong += _compared(f"{statistic}.{field}", row.get(field, row.get("extra", {}).get(field)), wanted, story.within)
    return wrong


def _compared(path: str, found: Any, wanted: Any, within: float) -> list[str]:
    if isinstance(wanted, dict):
        return [line for key, value in wanted.items() for line in _compared(f"{path}.{key}", (found or {}).get(key), value, within)]
    same = _close(found, wanted, within) if isinstance(wanted, float) and isinstance(found, (int, float)) else found == wanted
    return [] if same else [f"{path} is {found}, expected {wanted}"]


def _close(found: float, wanted: float, within: float) -> bool:
    return math.isclose(found, wanted, rel_tol=within, abs_tol=1e-9)
