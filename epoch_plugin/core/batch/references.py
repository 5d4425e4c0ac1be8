"""What the rest of a region looks like: the same figures over the same commodity, without the collection's plots (METHODS section 7)."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from epoch_plugin.core.batch.commodity_mask import MaskedPlan, MaskedResult, analysis_grids, as_one, unmasked
from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.batch.statistics import PLANNERS, MergedTasks, StatisticPlan
from epoch_plugin.core.collections.crop_types import find_crop
from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.metrics.deforestation.assess import assess
from epoch_plugin.core.metrics.deforestation.bindings import Bindings
from epoch_plugin.core.metrics.deforestation.statistic import DeforestationStatistic
from epoch_plugin.core.metrics.grid_tasks import Place
from epoch_plugin.core.metrics.reasons import Reason, reason
from epoch_plugin.core.metrics.shares import M2_PER_HA
from epoch_plugin.core.progress import Progress
from epoch_plugin.core.regions.reference_area import ReferenceArea
from epoch_plugin.core.zonal import engine
from epoch_plugin.core.zonal.array_cache import cache_folder
from epoch_plugin.core.zonal.cell_area import ground_cell_size, is_geographic
from epoch_plugin.core.zonal.coverage_cache import CoverageCache
from epoch_plugin.core.zonal.kernel import LayerRead
from epoch_plugin.core.zonal.rings import Floats, middle_of

ALIKE = 1e-12  # relative: values of squares that differ by less differ by rounding
FIGURES = {
    "eudr_deforestation": ("noncompliance_area_perc",),
    "luc_emissions": ("luc_tco2ehayear", "biogenic_tco2ehayear", "soc_tco2ehayear", "removal_tco2ehayear"),
    "biodiversity": ("diversity_score",),
    "water": ("water_stress_index", "precipitation_pet_ratio", "soil_moisture_percentile", "evapotranspiration_anomaly"),
}
"""Which figures of a statistic are compared with the reference area."""


@dataclass(frozen=True)
class CommodityLayer:
    """The newest layer of the collection's commodity; `year` None = not known."""

    role: str
    entry: Entry
    ref: SourceRef
    year: int | None


def newest_layer(datasets: Datasets, crop_type: str | None) -> CommodityLayer | Reason:
    """Return the newest layer of a commodity that is bound (an undated one where there is no other), or the reason why there is none."""
    role = find_crop(crop_type)
    if role is None:
        return reason("reference_no_commodity")
    found = [(ref.year if ref.year is not None else entry.year, entry, ref) for entry in datasets.by_role(role) for ref in entry.sources]
    if not found:
        return reason("reference_missing", role)
    year, entry, ref = max(found, key=lambda item: item[0] or 0)
    return CommodityLayer(role, entry, ref, year)


@dataclass(frozen=True)
class _Shape:
    area: float
    uuid: str = "reference"
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One figure of a reference area: `n` cells (all of them: no sampling error) or, with a standard error from a sample, squares."""

    value: float
    n: int
    se: float | None


@dataclass
class Reference:
    """What is known of one region's reference area; figures that could not be told are left out."""

    figures: dict[str, Figure] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)


