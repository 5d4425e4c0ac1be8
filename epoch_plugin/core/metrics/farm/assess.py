"""A payload's emissions: every source per ha and year, and the rows that each plot gets of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm import energy, soil, supply_chain
from epoch_plugin.core.metrics.farm.factors import DEFAULT_SOIL_SET, FactorTable, SoilSet, load_factors
from epoch_plugin.core.metrics.farm.payload import Node
from epoch_plugin.core.metrics.farm.sources import CHAIN, FARM, FarmContext, Item, Source

DRY = "dry"


@dataclass(frozen=True)
class FarmEmissions:
    """What a payload adds up to, and what decided it."""

    sources: tuple[Source, ...]
    not_counted: tuple[str, ...]
    provenance: dict[str, Any]
    yield_t_ha: float | None

    @property
    def tco2e_ha(self) -> float:
        """Return the total, tCO2e per ha and year."""
        return sum(source.kg_co2e for source in self.sources) / 1000

    def rows(self, uuids: Sequence[str], areas_ha: Sequence[float]) -> Iterator[dict[str, Any]]:
        """Yield the rows of `stat_non_biomass` without collection and job: each plot's share by area, so that plots add up to the total."""
        for uuid, area in zip(uuids, areas_ha):
            for source in self.sources:
                yield {
                    "uuid": uuid, "source": source.name, "scope": source.scope, "activity": source.activity * area, "unit": source.unit,
                    "ef": source.ef, "ef_source": source.ef_source, "er_perc": source.er_perc, "tco2e_year": source.kg_co2e * area / 1000,
                }  # fmt: skip


def assess(payload: Node, plots_ha: float, soil_set: str = DEFAULT_SOIL_SET, gwp: str = "AR6", table: FactorTable | None = None) -> FarmEmissions:
    """Return the emissions of all sources of a checked payload, per ha and year.

    Amounts of a whole farm are divided by cft_payload.farm.size, else by `plots_ha`, the plots' total area. Raises `InputError`
    naming the path in the JSON for a unit that does not fit or a factor that only the payload could give.
    """
    table = table or load_factors()
    factors = table.soil_set(soil_set)
    cft, lca = payload.child("cft_payload"), payload.child("lca_payload")
    context = _context(cft, plots_ha, factors, table, gwp)
    items = [*_farm(cft, context), *_chain(cft, context, FARM), *_chain(lca, context, CHAIN)]
    items += [energy.energy(node, context, "industry", CHAIN) for node in lca.each("energy")]
    items += [supply_chain.waste_water(node, context) for node in lca.each("waste_water")]
    items += [energy.supplied(node, "amount", key, context) for key in ("packaging", "waste") for node in lca.each(key)]
    sources = tuple(source for item in items for source in item.sources())
    provenance = {
        "factor_table": {"version": table.version, "date": table.date}, "soil_set": soil_set, "gwp": gwp, "frac_leach": context.frac_leach,
        "farm_size_ha": context.size_ha, "not_counted": list(context.not_counted),
    }  # fmt: skip
    return FarmEmissions(sources, tuple(context.not_counted), provenance, context.yield_t_ha)


def _context(cft: Node, plots_ha: float, factors: SoilSet, table: FactorTable, gwp: str) -> FarmContext:
    farm, crop = cft.child("farm"), cft.child("crop")
    climate = farm.text("climate", DRY if factors.climate == DRY else "wet")
    if factors.climate not in ("any", climate):
        raise farm.error("climate", f"is '{climate}', but the factor set is {factors.name}; choose one that fits.")
    size, harvest = farm.quantity("size", "ha"), crop.quantity("yield", "kg/ha")
    size_ha = plots_ha if size is None else size.value
    if size_ha <= 0:
        raise InputError(f"{farm.at('size')}: the farm has no area; give its size in ha.")
    return FarmContext(
        table, table.gwp(gwp), factors, 0.0 if climate == DRY else factors.frac_leach.value, size_ha,
        None if harvest is None else harvest.value / 1000, crop.at("yield"),
    )  # fmt: skip


def _farm(cft: Node, context: FarmContext) -> Iterator[Item]:
    yield from (soil.fertiliser(node, context) for node in cft.each("fertilisers"))
    yield from (soil.amendment(node, context) for node in cft.each("soil_amendments"))
    yield from (soil.residue(node, context) for node in cft.each("residues"))
    estimated = soil.crop_residues(cft, context)
    if estimated is not None:
        yield estimated
    yield from (energy.supplied(node, "application_rate", "production", context) for node in cft.each("pesticides"))
    yield from (energy.irrigation(node, context) for node in cft.each("irrigation"))
    yield from (energy.machine(node, context) for node in cft.each("machinery"))
    yield from (energy.energy(node, context, "farm", FARM) for node in cft.each("energy"))


def _chain(part: Node, context: FarmContext, scope: str) -> Iterator[Item]:
    """Yield what both payloads may hold."""
    yield from (supply_chain.transport(node, context) for node in part.each("transport"))
    for key in ("processing", "storage"):
        for node in part.each(key):
            yield from supply_chain.stage(node, context, scope)
    yield from (energy.supplied(node, "amount", "other", context) for node in part.each("other"))
