"""The end of a batch: shares of plots in regions, sums per region, and the reference areas beside them (METHODS section 7)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from epoch_plugin.core.batch.kept_geometry import KeptGeometry
from epoch_plugin.core.batch.references import FIGURES, CommodityLayer, Reference, ReferencePlan, newest_layer
from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.fetch.aggregate import Summed, sum_plots
from epoch_plugin.core.metrics.reasons import Reason, reason
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.regions.reference_area import ReferenceArea, reference_area
from epoch_plugin.core.regions.region import SUPPLY_SHED, Region, area_ha
from epoch_plugin.core.regions.shares import TOLERANCE, Share, belongs, shares
from epoch_plugin.core.store import plots, results
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.jobs import JobRow
from epoch_plugin.core.store.queries import PlotQuery, WindowCondition
from epoch_plugin.core.store.schema import TABLES
from epoch_plugin.core.store.store import Store
from epoch_plugin.core.zonal.rings import Floats

_COLUMNS = TABLES["stat_supply_shed"].by_name
_ROWS_AT_A_TIME = 5_000
STAGE = "regions"


class RegionalStage:
    """Writes `plot_regions` and `stat_supply_shed` of one job."""

    def __init__(
        self, store: Store, request: BatchRequest, collection: CollectionRow, job_id: str, datasets: Datasets, regions: Sequence[Region]
    ) -> None:  # fmt: skip
        self._store, self._request, self._collection, self._job_id, self._datasets = store, request, collection, job_id, datasets
        self._regions = regions
        self._stats = tuple(name for name in request.stats if name in FIGURES)

    def run(self, fids: Sequence[int], boxes: Floats, progress: Progress) -> None:
        """Work out and store everything; rows of the same job are replaced. `fids` and `boxes` (n, 4) are those of the plots."""
        if not len(fids):
            return
        progress.step(1.0, STAGE)
        kept = KeptGeometry(self._polygons(fids))
        near_edge = self._store_shares(fids, boxes, self._regions, kept, progress)
        supply_shed = self._summed(None)
        if supply_shed is None:
            return
        rows = [(self._supply_shed(supply_shed), supply_shed)]
        for number, region in enumerate(self._regions):
            stop_if_cancelled(progress)
            summed = self._summed(region)
            if summed is not None:
                rows.append((self._with_reasons(region, near_edge[number]), summed))
        references = self._references([region for (region, _), _ in rows], kept, progress)
        stored = [self._row(region, reasons, summed, found) for ((region, reasons), summed), found in zip(rows, references)]
        with self._store.writing() as connection:
            results.insert(connection, "supply_shed", stored)

    # shares

    def _polygons(self, fids: Sequence[int]) -> Iterator[bytes]:
        for start in range(0, len(fids), _ROWS_AT_A_TIME):
            with self._store.reading() as connection:
                yield from plots.shapes(connection, fids[start : start + _ROWS_AT_A_TIME]).polygons

    def _store_shares(
        self, fids: Sequence[int], boxes: Floats, regions: Sequence[Region], kept: KeptGeometry, progress: Progress
    ) -> Counter[int]:  # fmt: skip
        """Write `plot_regions`; return how many belonging plots of each region lie near its coarse border; warn about plots in none."""
        with self._store.reading() as connection:
            uuids = [uuid for uuid, _ in plots.areas(connection, self._collection.collection_id)]

        def load(positions: Sequence[int]) -> list[bytes]:
            with self._store.reading() as connection:
                return plots.shapes(connection, [fids[i] for i in positions]).polygons

        near_edge: Counter[int] = Counter()
        inside = {region.stat_type: np.zeros(len(fids), bool) for region in regions}
        waiting: list[dict[str, Any]] = []
        near_border_km = self._request.settings.near_border_km

        def compute() -> Iterator[Share]:
            for share in shares(boxes, load, regions, near_border_km):
                stop_if_cancelled(progress)  # all of them are worked out before the first is handed on
                yield share

        for share in kept.shares(regions, near_border_km, compute):
            region = regions[share.region]
            if belongs(share.share, self._request.settings.overlap_threshold):
                inside[region.stat_type][share.plot] = True
                near_edge[share.region] += share.near_edge
            waiting.append(self._share_row(uuids[share.plot], region, share))
            if len(waiting) == _ROWS_AT_A_TIME:
                stop_if_cancelled(progress)
                progress.step(1.0, STAGE)
                self._write_shares(waiting)
                waiting = []
        self._write_shares(waiting)
        for stat_type, found in inside.items():
            if not found.all():
                progress.warn(f"{int((~found).sum())} of {len(found)} plots belong to no {stat_type}: no region holds enough of their area.")
        return near_edge

    def _share_row(self, uuid: str, region: Region, share: Share) -> dict[str, Any]:
        return {"uuid": uuid, "stat_type": region.stat_type, "region_uuid": region.uuid, "share": share.share, "job_id": self._job_id}

    def _write_shares(self, rows: Iterable[dict[str, Any]]) -> None:
        with self._store.writing() as connection:
            results.insert(connection, "plot_regions", rows)

    # sums

    def _summed(self, region: Region | None) -> Summed | None:
        """Return the sums of the plots that belong to a region (None: all plots), None where none does."""
        window = self._request.window
        condition = WindowCondition(window.start.isoformat(), window.end.isoformat(), self._job_id)
        query = PlotQuery(self._stats, condition)
        query.where("p.collection_id = ?", [self._collection.collection_id])
        if region is not None:
            query.in_region(region.uuid, region.stat_type, self._job_id, self._request.settings.overlap_threshold - TOLERANCE)
        with self._store.reading() as connection:
            if connection.execute(query.sql("1", "LIMIT 1"), query.parameters).fetchone() is None:
                return None
            return sum_plots(connection, query, True, self._request.non_biomass)

    def _supply_shed(self, summed: Summed) -> tuple[Region, list[Reason]]:
        row = self._collection
        return Region(row.collection_id, SUPPLY_SHED, row.collection_name, summed.hull.wkb), []

    def _with_reasons(self, region: Region, near_edge: int) -> tuple[Region, list[Reason]]:
        return region, [reason("coarse_borders", plots=near_edge)] if near_edge else []

    # references

    def _references(self, regions: Sequence[Region], kept: KeptGeometry, progress: Progress) -> Iterator[tuple[Reference, int | None]]:
        """Yield each region's reference and the year of its commodity layer."""
        layer = newest_layer(self._datasets, self._collection.crop_type)
        if not isinstance(layer, CommodityLayer) or not self._stats:
            found = Reference() if isinstance(layer, CommodityLayer) else Reference(reasons=[layer])
            yield from ((found, None) for _ in regions)
            return
        shapes = [_shape(region.polygon) for region in regions]
        plan = ReferencePlan(self._datasets, self._request, layer, np.array([shape.bounds for shape in shapes], np.float64))
        for shape in shapes:
            stop_if_cancelled(progress)
            progress.step(1.0, "references")
            area = kept.reference(shape.wkb, plan.extent, plan.cell_m2, partial(self._reference_area, shape, plan))
            yield plan.assess(area, progress), layer.year

    def _reference_area(self, shape: Any, plan: ReferencePlan) -> ReferenceArea:
        with self._store.reading() as connection:
            return reference_area(shape, plan.extent, lambda box: plots.meeting(connection, self._collection.collection_id, box), plan.cell_m2)

    # rows

    def _row(self, region: Region, reasons: list[Reason], summed: Summed, found: tuple[Reference, int | None]) -> dict[str, Any]:
        reference, year = found
        values = {**summed.properties, **region_values(region, summed)}
        for name in self._stats:
            reasons = [*reasons, *({**item, "statistic": name} for item in summed.properties.get(f"{name}_reasons") or [])]
        fractions = [summed.properties.get(f"{name}_valid_fraction") for name in self._stats]
        values.update(
            monitoring_start=self._request.start_date, monitoring_end=self._request.end_date, job_id=self._job_id,
            reasons=[*reasons, *reference.reasons], coverage=None,
            valid_fraction=min((share for share in fractions if share is not None), default=None),
        )  # fmt: skip
        for name, figure in reference.figures.items():
            values.update({f"{name}_ref": figure.value, f"{name}_ref_n": figure.n, f"{name}_ref_se": figure.se, f"{name}_ref_year": year})
        return {"geom": region.polygon, **{name: values.get(name) for name in _COLUMNS}}


