"""Farm emissions beside those of hestia-earth-models, an independent package, wherever it works out the same thing without the network.

It converts N to N2O with exact atomic masses (1.57111), IPCC with 44/28 (1.57143): 2e-4 apart.
"""

from __future__ import annotations

import pytest

from epoch_plugin.core.metrics.farm.assess import assess
from epoch_plugin.core.metrics.farm.factors import load_factors
from epoch_plugin.core.metrics.farm.payload import checked_payload

pytest.importorskip("hestia_earth.models", reason="hestia-earth-models is not installed (requirements-peers.txt)")
from hestia_earth.models.ipcc2006 import (
    aboveGroundCropResidueTotal,
    belowGroundCropResidue,
    n2OToAirCropResidueDecompositionDirect,
    n2OToAirInorganicFertiliserDirect,
    n2OToAirInorganicFertiliserIndirect,
    n2OToAirOrganicFertiliserDirect,
    n2OToAirOrganicFertiliserIndirect,
)
from hestia_earth.models.ipcc2019 import n2OToAirInorganicFertiliserDirect as synthetic_2019
from hestia_earth.models.ipcc2019 import n2OToAirOrganicFertiliserDirect as organic_2019
from hestia_earth.models.ipcc2019 import utils as utils_2019

GWP = 273
ATOMS = 3e-4  # relative


def n2o(payload, soil_set):
    """kg N2O per ha by source, as the plugin has it."""
    found = assess(checked_payload({"cft_payload": payload}), 1.0, soil_set=soil_set).sources
    return {source.name.split(".")[-1]: source.kg_co2e / GWP for source in found if "n2o" in source.name}


def fertilised(kg_n, organic=False):
    kind = {"type": "compost", "organic": True} if organic else {"type": "ammonium nitrate"}
    return {"fertilisers": [{**kind, "application_rate": {"value": kg_n, "unit": "kg N/ha"}}]}


def theirs(monkeypatch, module, kg_n, **options):
    """kg N2O per ha of a model of the package; the terms that it would download to name its answer are left out."""
    monkeypatch.setattr(module, "_emission", lambda value, *_, **__: value)
    monkeypatch.setattr(module, "debugValues", lambda *_, **__: None, raising=False)
    if hasattr(module, "get_nh3_no3_nox_to_n"):
        monkeypatch.setattr(module, "get_nh3_no3_nox_to_n", lambda *_, **__: (None, None, None))
    if hasattr(module, "has_flooded_rice"):
        monkeypatch.setattr(module, "has_flooded_rice", lambda *_: False)
    (value,) = module._run({}, kg_n, **options)
    return value


@pytest.mark.parametrize(("module", "organic"), [(n2OToAirInorganicFertiliserDirect, False), (n2OToAirOrganicFertiliserDirect, True)])
def test_direct_emissions_2006(monkeypatch, module, organic):
    assert n2o(fertilised(46.0, organic), "ipcc_2006")["n2o_direct"] == pytest.approx(theirs(monkeypatch, module, 46.0), rel=ATOMS)


@pytest.mark.parametrize(("module", "organic"), [(n2OToAirInorganicFertiliserIndirect, False), (n2OToAirOrganicFertiliserIndirect, True)])
def test_indirect_emissions_2006(monkeypatch, module, organic):
    own = n2o(fertilised(60.0, organic), "ipcc_2006")
    assert own["n2o_volatilisation"] + own["n2o_leaching"] == pytest.approx(theirs(monkeypatch, module, 60.0), rel=ATOMS)


@pytest.mark.parametrize(("soil_set", "wet"), [("ipcc_2019_aggregated", None), ("ipcc_2019_wet", True), ("ipcc_2019_dry", False)])
@pytest.mark.parametrize(("module", "organic"), [(synthetic_2019, False), (organic_2019, True)])
def test_direct_emissions_2019_by_climate(monkeypatch, module, organic, soil_set, wet):
    monkeypatch.setattr(utils_2019, "_is_wet", lambda _: wet)
    own = n2o(fertilised(46.0, organic), soil_set)["n2o_direct"]
    assert own == pytest.approx(theirs(monkeypatch, module, 46.0, ecoClimateZone="any"), rel=ATOMS)


@pytest.mark.parametrize(("soil_set", "zone"), [("ipcc_2019_wet", 1), ("ipcc_2019_dry", 2)])
def test_factors_of_indirect_emissions_2019(monkeypatch, soil_set, zone):
    for name, answer in (("get_ecoClimateZone", zone), ("get_total_irrigation_m3", 0.0), ("debugValues", None)):
        monkeypatch.setattr(utils_2019, name, lambda *_, answer=answer, **__: answer)
    own = load_factors().data["soil_sets"][soil_set]
    assert own["frac_leach"]["value"] == utils_2019.get_FracLEACH_H({}, "")[0]
    assert own["ef4"]["value"] == utils_2019.get_FracNH3NOx_N2O({}, "")[0]
    assert own["ef5"]["value"] == utils_2019.COEFF_NO3_N2O[0]
    assert own["frac_gas_synthetic"]["value"] == utils_2019.COEFF_N_NH3NOX_inorganic[0]
    assert own["frac_gas_organic"]["value"] == utils_2019.COEFF_N_NH3NOX_organic_animal[0]


def test_residues_of_soy_2006(monkeypatch):
    table = load_factors().data["residues"]["soy"]["ipcc_2006"]
    columns = {"Crop_residue_intercept": table["intercept_t_ha"], "Crop_residue_slope": table["slope"]}
    product = {"term": {"@id": "soybeanSeed"}, "value": [3000]}
    mass = {}
    for module in (aboveGroundCropResidueTotal, belowGroundCropResidue):
        found = {**columns, **{name: table["below_ratio"] for name in module.LOOKUPS["crop"] if name not in columns}}
        monkeypatch.setattr(module, "get_crop_lookup_value", lambda _model, _term, _id, column, found=found: found[column])
        monkeypatch.setattr(module, "debugValues", lambda *_, **__: None)
        mass[module] = module._get_value_dm(product, 100 * table["dry_matter"])
    nitrogen = mass[aboveGroundCropResidueTotal] * table["n_above"] + mass[belowGroundCropResidue] * table["n_below"]
    own = n2o({"crop": {"type": "soy", "yield": {"value": 3000, "unit": "kg/ha"}}}, "ipcc_2006")
    assert own["n2o_direct"] == pytest.approx(theirs(monkeypatch, n2OToAirCropResidueDecompositionDirect, nitrogen), rel=ATOMS)
