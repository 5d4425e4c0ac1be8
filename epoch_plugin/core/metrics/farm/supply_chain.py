"""After the harvest: transport, processing and storage, waste water."""

from __future__ import annotations

from epoch_plugin.core.metrics.farm.energy import burn, energy
from epoch_plugin.core.metrics.farm.factors import Factor
from epoch_plugin.core.metrics.farm.payload import Node
from epoch_plugin.core.metrics.farm.sources import CHAIN, FarmContext, Item, given_factor

ROUNDING = 1e-9


def transport(node: Node, context: FarmContext) -> Item:
    """Return one leg: t x km x factor, or trips x km x fuel per km, with trips = t / (capacity x load factor), an empty way back counting twice."""
    item = Item(node)
    distance, mass = node.needed("distance", "km").value, context.mass_t_ha(node)
    per_km = node.quantity("fuel_consumption", "L/km", "kg/km", "kWh/km")
    if per_km is None:
        factor = given_factor(node, "emission_factor", "tkm")
        if factor is None:
            raise node.error("emission_factor", "is missing; give it (kgCO2e/tkm, with its source), or fuel_type, fuel_consumption (L/100km), "
                             "vehicle_capacity (t) and load_factor.")  # fmt: skip
        item.add("transport", CHAIN, mass * distance, "tkm", factor[0], factor[2])
        return item
    capacity, load = node.needed("vehicle_capacity", "kg").value / 1000, node.number("load_factor")
    if not capacity or not load:
        raise node.error("load_factor", "vehicle_capacity and load_factor must both be given and above 0.")
    trips = mass / (capacity * load)
    ways = 2 if node.value.get("empty_return") else 1
    unit = per_km.kind.split("/")[0]
    burn(item, "fuel_type", "road", CHAIN, trips * ways * distance * per_km.value, "t" if unit == "kg" else unit, context)
    return item


def stage(node: Node, context: FarmContext, scope: str) -> list[Item]:
    """Return the energy of a processing or storage stage; one that states none is named as not counted."""
    items = [energy(used, context, "industry", scope) for used in node.each("energy")]
    if not items:
        context.not_counted.append(f"{node.path}: '{node.text('type')}' states no energy; list it under energy to count it.")
    return items


def waste_water(node: Node, context: FarmContext) -> Item:
    """Return CH4 of industrial waste water: (COD - sludge) x Bo x MCF - recovered (IPCC 2006, Vol 5 Ch 6, Eq. 6.4 and 6.5)."""
    item = Item(node)
    volume = context.per_ha(node.needed("volume", "L", "L/ha", "L/t"), node, "volume")
    cod = volume * node.needed("cod", "kg/L").value
    sludge, recovered = (node.quantity(key, "kg", "kg/ha", "kg/t") for key in ("cod_removed_with_sludge", "methane_recovered"))
    if sludge is not None:
        cod -= context.per_ha(sludge, node, "cod_removed_with_sludge")
    if cod < 0:
        raise node.error("cod_removed_with_sludge", "is more than the waste water holds.")
    bo, mcf = _bo(node, context), _mcf(node, context)
    source = f"Bo x MCF, {bo.source}, {mcf.source}; {context.gwp.source}"
    methane = bo.value * mcf.value
    item.add("ch4_waste_water", CHAIN, cod, "kg COD", methane * context.gwp.ch4_biogenic, source)
    if recovered is not None:
        caught = context.per_ha(recovered, node, "methane_recovered")
        if caught > cod * methane * (1 + ROUNDING):
            raise node.error("methane_recovered", f"is more than the {cod * methane:.6g} kg per ha that the waste water gives off.")
        item.add("ch4_recovered", CHAIN, caught, "kg CH4", -context.gwp.ch4_biogenic, context.gwp.source)
    return item


def _bo(node: Node, context: FarmContext) -> Factor:
    given = node.quantity("bo", "kg/t")
    if given is not None:
        return Factor(given.value / 1000, "payload")
    return Factor(**context.table.data["waste_water"]["bo_kg_ch4_per_kg_cod"])


def _mcf(node: Node, context: FarmContext) -> Factor:
    given = node.number("mcf")
    if given is not None:
        return Factor(given, "payload")
    known = context.table.data["waste_water"]["mcf"]
    if node.word("treatment") not in known:
        raise node.error("treatment", f"is '{node.text('treatment')}': use {', '.join(known)}, or give mcf.")
    return Factor(**known[node.word("treatment")])
