"""Soils: nitrous oxide of fertilisers and residues (tier 1), carbon dioxide of urea and lime, burning of residues.

N2O = (44/28) x N x [EF1 + FracGAS x EF4 + FracLEACH x EF5], its three parts apart (IPCC 2006 and 2019 Refinement, Vol 4 Ch 11,
Eq. 11.1, 11.9, 11.10; crop residues volatilise nothing there). CO2 of urea and lime: Eq. 11.12 and 11.13.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from epoch_plugin.core.metrics.farm.factors import Factor
from epoch_plugin.core.metrics.farm.payload import Node
from epoch_plugin.core.metrics.farm.sources import CHAIN, FARM, FarmContext, Item, given_factor

N2O_OF_N = 44 / 28
CO2_OF_C = 44 / 12
ORGANIC = ("manure", "compost", "slurry", "digestate", "organic", "green_manure", "poultry_litter", "pome")
LIME = ("limestone", "dolomite")
REMOVED, BURNT = ("removed", "exported"), ("burnt", "burned")


def fertiliser(node: Node, context: FarmContext) -> Item:
    """Return the sources of one fertiliser: three parts of soil N2O, CO2 of urea, and production where its factor is given."""
    item = Item(node)
    kind = node.word("type")
    if kind in LIME:
        return amendment(node, context)
    rate = node.needed("application_rate", "kg/ha", "kgN/ha", "kg", "kgN", "kg/t", "kgN/t")
    amount = context.per_ha(rate, node, "application_rate")
    by_nitrogen = rate.kind.startswith("kgN")
    content = None if by_nitrogen and kind != "urea" else _nitrogen_content(node, kind, context)
    nitrogen = amount if by_nitrogen else amount * (content or 0.0)
    organic = node.value.get("organic", any(word in kind for word in ORGANIC))
    soil = context.soil
    ef1, frac_gas = (soil.ef1_organic, soil.frac_gas_organic) if organic else (soil.ef1_synthetic, soil.frac_gas_synthetic)
    soil_n2o(item, context, nitrogen, ef1, frac_gas)
    if kind == "urea":
        urea = amount / (content or 1.0) if by_nitrogen else amount
        carbon_dioxide(item, context, "co2_urea", urea, "kg urea", "urea")
    made = given_factor(node, "production_factor", "t", "kgN")
    if made is None:
        context.not_counted.append(f"{node.path}: the making of the fertiliser; give production_factor (kgCO2e/kg or kgCO2e/kgN) to count it.")
    elif made[1] == "kgN":
        item.add("production", CHAIN, nitrogen, "kg N", made[0], made[2])
    elif by_nitrogen:
        raise node.error("production_factor.unit", "the rate is in kg N, so the factor must be in kgCO2e/kgN.")
    else:
        item.add("production", CHAIN, amount, "kg", made[0] / 1000, made[2])
    return item


def _nitrogen_content(node: Node, kind: str, context: FarmContext) -> float:
    """Return kg N per kg of product: as given, by the grade in the name (NPK 15-15-15), else of the table."""
    given = node.number("nitrogen_content")
    if given is not None:
        return given
    grade = re.search(r"(\d+(?:\.\d+)?)_\d+(?:\.\d+)?_\d+", kind)
    if grade and float(grade.group(1)) <= 100:
        return float(grade.group(1)) / 100
    found = context.table.find("nitrogen_content", kind)
    if found is None:
        raise node.error("nitrogen_content", f"is missing, and the factor table knows none of '{node.text('type')}': give kg N per kg of product, "
                         "or the application rate in kgN/ha.")  # fmt: skip
    return found.value


def soil_n2o(item: Item, context: FarmContext, nitrogen: float, ef1: Factor, frac_gas: Factor | None) -> None:
    """Add the three parts of N2O from `nitrogen` kg N per ha; `frac_gas` None for what does not volatilise."""
    soil, gwp = context.soil, context.gwp
    times = N2O_OF_N * gwp.n2o
    item.add("n2o_direct", FARM, nitrogen, "kg N", times * ef1.value, f"EF1, {ef1.source}; {gwp.source}")
    if frac_gas is not None:
        source = f"FracGAS x EF4, {frac_gas.source}, {soil.ef4.source}; {gwp.source}"
        item.add("n2o_volatilisation", FARM, nitrogen, "kg N", times * frac_gas.value * soil.ef4.value, source)
    source = f"FracLEACH x EF5, {soil.frac_leach.source}, {soil.ef5.source}; {gwp.source}"
    item.add("n2o_leaching", FARM, nitrogen, "kg N", times * context.frac_leach * soil.ef5.value, source)


def amendment(node: Node, context: FarmContext) -> Item:
    """Return the CO2 of limestone or dolomite."""
    item = Item(node)
    amount = context.per_ha(node.needed("application_rate", "kg/ha", "kg", "kg/t"), node, "application_rate")
    carbon_dioxide(item, context, "co2_lime", amount, f"kg {node.word('type')}", node.word("type"))
    return item


def carbon_dioxide(item: Item, context: FarmContext, what: str, amount: float, unit: str, name: str) -> None:
    """Add the CO2 of carbon that an amendment gives off."""
    factor = context.table.find("co2_of_amendments", name)
    if factor is None:
        raise item.node.error("type", f"the factor table {context.table.version} has no carbon content of '{name}'.")
    item.add(what, FARM, amount, unit, factor.value * CO2_OF_C, factor.source)


def residue(node: Node, context: FarmContext) -> Item:
    """Return N2O of residues left on the field, and CH4 and N2O of those burnt there."""
    item = Item(node)
    dry = node.quantity("dry_matter", "kg/ha", "kg", "kg/t")
    dry_ha = None if dry is None else context.per_ha(dry, node, "dry_matter")
    removed, burnt = node.number("removed_share") or 0.0, node.number("burnt_share") or 0.0
    if removed + burnt > 1:
        raise node.error("burnt_share", f"removed_share and burnt_share make {removed + burnt:g}, more than the whole.")
    combusted = _combustion_factor(node) * burnt if burnt else 0.0
    given = node.quantity("nitrogen", "kgN/ha", "kgN", "kgN/t")
    if given is not None:
        nitrogen = context.per_ha(given, node, "nitrogen")
    elif dry_ha is not None and node.number("nitrogen_content") is not None:
        nitrogen = dry_ha * float(node.value["nitrogen_content"])
    else:
        raise node.error("nitrogen", "is missing; give it (kgN/ha), or dry_matter (kg/ha) with nitrogen_content (kg N per kg).")
    soil_n2o(item, context, nitrogen * (1 - removed - combusted), context.soil.ef1_organic, None)
    if burnt:
        if dry_ha is None:
            raise node.error("dry_matter", "is missing; what burns is counted by dry matter, for example kg/ha.")
        burning(item, context, dry_ha * combusted)
    return item


def _combustion_factor(node: Node) -> float:
    found = node.number("combustion_factor")
    if found is None:
        raise node.error("combustion_factor", "is missing; give the share of the burnt residues' dry matter that is consumed.")
    return found


def burning(item: Item, context: FarmContext, burnt_kg: float) -> None:
    """Add CH4 and N2O of burnt dry matter (its CO2 was taken up by the crop)."""
    entry, gwp = context.table.data["burning"]["agricultural_residues"], context.gwp
    item.add("ch4_burning", FARM, burnt_kg, "kg dry matter", entry["ch4_g_per_kg"] / 1000 * gwp.ch4_biogenic, f"{entry['source']}; {gwp.source}")
    item.add("n2o_burning", FARM, burnt_kg, "kg dry matter", entry["n2o_g_per_kg"] / 1000 * gwp.n2o, f"{entry['source']}; {gwp.source}")


def crop_residues(cft: Node, context: FarmContext) -> Item | None:
    """Return N2O of an annual crop's residues as its yield tells them (Eq. 11.6), where the payload lists none itself."""
    crop = cft.child("crop")
    known: Mapping[str, Any] = context.table.data["residues"]
    name = crop.word("type").replace("soybeans", "soy").replace("soybean", "soy")
    if cft.value.get("residues") or name not in known or context.yield_t_ha is None:
        return None
    management = cft.child("land_management").word("residue_management")
    if management in BURNT:
        raise cft.error("residues", "are missing; burnt residues need an entry with burnt_share and combustion_factor.")
    entry = known[name]["ipcc_2006" if context.soil.name == "ipcc_2006" else "ipcc_2019"]
    item = Item(crop)
    left = 0.0 if management in REMOVED else 1.0
    crop_dm = context.yield_t_ha * 1000 * entry["dry_matter"]
    if "slope" in entry:
        above = (crop_dm / 1000 * entry["slope"] + entry["intercept_t_ha"]) * 1000
    else:
        above = crop_dm * entry["above_ratio"]
    nitrogen = above * entry["n_above"] * left + (above + crop_dm) * entry["below_ratio"] * entry["n_below"]
    ef1 = context.soil.ef1_organic
    soil_n2o(item, context, nitrogen, Factor(ef1.value, f"{ef1.source}; N of residues: {entry['source']}"), None)
    return item
