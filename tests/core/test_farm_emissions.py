"""Farm and supply-chain emissions: every source worked out by hand in the comments, errors that name the path in the JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm.assess import assess
from epoch_plugin.core.metrics.farm.factors import FACTORS_FILE, load_factors
from epoch_plugin.core.metrics.farm.payload import checked_payload, payload_schema, read_payload
from epoch_plugin.core.metrics.farm.units import parse_quantity


def amount(value, unit):
    return {"value": value, "unit": unit}


def factor(value, unit, source="supplier's declaration 2025"):
    return {"value": value, "unit": unit, "source": source}


def sources_of(payload, **options):
    """kg CO2e per ha and year by source."""
    return {source.name: source for source in assess(checked_payload(payload), 10.0, **options).sources}


def kilograms(payload, **options):
    return {name: source.kg_co2e for name, source in sources_of(payload, **options).items()}


UREA = {"cft_payload": {"fertilisers": [{"type": "Urea", "application_rate": amount(100, "kg/ha")}]}}


# 100 kg urea/ha hold 46 kg N.
# IPCC 2006 Vol 4 Table 11.1: EF1 0.01; Table 11.3: EF4 0.010, EF5 0.0075, FracGASF 0.10, FracLEACH 0.30. AR6: N2O 273.
#   direct          46 x 0.01           = 0.46     kg N2O-N;  x 44/28 = 0.722857142857 kg N2O;    x 273 = 197.34
#   volatilisation  46 x 0.10 x 0.010   = 0.046              0.0722857142857                     19.734
#   leaching        46 x 0.30 x 0.0075  = 0.1035             0.162642857143                      44.4015
# urea, Eq. 11.13: 100 x 0.20 x 44/12 = 73.3333333333 kg CO2
# 2019 Refinement, aggregated: EF1 0.010, EF4 0.010, EF5 0.011, FracGASF 0.11, FracLEACH 0.24
#   197.34;  46 x 0.11 x 0.010 x 44/28 x 273 = 21.7074;  46 x 0.24 x 0.011 x 44/28 x 273 = 52.09776
# wet: EF1 (synthetic) 0.016, EF4 0.014
#   46 x 0.016 x 429 = 315.744;  46 x 0.11 x 0.014 x 429 = 30.39036;  52.09776      (429 = 44/28 x 273)
# dry: EF1 0.005, EF4 0.005, FracLEACH 0
#   46 x 0.005 x 429 = 98.67;  46 x 0.11 x 0.005 x 429 = 10.8537;  0
@pytest.mark.parametrize(
    ("soil_set", "direct", "volatilised", "leached"),
    [
        ("ipcc_2006", 197.34, 19.734, 44.4015),
        ("ipcc_2019_aggregated", 197.34, 21.7074, 52.09776),
        ("ipcc_2019_wet", 315.744, 30.39036, 52.09776),
        ("ipcc_2019_dry", 98.67, 10.8537, 0.0),
    ],
)
def test_urea_by_factor_set(soil_set, direct, volatilised, leached):
    assert kilograms(UREA, soil_set=soil_set) == {
        "fertilisers[0].n2o_direct": pytest.approx(direct, rel=1e-12),
        "fertilisers[0].n2o_volatilisation": pytest.approx(volatilised, rel=1e-12),
        "fertilisers[0].n2o_leaching": pytest.approx(leached, rel=1e-12),
        "fertilisers[0].co2_urea": pytest.approx(73.33333333333333, rel=1e-12),
    }


# direct N2O of 46 kg N with EF1 0.01: 0.722857142857 kg; AR5 x 265 = 191.557142857; AR4 x 298 = 215.411428571
def test_warming_potentials_of_older_reports():
    assert kilograms(UREA, gwp="AR5")["fertilisers[0].n2o_direct"] == pytest.approx(191.557142857143, rel=1e-12)
    assert kilograms(UREA, gwp="AR4")["fertilisers[0].n2o_direct"] == pytest.approx(215.411428571429, rel=1e-12)
    with pytest.raises(InputError, match="AR4"):
        kilograms(UREA, gwp="AR7")


# 46 kg N/ha as urea are 100 kg urea: the same; a dry climate lets nothing leach also with the sets that know no climate
def test_rates_in_nitrogen_and_dry_climates():
    payload = {"cft_payload": {"fertilisers": [{"type": "urea", "application_rate": amount(46, "kg N/ha")}], "farm": {"climate": "dry"}}}
    found = kilograms(payload, soil_set="ipcc_2006")
    assert found["fertilisers[0].co2_urea"] == pytest.approx(73.3333333333333, rel=1e-12)
    assert found["fertilisers[0].n2o_direct"] == pytest.approx(197.34, rel=1e-12) and found["fertilisers[0].n2o_leaching"] == 0
    with pytest.raises(InputError, match=r"cft_payload\.farm\.climate"):
        kilograms(payload, soil_set="ipcc_2019_wet")


# Organic: 5 t compost/ha with 1.2 % N = 60 kg N. 2019 wet: EF1 (other N) 0.006, FracGASM 0.21, EF4 0.014, FracLEACH 0.24, EF5 0.011
#   60 x 0.006 x 429 = 154.44;  60 x 0.21 x 0.014 x 429 = 75.6756;  60 x 0.24 x 0.011 x 429 = 67.9536
# NPK 15-15-15, 200 lb/acre = 200 x 0.45359237 / 0.40468564224 = 224.17022... kg/ha, 15 % N; direct 2019 aggregated: N x 0.01 x 429
#   = 33.6255346858 x 0.01 x 429 = 144.253543802; a nitrification inhibitor takes 40 % of the direct part: 86.5521262813
#   making it: 224.170231239 kg x 0.9 kgCO2e/kg = 201.753208115
def test_organic_and_compound_fertiliser_with_reduction_and_production():
    compost = {"type": "compost", "application_rate": amount(5, "t/ha"), "nitrogen_content": 0.012}
    npk = {
        "type": "NPK 15-15-15", "application_rate": amount(200, "lb/acre"), "emission_reductions": {"n2o_direct": 40},
        "production_factor": factor(0.9, "kgCO2e/kg"),
    }  # fmt: skip
    found = kilograms({"cft_payload": {"fertilisers": [compost, npk]}}, soil_set="ipcc_2019_wet")
    assert found["fertilisers[0].n2o_direct"] == pytest.approx(154.44, rel=1e-12)
    assert found["fertilisers[0].n2o_volatilisation"] == pytest.approx(75.6756, rel=1e-12)
    assert found["fertilisers[0].n2o_leaching"] == pytest.approx(67.9536, rel=1e-12)
    found = kilograms({"cft_payload": {"fertilisers": [compost, npk]}})
    assert found["fertilisers[1].n2o_direct"] == pytest.approx(86.5521262813, rel=1e-11)
    assert found["fertilisers[1].production"] == pytest.approx(201.753208115, rel=1e-11)


# limestone 1,000 kg x 0.12 x 44/12 = 440 kg CO2; dolomite 500 kg x 0.13 x 44/12 = 238.333333333
def test_lime():
    payload = {"cft_payload": {"soil_amendments": [
        {"type": "limestone", "application_rate": amount(1, "t/ha")}, {"type": "dolomite", "application_rate": amount(500, "kg/ha")},
    ]}}  # fmt: skip
    assert kilograms(payload) == {
        "soil_amendments[0].co2_lime": pytest.approx(440, rel=1e-12),
        "soil_amendments[1].co2_lime": pytest.approx(238.333333333333, rel=1e-12),
    }


# Residues: 4,000 kg dry matter/ha with 1 % N, a quarter removed, a quarter burnt of which 80 % is consumed (0.2 of all).
#   N left = 40 x (1 - 0.25 - 0.2) = 22 kg; 2006: direct 22 x 0.01 x 429 = 94.38; leaching 22 x 0.3 x 0.0075 x 429 = 21.2355; nothing volatilises
#   burnt 800 kg dm: CH4 2.7 g/kg x 27.0 = 58.32; N2O 0.07 g/kg x 273 = 15.288
def test_residues_left_removed_and_burnt():
    payload = {"cft_payload": {"residues": [
        {"type": "prunings", "dry_matter": amount(4, "t/ha"), "nitrogen_content": 0.01, "removed_share": 0.25, "burnt_share": 0.25,
         "combustion_factor": 0.8}
    ]}}  # fmt: skip
    assert kilograms(payload, soil_set="ipcc_2006") == {
        "residues[0].n2o_direct": pytest.approx(94.38, rel=1e-12),
        "residues[0].n2o_leaching": pytest.approx(21.2355, rel=1e-12),
        "residues[0].ch4_burning": pytest.approx(58.32, rel=1e-12),
        "residues[0].n2o_burning": pytest.approx(15.288, rel=1e-12),
    }


# Soy, 3,000 kg/ha fresh, 91 % dry = 2,730 kg.
# 2019 (Table 11.1a): above ground 2,730 x 2.1 = 5,733 kg; N 5,733 x 0.008 = 45.864; below (5,733 + 2,730) x 0.19 x 0.008 = 12.86376;
#   sum 58.72776 kg N
#   direct 58.72776 x 0.01 x 429 = 251.9420904
# 2006 (Table 11.2): above 2.73 x 0.93 + 1.35 = 3.8889 t; N 31.1112; below (3,888.9 + 2,730) x 0.19 x 0.008 = 10.060728; sum 41.171928
#   direct 41.171928 x 0.01 x 429 = 176.62757112
def test_residues_of_soy_from_its_yield():
    cft = {"crop": {"type": "soy", "yield": amount(3000, "kg/ha")}}
    assert kilograms({"cft_payload": cft})["crop.n2o_direct"] == pytest.approx(251.9420904, rel=1e-12)
    assert kilograms({"cft_payload": cft}, soil_set="ipcc_2006")["crop.n2o_direct"] == pytest.approx(176.62757112, rel=1e-12)
    cft["land_management"] = {"residue_management": "removed"}  # the roots stay: 12.86376 x 0.01 x 429
    assert kilograms({"cft_payload": cft})["crop.n2o_direct"] == pytest.approx(55.1855304, rel=1e-12)


# Diesel in a tractor, 50 L/ha x 0.84 kg/L x 43.0 MJ/kg = 1,806 MJ. Per TJ: 74,100 + 4.15 x 29.8 + 28.6 x 273 = 82,031.47 kg CO2e
#   1,806 x 0.08203147 = 148.14883482 (IPCC 2006 Vol 2 Tables 1.2, 1.4, 3.3.1)
# Diesel dryer on the farm (Table 2.5): per TJ 74,100 + 10 x 29.8 + 0.6 x 273 = 74,561.8; 20 L per tonne x 2 t/ha = 40 L = 1,444.8 MJ: 107.72688864
# Wood, 300 kg/ha x 15.6 = 4,680 MJ; CO2 not counted: 300 x 27.0 + 4 x 273 = 9,192 per TJ: 43.01856
# Electricity, 5 MWh a year for the farm of 10 ha: 500 kWh/ha x 0.45 = 225
def test_fuels_and_electricity():
    cft = {
        "crop": {"type": "cocoa", "yield": amount(2, "t/ha")},
        "machinery": [{"type": "tractor", "fuel_type": "diesel", "fuel_consumption": amount(50, "L/ha")}],
        "energy": [
            {"carrier": "diesel", "consumption": amount(20, "L/t")},
            {"carrier": "firewood", "consumption": amount(300, "kg/ha/year")},
            {"carrier": "electricity", "consumption": amount(5, "MWh/year"), "emission_factor": factor(450, "gCO2e/kWh")},
        ],
    }
    assert kilograms({"cft_payload": cft}) == {
        "machinery[0].fuel": pytest.approx(148.14883482, rel=1e-12),
        "energy[0].fuel": pytest.approx(107.72688864, rel=1e-12),
        "energy[1].fuel": pytest.approx(43.01856, rel=1e-12),
        "energy[2].electricity": pytest.approx(225, rel=1e-12),
    }
    found = sources_of({"cft_payload": cft})
    assert [found[name].scope for name in found] == ["scope_1", "scope_1", "scope_1", "scope_2"]
    assert "Table 3.3.1" in found["machinery[0].fuel"].ef_source
    assert found["energy[2].electricity"].ef_source == "payload: supplier's declaration 2025"


# 300 mm = 3,000 m3/ha x 0.25 kWh/m3 = 750 kWh x 0.5 = 375; with a factor 0.1 kgCO2e/m3: 300; pesticide 2.5 L/ha x 12 = 30
def test_irrigation_and_pesticides():
    pumped = {"type": "drip", "application_rate": amount(300, "mm/year"), "energy_carrier": "electricity", "energy_use": amount(0.25, "kWh/m3"),
              "emission_factor": factor(0.5, "kgCO2e/kWh")}  # fmt: skip
    by_volume = {"type": "sprinkler", "application_rate": amount(300, "mm"), "emission_factor": factor(0.1, "kgCO2e/m3")}
    spray = {"type": "herbicide", "active_ingredient": "glyphosate", "application_rate": amount(2.5, "L/ha"),
             "emission_factor": factor(12, "kgCO2e/L")}  # fmt: skip
    assert kilograms({"cft_payload": {"irrigation": [pumped, by_volume], "pesticides": [spray]}}) == {
        "pesticides[0].production": pytest.approx(30, rel=1e-12),
        "irrigation[0].electricity": pytest.approx(375, rel=1e-12),
        "irrigation[1].pumping": pytest.approx(300, rel=1e-12),
    }


# A diesel pump: 300 mm = 3,000 m3/ha x 0.05 L/m3 = 150 L x 0.84 x 43.0 = 5,418 MJ; per TJ (Table 2.5) 74,561.8: 403.9758324
def test_a_diesel_pump():
    pump = {"type": "drip", "application_rate": amount(300, "mm"), "energy_carrier": "diesel", "energy_use": amount(0.05, "L/m3")}
    assert kilograms({"cft_payload": {"irrigation": [pump]}}) == {"irrigation[0].fuel": pytest.approx(403.9758324, rel=1e-12)}


# 2 t/ha of product.
# Truck by factor: 2 t x 150 km x 0.1 = 30. Truck by fuel: 2 / (10 x 0.8) = 0.25 trips, there and back 2 x 80 km = 40 km x 0.3 L/km = 12 L;
#   12 x 0.84 x 43.0 = 433.44 MJ; per TJ (Table 3.2.2) 74,100 + 3.9 x 29.8 + 3.9 x 273 = 75,280.92: 32.6297619648
# Roasting: 100 kWh/t x 2 t = 200 kWh x 0.4 = 80; LPG 10 kg/t x 2 = 20 kg x 47.3 = 946 MJ; industry (Table 2.3): 63,100 + 1 x 29.8 + 0.1 x 273
#   = 63,157.1 per TJ: 59.7466166
# Storage: 30 kWh/t x 2 x 0.4 = 24. Jute bags 5 kg/t x 2 x 1.5 = 15
def test_supply_chain():
    grid = factor(0.4, "kgCO2e/kWh")
    payload = {
        "cft_payload": {"crop": {"type": "coffee", "yield": amount(2000, "kg/ha")}},
        "lca_payload": {
            "transport": [
                {"type": "truck", "distance": amount(150, "km"), "emission_factor": factor(0.1, "kgCO2e/tkm")},
                {"type": "truck", "distance": amount(80, "km"), "fuel_type": "diesel", "fuel_consumption": amount(30, "L/100km"),
                 "vehicle_capacity": amount(10, "t"), "load_factor": 0.8, "empty_return": True},
            ],
            "processing": [{"type": "roasting", "duration": amount(1, "days"), "energy": [
                {"carrier": "electricity", "consumption": amount(100, "kWh/t"), "emission_factor": grid},
                {"carrier": "LPG", "consumption": amount(10, "kg/t")},
            ]}],
            "storage": [{"type": "cold store", "energy": [{"carrier": "electricity", "consumption": amount(30, "kWh/t"), "emission_factor": grid}]}],
            "packaging": [{"type": "jute bags", "amount": amount(5, "kg/t"), "emission_factor": factor(1.5, "kgCO2e/kg")}],
        },
    }  # fmt: skip
    found = sources_of(payload)
    assert {name: source.kg_co2e for name, source in found.items()} == {
        "lca.transport[0].transport": pytest.approx(30, rel=1e-12),
        "lca.transport[1].fuel": pytest.approx(32.6297619648, rel=1e-11),
        "lca.processing[0].energy[0].electricity": pytest.approx(80, rel=1e-12),
        "lca.processing[0].energy[1].fuel": pytest.approx(59.7466166, rel=1e-12),
        "lca.storage[0].energy[0].electricity": pytest.approx(24, rel=1e-12),
        "lca.packaging[0].packaging": pytest.approx(15, rel=1e-12),
    }
    assert {source.scope for source in found.values()} == {"scope_3"}


# Palm oil mill effluent: 0.65 m3 per t x 20 t/ha = 13 m3 with 50 kg COD/m3 = 650 kg COD; deep lagoon MCF 0.8, Bo 0.25 (IPCC 2006 Vol 5 Ch 6)
#   650 x 0.25 x 0.8 = 130 kg CH4 x 27.0 = 3,510; 100 kg recovered: -2,700
def test_waste_water():
    payload = {
        "cft_payload": {"crop": {"type": "palm", "yield": amount(20, "t/ha")}},
        "lca_payload": {"waste_water": [{"volume": amount(0.65, "m3/t"), "cod": amount(50, "kg/m3"), "treatment": "anaerobic deep lagoon",
                                         "methane_recovered": amount(1, "t/year")}]},
    }  # fmt: skip
    assert kilograms(payload) == {
        "lca.waste_water[0].ch4_waste_water": pytest.approx(3510, rel=1e-12),
        "lca.waste_water[0].ch4_recovered": pytest.approx(-2700, rel=1e-12),
    }


# Washed coffee: 10 m3/ha with 20 kg COD/m3 = 200 kg, 50 kg of it leave as sludge; a measured pond, MCF 0.5 and Bo 0.21 kg CH4/kg COD
#   150 x 0.21 x 0.5 = 15.75 kg CH4 x 27.0 = 425.25
def test_waste_water_of_a_measured_pond():
    pond = {"volume": amount(10, "m3/ha"), "cod": amount(20, "kg/m3"), "cod_removed_with_sludge": amount(50, "kg/ha"), "mcf": 0.5,
            "bo": amount(210, "kg/t")}  # fmt: skip
    assert kilograms({"lca_payload": {"waste_water": [pond]}}) == {"lca.waste_water[0].ch4_waste_water": pytest.approx(425.25, rel=1e-12)}


# 366.4770933... kg/ha on plots of 1.5 and 8.5 ha: rows add up to the total of 10 ha
def test_rows_of_plots_add_up():
    emissions = assess(checked_payload(UREA), 10.0)
    rows = list(emissions.rows(["a", "b"], [1.5, 8.5]))
    assert len(rows) == 8 and [row["uuid"] for row in rows] == ["a"] * 4 + ["b"] * 4
    assert sum(row["tco2e_year"] for row in rows) == pytest.approx(emissions.tco2e_ha * 10, rel=1e-12)
    first = rows[0]
    assert first["activity"] == pytest.approx(69) and first["unit"] == "kg N" and first["er_perc"] == 0
    assert first["tco2e_year"] == pytest.approx(first["activity"] * first["ef"] * (1 - first["er_perc"] / 100) / 1000, rel=1e-15)
    assert emissions.not_counted and "fertilisers[0]" in emissions.not_counted[0]
    assert emissions.provenance["factor_table"]["version"] == load_factors().version


FERTILISER = {"type": "urea", "application_rate": {"value": 1, "unit": "kg/ha"}}


def cft(key, *items):
    return {"cft_payload": {key: list(items)}}


def lca(key, **item):
    return {"lca_payload": {key: [item]}}


def fertilised(**changes):
    return cft("fertilisers", {**FERTILISER, **changes})


def powered(unit):
    return cft("energy", {"carrier": "electricity", "consumption": amount(1, unit)})


ONE_KM = {"type": "truck", "distance": amount(1, "km")}
POND = {"volume": amount(1, "m3/year"), "cod": amount(1, "kg/m3"), "treatment": "pond"}
RATE = r"cft_payload\.fertilisers\[0\]\.application_rate\."


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (fertilised(application_rate=amount(1, "kg/moon")), RATE + "unit: unknown unit 'moon'"),
        (fertilised(application_rate=amount(1, "L/ha")), RATE + "unit"),
        (fertilised(application_rate=amount("1", "kg/ha")), RATE + "value: must be a number"),
        (fertilised(application_rate=amount(-1, "kg/ha")), RATE + "value: -1 is out of range"),
        (cft("fertilisers", {"type": "urea"}), r"cft_payload\.fertilisers\[0\]: 'application_rate' is missing"),
        (fertilised(type="mystery"), r"cft_payload\.fertilisers\[0\]\.nitrogen_content"),
        (fertilised(emission_reductions={"n2o": 10}), r"fertilisers\[0\]\.emission_reductions\.n2o: .*n2o_direct"),
        (cft("fertilizer"), r"cft_payload\.fertilizer: unknown key; known here: .*fertilisers"),
        (cft("pesticides", {"type": "fungicide", "application_rate": amount(1, "kg/ha")}), r"cft_payload\.pesticides\[0\]\.emission_factor"),
        (powered("kWh"), r"cft_payload\.energy\[0\]\.emission_factor.*grid"),
        (powered("L"), r"cft_payload\.energy\[0\]\.consumption\.unit"),
        (cft("machinery", {"type": "boat", "fuel_type": "peat", "fuel_consumption": amount(1, "L/ha")}), r"machinery\[0\]\.emission_factor"),
        (lca("transport", **ONE_KM, mass=amount(1, "t")), r"lca_payload\.transport\[0\]\.emission_factor"),
        (lca("transport", **ONE_KM), r"lca_payload\.transport\[0\]\.mass.*cft_payload\.crop\.yield"),
        (lca("waste_water", **POND), r"lca_payload\.waste_water\[0\]\.treatment"),
        ({"cft_payload": []}, "cft_payload: must be an object"),
        ([], "input_payload: must be an object"),
    ],
)
def test_errors_name_the_path(payload, path):
    with pytest.raises(InputError, match=path):
        assess(checked_payload(payload), 10.0)


def test_payloads_come_as_text_or_file(tmp_path):
    text = json.dumps(UREA)
    (tmp_path / "payload.json").write_text(text, encoding="utf-8-sig")
    assert read_payload(text).value == read_payload(str(tmp_path / "payload.json")).value == UREA
    for wrong, words in (("{", "not JSON"), (str(tmp_path / "none.json"), "neither")):
        with pytest.raises(InputError, match=words):
            read_payload(wrong)


def test_units():
    cases = {
        "kg/ha": (1, "kg/ha"), "t/ha/year": (1000, "kg/ha"), "kgN/ha": (1, "kgN/ha"), "L/100km": (0.01, "L/km"), "MJ": (1 / 3.6, "kWh"),
        "gCO2e/kWh": (0.001, "kgCO2e/kWh"), "kg CO2eq / kg": (1000, "kgCO2e/t"), "kWh per t": (1, "kWh/t"), "mg/L": (1e-6, "kg/L"), "m³": (1000, "L"),
    }  # fmt: skip
    for unit, (value, kind) in cases.items():
        found = parse_quantity(1.0, unit)
        assert found.kind == kind and found.value == pytest.approx(value, rel=1e-12), unit
    for unit in ("", "kg/", "100kg", "kg/fortnight"):
        with pytest.raises(ValueError):
            parse_quantity(1.0, unit)


def test_every_factor_names_its_source_and_the_table_can_be_replaced(tmp_path):
    table = json.loads(FACTORS_FILE.read_text(encoding="utf-8"))

    def unsourced(node, path):
        if isinstance(node, dict):
            leaf = any(isinstance(value, (int, float)) and not isinstance(value, bool) for value in node.values())
            if leaf and not node.get("source"):
                yield path
            for key, value in node.items():
                yield from unsourced(value, f"{path}.{key}")

    assert list(unsourced(table, "")) == []
    table["soil_sets"]["ipcc_2006"]["ef1_synthetic"]["value"] = 0.02
    (tmp_path / "own.json").write_text(json.dumps(table))
    own = load_factors(str(tmp_path / "own.json"))
    assert kilograms(UREA, soil_set="ipcc_2006", table=own)["fertilisers[0].n2o_direct"] == pytest.approx(2 * 197.34, rel=1e-12)
    (tmp_path / "part.json").write_text("{}")
    with pytest.raises(InputError, match="lacks"):
        load_factors(str(tmp_path / "part.json"))


def test_the_schema_accepts_every_field_that_the_api_documents():
    cft = {
        "land_management": {"tillage": "none", "residue_management": "left", "cover_crop": True},
        "crop": {"type": "cocoa", "variety": "Amelonado", "planting_density": amount(1100, "trees/ha"), "yield": amount(500, "kg/ha")},
        "farm": {"size": amount(3, "ha"), "location": {"country": "Ghana", "region": "Ashanti"}},
        "fertilisers": [{**FERTILISER, "application_method": "broadcast", "application_timing": "May"}],
        "tree_biomass": [{"species": "Terminalia", "age": amount(5, "years"), "density": amount(20, "trees/ha")}],
        "processing": [{"type": "fermentation", "duration": amount(6, "days"), "temperature": {"value": 45, "unit": "C"}}],
        "storage": [{"type": "warehouse", "duration": amount(2, "months")}],
    }
    emissions = assess(checked_payload({"cft_payload": cft, "lca_payload": {}, "eudr_payload": {"hs_code": "1801", "anything": 1}}), 10.0)
    assert len(emissions.sources) == 4 and len(emissions.not_counted) == 3
    assert set(payload_schema()["properties"]) == {"cft_payload", "lca_payload", "eudr_payload"}
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate({"cft_payload": cft}, payload_schema())
    assert Path(FACTORS_FILE).parent.joinpath("input_payload.schema.json").is_file()
