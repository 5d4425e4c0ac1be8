"""One emission source, E = A x EF x (1 - ER / 100), and what all sources of a payload share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from epoch_plugin.core.metrics.farm.factors import FactorTable, Gwp, SoilSet
from epoch_plugin.core.metrics.farm.payload import Node
from epoch_plugin.core.metrics.farm.units import Quantity

FARM, ELECTRICITY, CHAIN = "scope_1", "scope_2", "scope_3"  # as seen from the farm (GHG Protocol)


@dataclass(frozen=True)
class Source:
    """Emissions of one source per ha of farm and year."""

    name: str  # path of the item in its payload, and what is emitted: fertilisers[0].n2o_direct
    scope: str
    activity: float  # per ha and year
    unit: str
    ef: float  # kg CO2e per unit of activity
    ef_source: str
    er_perc: float

    @property
    def kg_co2e(self) -> float:
        """Return E, kg CO2e per ha and year."""
        return self.activity * self.ef * (1 - self.er_perc / 100)


@dataclass
class FarmContext:
    """Factors and sizes that the sources of one payload share; collects what is not counted, and why."""

    table: FactorTable
    gwp: Gwp
    soil: SoilSet
    frac_leach: float  # of the soil set; 0 in a dry climate
    size_ha: float
    yield_t_ha: float | None
    yield_path: str
    not_counted: list[str] = field(default_factory=list)

    def per_ha(self, quantity: Quantity, node: Node, key: str) -> float:
        """Return an amount per ha: one that is per ha already, one per tonne of product, or one of the whole farm."""
        if quantity.kind.endswith("/ha"):
            return quantity.value
        if quantity.kind.endswith("/t"):
            if self.yield_t_ha is None:
                raise node.error(key, f"is per tonne, which needs the yield: give {self.yield_path}, for example kg/ha.")
            return quantity.value * self.yield_t_ha
        return quantity.value / self.size_ha

    def mass_t_ha(self, node: Node) -> float:
        """Return the mass of an item's `mass`, else the product's, t per ha."""
        mass = node.quantity("mass", "kg", "kg/ha", "kg/t")
        if mass is not None:
            return self.per_ha(mass, node, "mass") / 1000
        if self.yield_t_ha is None:
            raise node.error("mass", f"is missing, and so is the yield: give one of them ({self.yield_path}, for example kg/ha).")
        return self.yield_t_ha


class Item:
    """Makes the sources of one item of the payload: names them, and applies the item's reductions to the source that they name."""

    def __init__(self, node: Node) -> None:
        """Take the item."""
        self.node = node
        self._sources: list[Source] = []

    def add(self, what: str, scope: str, activity: float, unit: str, ef: float, ef_source: str) -> None:
        """Add a source; activity per ha and year, `ef` in kg CO2e per unit."""
        reduction = self.node.child("emission_reductions").number(what) or 0.0
        name = self.node.path.split(".", 1)[1]
        if self.node.path.startswith("lca_payload"):
            name = f"lca.{name}"
        self._sources.append(Source(f"{name}.{what}", scope, activity, unit, ef, ef_source, reduction))

    def sources(self) -> Sequence[Source]:
        """Return the sources; raise `InputError` for a reduction of something that is not emitted."""
        made = [source.name.rsplit(".", 1)[1] for source in self._sources]
        for named in self.node.value.get("emission_reductions", {}):
            if named not in made:
                raise self.node.error(f"emission_reductions.{named}", f"this item emits no '{named}', but {', '.join(made) or 'nothing'}.")
        return self._sources


def given_factor(node: Node, key: str, *units: str) -> tuple[float, str, str] | None:
    """Return a factor that the payload gives: kg CO2e per unit, the unit, its source; None where it gives none."""
    found = node.quantity(key, *(f"kgCO2e/{unit}" for unit in units))
    if found is None:
        return None
    return found.value, found.kind.split("/", 1)[1], f"payload: {node.child(key).text('source')}"