def store_skipped(connection: sqlite3.Connection, collection_id: str, job: JobRow) -> None:
    """Write the collection's row of a job that was skipped: where the plots lie and why nothing was processed; every figure is null."""
    query = PlotQuery((), WindowCondition())
    query.where("p.collection_id = ?", [collection_id])
    summed = sum_plots(connection, query, True, False)
    values = {**summed.properties, "monitoring_start": job.start_date, "monitoring_end": job.end_date, "assessed_end": None, "job_id": job.job_id}
    values["reasons"] = [reason("not_processed")]
    results.insert(connection, "supply_shed", [{"geom": summed.hull.wkb, **{name: values.get(name) for name in _COLUMNS}}])


def region_values(region: Region, summed: Summed) -> dict[str, Any]:
    """Return what a row says of its region; the collection's own is its plots' hull."""
    values: dict[str, Any] = {"uuid": region.uuid, "stat_type": region.stat_type, "region_name": region.name}
    if region.stat_type == SUPPLY_SHED:
        return values
    shape = _shape(region.polygon)
    longitude, latitude = shape.centroid.coords[0]
    values.update(area_ha_supply_shed=area_ha(shape), centroid={"lat": latitude, "long": longitude})
    if summed.properties["facility_geo"] == _hull_point(summed):
        values["facility_geo"] = f"POINT({longitude!r} {latitude!r})"
    values.update({name: value for name, value in (("country", region.country), ("admin1", region.admin1)) if value})
    return values


def _hull_point(summed: Summed) -> str:
    longitude, latitude = summed.hull.centroid
    return f"POINT({longitude!r} {latitude!r})"


def _shape(wkb: bytes) -> Any:
    import shapely.wkb

    return shapely.wkb.loads(wkb)
