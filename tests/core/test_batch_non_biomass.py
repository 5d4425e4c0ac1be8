"""Farm emissions from a collection's payload to the rows of its plots and `cft` of fetchplots."""

from __future__ import annotations

import json

import pytest

from epoch_plugin.core.batch.non_biomass import plan_non_biomass, store_non_biomass
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch import FetchRequest, fetch
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.store import jobs
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, job, plot

PAYLOAD = {"cft_payload": {
    "fertilisers": [{"type": "urea", "application_rate": {"value": 100, "unit": "kg/ha"}}],
    "energy": [{"carrier": "diesel", "consumption": {"value": 400, "unit": "L/year"}}],
}}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, plots=[plot(1, area=1.5), plot(2, area=2.5)], input_payload=PAYLOAD)
    with store.writing() as connection:
        jobs.create(connection, job())
    return store


# 4 ha in all. Urea, 2006: 197.34 + 19.734 + 44.4015 + 73.3333... = 334.808833... kg per ha (see test_farm_emissions).
# Diesel: 400 L / 4 ha = 100 L per ha x 0.84 x 43.0 = 3,612 MJ x 0.0745618 = 269.3172216 kg per ha (Table 2.5)
def test_plots_add_up_to_the_farm(store):
    emissions = plan_non_biomass(store, "Cocoa North", Settings.from_dict({"factor_set": "ipcc_2006"}))
    assert emissions.tco2e_ha == pytest.approx((334.808833333333 + 269.3172216) / 1000, rel=1e-12)
    assert store_non_biomass(store, "0xabc", "job-1", emissions) == store_non_biomass(store, "0xabc", "job-1", emissions) == 10
    features = list(fetch(store, FetchRequest(collection="0xabc", stats=("eudr_deforestation", "cft"), prefixed=True)).features)
    cft = {feature.properties["plotid"]: json.loads(feature.properties["cft"]) for feature in features}
    assert [len(rows) for rows in cft.values()] == [5, 5]
    total = sum(row["tco2e_year"] for rows in cft.values() for row in rows)
    assert total == pytest.approx(4 * emissions.tco2e_ha, rel=1e-12)
    fuel = next(row for row in cft["P1"] if row["source"] == "energy[0].fuel")
    assert fuel["activity"] == pytest.approx(150) and fuel["unit"] == "L" and fuel["tco2e_year"] == pytest.approx(1.5 * 0.2693172216, rel=1e-12)


def test_a_collection_without_payload_is_told_so(store):
    add_collection(store, 1, "0xdef", "Bare")
    with pytest.raises(InputError, match="'Bare' has no INPUT_PAYLOAD"):
        plan_non_biomass(store, "Bare", Settings())