class ReferencePlan:
    """The statistics of a batch, planned over regions and limited to a commodity; one plan serves all regions."""

    def __init__(self, datasets: Datasets, request: BatchRequest, commodity: CommodityLayer, boxes: Floats) -> None:
        """Open the layers; `boxes` (n, 4: west, south, east, north in degrees) are those of the regions."""
        self.commodity = commodity
        self._settings = request.settings
        self._names = [name for name in request.stats if name in FIGURES]
        plans = [_needed(PLANNERS[name](datasets, request.window, request.settings, boxes)) for name in self._names]
        self._centre = middle_of(boxes)
        mask = open_commodity(datasets, request, commodity, plans, boxes)
        self._masked = [MaskedPlan(plan, mask, boxes) for plan in plans] if mask is not None else []
        self._tasks = MergedTasks(self._masked)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Return the box (degrees) beyond which the commodity's layer has nothing; an empty one where it cannot be read at all."""
        return extent_in_degrees(self._masked[0].mask.layer.grid) if self._masked else (0.0, 0.0, 0.0, 0.0)

    @property
    def cell_m2(self) -> float:
        """Return the ground area of a cell of the finest grid."""
        return min((ground_cell_size(task.grid, *self._centre) ** 2 for task in self._tasks.tasks), default=1e4)

    def assess(self, area: ReferenceArea, progress: Progress) -> Reference:
        """Return the figures of one reference area."""
        found = Reference()
        if not self._masked or not self._tasks.tasks or not area.pieces:
            found.reasons.append(reason("reference_empty"))
            return found
        answers = engine.run(area.pieces, self._tasks.tasks, os.cpu_count() or 1, progress, CoverageCache(cache_folder()))
        results = [[unmasked(result) for result in self._tasks.results_of(number, answers)] for number in range(len(self._masked))]
        whole = next((as_one(result) for own in results for result in own), None)
        if whole is None or whole.result.weight[0] <= 0:
            found.reasons.append(reason("reference_empty"))
            return found
        for name, masked, own in zip(self._names, self._masked, results):
            figures = _figures(masked.plan, FIGURES[name], own, area, self._settings.min_valid_fraction) if own else {}
            found.figures.update(figures)
            if not figures:
                found.reasons.append(reason("reference_not_assessed", name))
        share = area.searched * float(whole.known_m2[0] / whole.whole_m2[0])
        if share < self._settings.min_valid_fraction:
            found.reasons.append(reason("reference_partly", self.commodity.role, share=share))
        if area.sampled:
            found.reasons.append(reason("reference_sampled", squares=len(area.pieces), share=area.fraction))
        if self.commodity.year is None:
            found.reasons.append(reason("reference_undated", self.commodity.role))
        return found


def _needed(plan: StatisticPlan) -> StatisticPlan:
    """Return a plan without what no figure rests on: the overlaps of a deforestation check, each on a grid of its own."""
    if not isinstance(plan, DeforestationStatistic) or plan.plan.analysis is None:
        return plan
    task = plan.plan.tasks[plan.plan.analysis.task]
    only = replace(task, kernels=(task.kernels[plan.plan.analysis.kernel],))
    return DeforestationStatistic(replace(plan.plan, tasks=(only,), analysis=Place(0, 0), masks={}))


def open_commodity(
    datasets: Datasets, request: BatchRequest, commodity: CommodityLayer, plans: Sequence[StatisticPlan], boxes: Floats
) -> LayerRead | None:
    """Open a commodity's layer as 0 no data, 1 no, 2 yes; None for a vector layer where no raster gives a grid to burn it on."""
    bindings = Bindings(datasets, request.window, request.settings)
    if commodity.ref.vector:
        centre = middle_of(boxes)
        grids: list[Grid] = sorted(analysis_grids(plans), key=lambda grid: ground_cell_size(grid, *centre))
        if not grids:
            return None
        bindings.grid = grids[0]
    return bindings.mask(commodity.entry, commodity.ref, f"reference/{commodity.role}")


def extent_in_degrees(grid: Grid) -> tuple[float, float, float, float]:
    """Return a box (west, south, east, north) around a grid; all longitudes where it runs across 180 degrees."""
    left, right = grid.x0, grid.x0 + grid.ncols * grid.dx
    bottom, top = sorted((grid.y0, grid.y0 + grid.nrows * grid.dy))
    if not is_geographic(grid.crs):
        from pyproj import Transformer

        left, bottom, right, top = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform_bounds(left, bottom, right, top)
        if not np.isfinite([left, bottom, right, top]).all():
            return -180.0, -90.0, 180.0, 90.0
    return (-180.0, bottom, 180.0, top) if right > 180 or left >= right else (left, bottom, right, top)


