"""Farm and supply-chain emissions of a job: worked out from the collection's payload before it starts, stored per plot and source."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm.assess import FarmEmissions, assess
from epoch_plugin.core.metrics.farm.payload import checked_payload
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.store import collections, plots, results
from epoch_plugin.core.store.store import Store

NON_BIOMASS = "non_biomass"
PLOTS_AT_A_TIME = 1_000  # each has a row per source of the payload: transactions stay short


def plan_non_biomass(store: Store, collection: str, settings: Settings) -> FarmEmissions:
    """Return the emissions per ha of a collection's `input_payload`; raise `InputError` where it has none, or naming the path in its JSON."""
    with store.reading() as connection:
        row = collections.find(connection, collection)
        areas = [area for _, area in plots.areas(connection, row.collection_id)]
    if not row.input_payload:
        raise InputError(f"NON_BIOMASS: '{row.collection_name}' has no INPUT_PAYLOAD; give one with its farm and supply-chain data.")
    return assess(checked_payload(row.input_payload), sum(areas), settings.factor_set, settings.gwp)


def describe_non_biomass(payload: Any, emissions: FarmEmissions) -> dict[str, Any]:
    """Return payload, factors and harvest for a job's inputs."""
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False)
    return {**emissions.provenance, "payload_sha256": hashlib.sha256(text.encode()).hexdigest(), "yield_t_ha": emissions.yield_t_ha}


def store_non_biomass(store: Store, collection_id: str, job_id: str, emissions: FarmEmissions, progress: Progress | None = None) -> int:
    """Write each plot's share of every source and return the number of rows; the same job writes the same rows again, not more."""
    with store.reading() as connection:
        areas = plots.areas(connection, collection_id)
    own = {"collection_id": collection_id, "job_id": job_id}
    number = 0
    for start in range(0, len(areas), PLOTS_AT_A_TIME):
        if progress is not None:
            stop_if_cancelled(progress)
        uuids, hectares = zip(*areas[start : start + PLOTS_AT_A_TIME])
        with store.writing() as connection:
            number += results.insert(connection, NON_BIOMASS, ({**row, **own} for row in emissions.rows(uuids, hectares)))
    return number
