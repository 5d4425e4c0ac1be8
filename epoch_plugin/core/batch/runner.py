"""Running a batch: plan it, find or make its job, run that."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Sequence
from typing import Any

from epoch_plugin.core.batch.chunks import as_boxes, finest_cell_m2, make_chunks
from epoch_plugin.core.batch.compute import ChunkSpec
from epoch_plugin.core.batch.inputs import Layered, describe_inputs, describe_run, inputs_key
from epoch_plugin.core.batch.job_run import JobRun, plot_counts
from epoch_plugin.core.batch.non_biomass import describe_non_biomass, plan_non_biomass, store_non_biomass
from epoch_plugin.core.batch.references import CommodityLayer, CommodityProvenance, newest_layer, open_commodity
from epoch_plugin.core.batch.regional import RegionalStage, store_skipped
from epoch_plugin.core.batch.regions_of import describe_regions, regions_around
from epoch_plugin.core.batch.request import RECOMPUTE, BatchRequest, BatchResult
from epoch_plugin.core.batch.statistics import PLANNERS, StatisticPlan
from epoch_plugin.core.datasets.datasets_file import Datasets, load_datasets
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm.assess import FarmEmissions
from epoch_plugin.core.progress import Progress
from epoch_plugin.core.store import collections, jobs, plots
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.jobs import JobRow
from epoch_plugin.core.store.store import Store
from epoch_plugin.core.zonal.rings import Floats

COARSEST_CHUNK_CELL_M2 = 100.0  # a batch of coarser grids has the chunks of one of 10 m, and finds the coverage kept for them

SKIPPED = "not processed: validation confidence too low"


def run_batch(store: Store, request: BatchRequest, progress: Progress) -> BatchResult:
    """Run or continue the batch that `request` describes and return its job.

    A completed job with the same inputs is returned as it is, an unfinished one continues at its next chunk; with
    `recompute` a new job is made. Raises `EpochError` with what to do when it cannot be run to its end; the chunks that
    were committed stay, and the same request continues behind them.
    """
    request.check()
    with store.reading() as connection:
        collection = collections.find(connection, request.collection)
        fids, boxes = as_boxes(plots.boxes(connection, collection.collection_id))
    _require_uploaded(collection)
    if request.skip_on_low_confidence and collection.locations_confidence in ("low", "invalid", SKIPPED):
        return _skip(store, request, collection, progress)
    progress.step(0.0, "plan")
    datasets = load_datasets(request.datasets)
    plans = [PLANNERS[name](datasets, request.window, request.settings, boxes) for name in request.stats]
    for name, plan in zip(request.stats, plans):
        for role in plan.missing:
            progress.warn(f"{name}: no '{role}' is bound in {request.datasets}; without it no plot can be assessed.")
    regions = regions_around(request, boxes)  # first, so that a layer which cannot be used stops the batch before it begins
    farm = plan_non_biomass(store, collection.collection_id, request.settings) if request.non_biomass else None
    inputs = _inputs(request, collection, datasets, plans, boxes, farm)
    job, reused = _job(store, request, inputs, plans, collection)
    if reused:
        progress.info(f"Job {job.job_id} has the same inputs and is completed: its results are used as they are.")
        return BatchResult(job.job_id, job.status, *plot_counts(store, job), reused=True)
    chunks = make_chunks(fids, boxes, min(finest_cell_m2(plans, boxes), COARSEST_CHUNK_CELL_M2))
    _trust_again(store, collection)

    def finish(watched: Progress) -> None:
        """Write what is known once all plots are: farm emissions, shares of regions, sums and references."""
        if farm is not None:
            store_non_biomass(store, collection.collection_id, job.job_id, farm, watched)
        RegionalStage(store, request, collection, job.job_id, datasets, regions).run(fids, boxes, watched)

    with store.kept_in_wal():
        return JobRun(store, job, ChunkSpec(request.stats, tuple(plans)), request.executor, chunks, progress, finish).run()


def _inputs(
    request: BatchRequest, collection: CollectionRow, datasets: Datasets, plans: Sequence[StatisticPlan], boxes: Floats, farm: FarmEmissions | None
) -> dict[str, Any]:  # fmt: skip
    """Return everything that decides the results, the commodity's layer of the reference areas included."""
    layer = newest_layer(datasets, collection.crop_type)
    read: tuple[Layered, ...] = tuple(plans)
    commodity = None
    if isinstance(layer, CommodityLayer):
        mask = open_commodity(datasets, request, layer, plans, boxes)
        commodity = layer.role
        read = (*plans, CommodityProvenance(((layer.entry, mask.key, mask.layer),))) if mask is not None else read
    described = describe_non_biomass(collection.input_payload, farm) if farm is not None else None
    return describe_inputs(request, collection.collection_id, read, describe_regions(request), commodity, described)


def _trust_again(store: Store, collection: CollectionRow) -> None:
    """Take back the note that a collection was skipped: it is processed now, and its locations are as good as they were found."""
    if collection.locations_confidence == SKIPPED:
        found = (collection.validation_report or {}).get("confidence")
        with store.writing() as connection:
            collections.update(connection, collection.collection_id, {"locations_confidence": found})


def _require_uploaded(collection: CollectionRow) -> None:
    if collection.status == "staged":
        raise InputError(f"'{collection.collection_name}' is staged, not uploaded: run epoch:uploadplots on it first.")


def _owner() -> str:
    return f"{platform.node()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def _job(
    store: Store, request: BatchRequest, inputs: dict[str, Any], plans: Sequence[StatisticPlan], collection: CollectionRow
) -> tuple[JobRow, bool]:
    """Return the job to run, claimed, or a completed one and True."""
    key = inputs_key(inputs)
    with store.writing() as connection:
        if request.if_done != RECOMPUTE:
            done = jobs.find_by_inputs_key(connection, key, jobs.COMPLETED)
            if done is not None:
                return done, True
            unfinished = jobs.find_by_inputs_key(connection, key, jobs.UNFINISHED)
            if unfinished is not None:
                return jobs.claim(connection, unfinished.job_id, _owner()), False
        job = JobRow(
            job_id=uuid.uuid4().hex, collection_id=collection.collection_id, stats=list(request.stats), start_date=request.start_date.isoformat(),
            end_date=request.end_date.isoformat(), inputs_key=key, outcome="plan", provenance=describe_run(request, inputs, plans),
        )  # fmt: skip
        jobs.create(connection, job)
        collections.update(connection, collection.collection_id, {"status": "processing"})
        return jobs.claim(connection, job.job_id, _owner()), False


def _skip(store: Store, request: BatchRequest, collection: CollectionRow, progress: Progress) -> BatchResult:
    """Store that nothing was processed, and why, as the API does; process nothing."""
    job_id = uuid.uuid4().hex
    with store.writing() as connection:
        job = JobRow(
            job_id=job_id, collection_id=collection.collection_id, stats=list(request.stats), start_date=request.start_date.isoformat(),
            end_date=request.end_date.isoformat(), inputs_key="", status="cancelled", outcome="skipped", error=SKIPPED,
        )  # fmt: skip
        jobs.create(connection, job)
        collections.update(connection, collection.collection_id, {"locations_confidence": SKIPPED})
        store_skipped(connection, collection.collection_id, job)
        number = plots.count(connection, collection.collection_id)
    progress.warn(f"'{collection.collection_name}': {SKIPPED}. Correct the locations, or run again without SKIP_ON_LOW_CONFIDENCE.")
    return BatchResult(job_id, "cancelled", 0, number)