@dataclass(frozen=True)
class CommodityProvenance:
    """The commodity's layer as the job's inputs list it."""

    layers: tuple[tuple[Entry, str, RasterLayer], ...]


def _figures(
    plan: StatisticPlan, names: Sequence[str], results: Sequence[MaskedResult], area: ReferenceArea, least_seen: float
) -> dict[str, Figure]:  # fmt: skip
    """Return the figures of one statistic: those of all pieces together, and how they scatter between the pieces of a sample."""
    together = [as_one(result) for result in results]
    (whole,) = _values(plan, names, together, 1)
    if whole.seen < least_seen:
        return {}
    first = together[_deciding_task(plan)]
    pieces = _values(plan, names, results, len(area.pieces)) if area.sampled else []
    found = {}
    for name in names:
        value = whole.values[name]
        if value is None:
            continue
        if not area.sampled:
            found[name] = Figure(value, int(first.cells[0]), 0.0)
            continue
        told = [(piece.assessed_ha, known) for piece in pieces for known in (piece.values[name],) if known is not None and piece.assessed_ha > 0]
        found[name] = Figure(value, len(told), standard_error(value, told, area.fraction))
    return found


def standard_error(ratio: float, pieces: Sequence[tuple[float, float]], fraction: float) -> float | None:
    """Return the standard error of a ratio over sampled pieces (area, value per area); None for fewer than two, or where all are alike.

    The ratio estimator of cluster sampling (Cochran 1977, section 2.11 and 6.4):
    sqrt((1 - f) n / (n - 1) sum(a_i^2 (v_i - R)^2)) / sum(a_i); a systematic sample is taken for a random one.
    A sample without any scatter, such as squares none of which lost forest, cannot say how much scatter there is: 0 would claim certainty.
    """
    n, total = len(pieces), math.fsum(area for area, _ in pieces)
    if n < 2 or total <= 0:
        return None
    squares = math.fsum((area * (value - ratio)) ** 2 for area, value in pieces)
    if math.sqrt(squares) <= ALIKE * abs(ratio) * total:
        return None
    return math.sqrt(max(1 - fraction, 0.0) * n / (n - 1) * squares) / total


@dataclass(frozen=True)
class _Values:
    """A statistic of one piece: figures (None = not known), the area they are of, and which share of the commodity was seen."""

    values: dict[str, float | None]
    assessed_ha: float
    seen: float


def _deciding_task(plan: StatisticPlan) -> int:
    if isinstance(plan, DeforestationStatistic) and plan.plan.analysis is not None:
        return plan.plan.analysis.task
    return 0


def _values(plan: StatisticPlan, names: Sequence[str], results: Sequence[MaskedResult], n: int) -> list[_Values]:
    inner = [result.result for result in results]
    weight = inner[_deciding_task(plan)].weight / M2_PER_HA
    if isinstance(plan, DeforestationStatistic):
        return _deforestation(plan, names[0], inner, weight)
    rows = plan.rows(inner, [_Shape(float(weight[i])) for i in range(n)])
    return [
        _Values({name: row[name] for name in names}, float(weight[i]) * (row["valid_fraction"] or 0.0), row["valid_fraction"] or 0.0)
        for i, row in enumerate(rows)
    ]


def _deforestation(plan: DeforestationStatistic, name: str, results: list[engine.GridResult], weight: Floats) -> list[_Values]:
    """Return the share of the commodity's area that is flagged: by consensus, with one system by that one."""
    table = assess(plan.plan, results, weight)
    flagged = np.where(table.system_there.sum(axis=1) > 1, table.sums.consensus, table.sums.union)
    known = ~np.isnan(table.detected)
    return [
        _Values({name: float(flagged[i] / weight[i]) if known[i] and weight[i] > 0 else None}, float(weight[i]), float(table.valid_fraction[i]))
        for i in range(len(weight))
    ]  # fmt: skip
