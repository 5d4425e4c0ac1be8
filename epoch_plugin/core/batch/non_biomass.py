"""Farm and supply-chain emissions of a job: worked out from the collection's payload before it starts, stored per plot and source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm.assess import FarmEmissions, assess
from epoch_plugin.core.metrics.farm.payload import checked_payload
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.store import collections, plots, results
from epoch_plugin.core.store.store import Store

NON_BIOMASS = "non_biomass"


def plan_non_biomass(store: Store, collection: str, settings: Settings) -> FarmEmissions:
    """Return the emissions per ha of a collection's `input_payload`; raise `InputError` where it has none, or naming the path in its JSON."""
    with store.reading() as connection:
        row = collections.find(connection, collection)
        _, _, areas = plots.geometries(connection, row.collection_id)
    if not row.input_payload:
        raise InputError(f"NON_BIOMASS: '{row.collection_name}' has no INPUT_PAYLOAD; give one with its farm and supply-chain data.")
    return assess(checked_payload(row.input_payload), sum(areas), settings.factor_set, settings.gwp)


def store_non_biomass(store: Store, collection_id: str, job_id: str, emissions: FarmEmissions) -> int:
    """Write each plot's share of every source and return the number of rows; the same job writes the same rows again, not more."""
    with store.writing() as connection:
        uuids, _, areas = plots.geometries(connection, collection_id)

        def rows() -> Iterator[dict[str, Any]]:
            for row in emissions.rows(uuids, areas):
                yield {**row, "collection_id": collection_id, "job_id": job_id}

        return results.insert(connection, NON_BIOMASS, rows())
