"""Stage, upload and batch in one: from a plot file to results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from epoch_plugin.core.batch import BatchRequest, run_batch
from epoch_plugin.core.collections.source import PlotSource
from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm.payload import read_payload
from epoch_plugin.core.progress import Progress
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.store import Store


@dataclass(frozen=True)
class ProcessRequest:
    """What to stage and how to process it; the batch's `collection` is that of the staged plots, whatever it names.

    `input_payload` is JSON text or the path of a JSON file ('' = none); it is kept with the collection.
    """

    stage: StageRequest
    batch: BatchRequest
    validate_locations: bool = True
    input_payload: str = ""


@dataclass(frozen=True)
class ProcessResult:
    """What became of it; `locations_confidence` is one of the API's words ('' if the locations were never checked)."""

    collection_id: str
    job_id: str
    status: str
    country_override_info: dict[str, Any] | None
    locations_confidence: str


def process_plots(store: Store, source: PlotSource, request: ProcessRequest, progress: Progress) -> ProcessResult:
    """Stage, upload and process plots; raise `EpochError` with what to do. Nothing is staged where the batch cannot be meant."""
    payload = read_payload(request.input_payload).value if request.input_payload.strip() else None
    _check(store, request, payload)
    staged = stage_plots(store, source, request.stage, progress)
    if payload is not None:
        with store.writing() as connection:
            collections.update(connection, staged.collection_id, {"input_payload": payload})
    uploaded = upload_plots(store, staged.collection_id, request.validate_locations, request.batch.borders, progress)
    result = run_batch(store, replace(request.batch, collection=staged.collection_id), progress)
    with store.reading() as connection:
        confidence = collections.find(connection, staged.collection_id).locations_confidence
    return ProcessResult(staged.collection_id, result.job_id, result.status, uploaded.country_override_info, confidence or "")


def _check(store: Store, request: ProcessRequest, payload: Any) -> None:
    request.batch.check()
    load_datasets(request.batch.datasets)
    if request.batch.non_biomass and not payload:
        with store.reading() as connection:
            known = collections.find_or_none(connection, request.stage.collection_name)
        if known is None or not known.input_payload:
            raise InputError("NON_BIOMASS needs INPUT_PAYLOAD: farm and supply chain data as JSON text or as the path of a JSON file.")
