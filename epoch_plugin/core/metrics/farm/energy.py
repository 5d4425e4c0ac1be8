"""Energy and inputs: fuels by their use, electricity, machinery, irrigation, pesticides, materials."""

from __future__ import annotations

from typing import Any

from epoch_plugin.core.metrics.farm.factors import Factor
from epoch_plugin.core.metrics.farm.payload import Node
from epoch_plugin.core.metrics.farm.sources import CHAIN, ELECTRICITY, FARM, FarmContext, Item, given_factor

MJ_PER_KWH = 3.6
L_PER_MM_HA = 10_000.0
ALIASES = {"petrol": "gasoline", "motor_gasoline": "gasoline", "gas_oil": "diesel", "firewood": "wood", "heavy_fuel_oil": "residual_fuel_oil"}
GRAVITY = ("gravity", "gravity_fed", "rainfed")


def fuel_factor(node: Node, key: str, use: str, unit: str, context: FarmContext) -> Factor:
    """Return kg CO2e per L, kWh or kg ("t" as the unit below the line) of a fuel burnt for a use; raise where the table has none.

    Energy (net calorific value) x (CO2 + CH4 x GWP + N2O x GWP); the CO2 of biogenic fuels is not counted, their CH4 is biogenic.
    """
    kind = node.word(key)
    entry: dict[str, Any] | None = context.table.data["fuels"].get(ALIASES.get(kind, kind))
    if entry is None or use not in entry["use"]:
        raise node.error("emission_factor", f"is missing, and the factor table {context.table.version} has none of '{node.text(key)}' used for "
                         f"'{use}': give emission_factor with value, unit (kgCO2e/{'kg' if unit == 't' else unit}) and source.")  # fmt: skip
    gases, gwp = entry["use"][use], context.gwp
    methane = gwp.ch4_biogenic if entry["biogenic"] else gwp.ch4_fossil
    per_tj = (0.0 if entry["biogenic"] else entry["co2_kg_per_tj"]["value"]) + gases["ch4_kg_per_tj"] * methane + gases["n2o_kg_per_tj"] * gwp.n2o
    per_mj, source = per_tj / 1e6, f"{entry['co2_kg_per_tj']['source']}, {gases['source']}; {gwp.source}"
    if unit == "kWh":
        return Factor(per_mj * MJ_PER_KWH, source)
    per_kg = per_mj * entry["ncv_mj_per_kg"]["value"]
    source = f"{entry['ncv_mj_per_kg']['source']}, {source}"
    if unit == "t":
        return Factor(per_kg, source)
    density, by = _density(node, entry)
    return Factor(per_kg * density, f"{source}; density: {by}")


def _density(node: Node, entry: dict[str, Any]) -> tuple[float, str]:
    given = node.quantity("fuel_density", "kg/L")
    if given is not None:
        return given.value, "payload"
    if "density_kg_per_l" not in entry:
        raise node.error("fuel_density", "is missing, and the factor table has none of this fuel; give it in kg/L, or the amount in kg.")
    return float(entry["density_kg_per_l"]["value"]), str(entry["density_kg_per_l"]["source"])


def burn(item: Item, key: str, use: str, scope: str, amount: float, unit: str, context: FarmContext) -> None:
    """Add a fuel's combustion: `amount` per ha in L, kWh or kg (unit "t"), the factor given or of the table."""
    given = given_factor(item.node, "emission_factor", unit)
    if given is not None:
        item.add("fuel", scope, amount, "kg" if unit == "t" else unit, given[0] / (1000 if unit == "t" else 1), given[2])
        return
    factor = fuel_factor(item.node, key, use, unit, context)
    item.add("fuel", scope, amount, "kg" if unit == "t" else unit, factor.value, factor.source)


