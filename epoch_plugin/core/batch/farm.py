"""Farm and supply-chain emissions in a batch: from the collection's payload to rows per plot."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm.assess import FarmEmissions, assess
from epoch_plugin.core.metrics.farm.payload import checked_payload
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.store import plots, results
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.store import Store

_PLOTS_AT_A_TIME = 1_000  # each has a row per source of the payload


def farm_emissions(store: Store, collection: CollectionRow, settings: Settings) -> FarmEmissions:
    """Return what a collection's payload adds up to; raise `InputError` without one, or naming the path in the JSON of what is wrong."""
    if not collection.input_payload:
        raise InputError(
            f"NON_BIOMASS: '{collection.collection_name}' has no INPUT_PAYLOAD, so there are no farm data to compute from; "
            "give one to epoch:batchprocess, or leave NON_BIOMASS off."
        )
    with store.reading() as connection:
        plots_ha = sum(area for _, area in plots.areas(connection, collection.collection_id))
    return assess(checked_payload(collection.input_payload), plots_ha, settings.factor_set, settings.gwp)


def describe_farm(collection: CollectionRow, emissions: FarmEmissions) -> dict[str, Any]:
    """Return payload, factors and harvest for a job's inputs."""
    payload = json.dumps(collection.input_payload, sort_keys=True, ensure_ascii=False)
    return {**emissions.provenance, "payload_sha256": hashlib.sha256(payload.encode()).hexdigest(), "yield_t_ha": emissions.yield_t_ha}


def store_farm_rows(store: Store, collection_id: str, job_id: str, emissions: FarmEmissions, progress: Progress) -> None:
    """Write the rows of every plot; those of the same job are replaced."""
    with store.reading() as connection:
        areas = plots.areas(connection, collection_id)
    own = {"collection_id": collection_id, "job_id": job_id}
    for start in range(0, len(areas), _PLOTS_AT_A_TIME):
        stop_if_cancelled(progress)
        uuids, hectares = zip(*areas[start : start + _PLOTS_AT_A_TIME])
        with store.writing() as connection:
            results.insert(connection, "non_biomass", ({**row, **own} for row in emissions.rows(uuids, hectares)))