def machine(node: Node, context: FarmContext) -> Item:
    """Return the fuel of a machine in the field."""
    item = Item(node)
    used = node.needed("fuel_consumption", "L/ha", "kg/ha", "kWh/ha", "L", "kg", "kWh")
    burn(item, "fuel_type", "off_road", FARM, context.per_ha(used, node, "fuel_consumption"), _unit(used.kind), context)
    return item


def _unit(kind: str) -> str:
    """Return the unit above the line; mass as it is written below one."""
    above = kind.split("/")[0]
    return "t" if above == "kg" else above


def energy(node: Node, context: FarmContext, use: str, scope: str) -> Item:
    """Return electricity (its factor must be given) or a fuel that is burnt in place."""
    item = Item(node)
    used = node.needed("consumption", "kWh", "kWh/ha", "kWh/t", "L", "L/ha", "L/t", "kg", "kg/ha", "kg/t")
    amount = context.per_ha(used, node, "consumption")
    if node.word("carrier") == "electricity":
        if _unit(used.kind) != "kWh":
            raise node.error("consumption.unit", "electricity is counted in kWh.")
        factor, _, source = _electricity(node)
        item.add("electricity", ELECTRICITY if scope == FARM else scope, amount, "kWh", factor, source)
    else:
        burn(item, "carrier", node.text("use", use), scope, amount, _unit(used.kind), context)
    return item


def _electricity(node: Node) -> tuple[float, str, str]:
    found = given_factor(node, "emission_factor", "kWh")
    if found is None:
        raise node.error("emission_factor", "is missing; electricity differs between countries, suppliers and years, so give the grid's factor "
                         "with value, unit (kgCO2e/kWh) and source.")  # fmt: skip
    return found


def irrigation(node: Node, context: FarmContext) -> Item:
    """Return the energy of pumping: water x energy per volume, or a factor per volume of water."""
    item = Item(node)
    rate = node.needed("application_rate", "mm", "L/ha", "L")
    water = rate.value * L_PER_MM_HA if rate.kind == "mm" else context.per_ha(rate, node, "application_rate")
    used = node.quantity("energy_use", "kWh/L", "L/L", "kWh/ha", "L/ha")
    if used is None:
        factor = given_factor(node, "emission_factor", "L")
        if factor is not None:
            item.add("pumping", FARM, water / 1000, "m3", factor[0] * 1000, factor[2])
        elif node.word("type") in GRAVITY:
            context.not_counted.append(f"{node.path}: '{node.text('type')}' irrigation is taken to use no energy.")
        else:
            raise node.error("energy_use", "is missing; give it with energy_carrier (kWh/m3, L/m3, kWh/ha, L/ha), or emission_factor (kgCO2e/m3).")
        return item
    amount = used.value if used.kind.endswith("/ha") else used.value * water
    if node.word("energy_carrier") == "electricity":
        if _unit(used.kind) != "kWh":
            raise node.error("energy_use.unit", "electricity is counted in kWh.")
        grid, _, source = _electricity(node)
        item.add("electricity", ELECTRICITY, amount, "kWh", grid, source)
    else:
        burn(item, "energy_carrier", "farm", FARM, amount, _unit(used.kind), context)
    return item


def supplied(node: Node, key: str, what: str, context: FarmContext) -> Item:
    """Return an input whose factor only the payload can give: pesticides, packaging, waste, others."""
    item = Item(node)
    amount = node.needed(key, "kg/ha", "L/ha", "kg", "L", "kg/t", "L/t")
    unit = _unit(amount.kind)
    factor = given_factor(node, "emission_factor", unit)
    if factor is None:
        raise node.error("emission_factor", f"is missing; no factor of '{node.text('type')}' is certain enough to be a default: give value, unit "
                         f"(kgCO2e/{'kg' if unit == 't' else unit}) and source.")  # fmt: skip
    per = 1000 if unit == "t" else 1
    item.add(what, CHAIN, context.per_ha(amount, node, key), "kg" if unit == "t" else unit, factor[0] / per, factor[2])
    return item
