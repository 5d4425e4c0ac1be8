"""Which statistics can be processed here, and which algorithm computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from qgis.core import QgsApplication

from epoch_plugin.bridge.i18n import tr

ALL_IN_ONE = "batchzonalstats"
FARM = "luc_emissions"  # the statistic whose algorithm adds farm emissions


class Statistic(NamedTuple):
    """One statistic: its key in the store, its algorithm, and what people read."""

    key: str
    algorithm: str
    label: str
    needs: str
    fetch: str


def known_statistics() -> tuple[Statistic, ...]:
    """Return the contract's statistics in the words of the docks."""
    return (
        Statistic("eudr_deforestation", "batchdeforestationcheck", tr("Deforestation"),
                  tr("a forest baseline (forest_2020) and at least one detection system; two or more for consensus"), "fetchdeforestationcheck"),
        Statistic("luc_emissions", "batchbiomassemissions", tr("Biomass and emissions"),
                  tr("above-ground biomass (agb) of at least two years"), "fetchbiomassemissions"),
        Statistic("biodiversity", "batchbiodiversity", tr("Biodiversity"), tr("canopy height (chm)"), "fetchbiodiversity"),
        Statistic("water", "batchwater", tr("Water"),
                  tr("any layer of water stress, precipitation, evapotranspiration or soil moisture"), "fetchwaterstress"),
        Statistic("extra", ALL_IN_ONE, tr("Extra layers"), tr("an entry of your own with 'stats'"), "fetchplots"),
    )  # fmt: skip


def available_statistics() -> list[Statistic]:
    """Return the statistics that an algorithm of the provider computes."""
    registry = QgsApplication.processingRegistry()
    return [item for item in known_statistics() if registry.algorithmById(f"epoch:{item.algorithm}") is not None]


def label_of(key: str) -> str:
    """Return the name of a statistic, the key itself where it is not known."""
    return next((item.label for item in known_statistics() if item.key == key), key)


def batch_calls(keys: Sequence[str], parameters: dict[str, Any], settings: dict[str, Any]) -> list[tuple[str, dict[str, Any], list[str]]]:
    """Return (algorithm id, parameters, statistics) of the runs that compute `keys`: one job, two with farm emissions."""
    import json

    registry = QgsApplication.processingRegistry()
    parameters, keys = dict(parameters), list(keys)
    alone = keys
    calls = []
    if registry.algorithmById(f"epoch:{ALL_IN_ONE}") is not None:
        # only the algorithm for biomass has farm emissions: it runs by itself then
        alone = [FARM] if parameters.get("NON_BIOMASS") and FARM in keys else []
        together = [key for key in keys if key not in alone]
        if together:
            joint = {**parameters, "STATS": ",".join(together), "SETTINGS": json.dumps(settings) if settings else ""}
            joint.pop("NON_BIOMASS", None)
            calls.append((f"epoch:{ALL_IN_ONE}", joint, together))
    for item in available_statistics():
        if item.key in alone:
            algorithm = registry.algorithmById(f"epoch:{item.algorithm}")
            own = {name.upper(): value for name, value in settings.items() if algorithm.parameterDefinition(name.upper()) is not None}
            calls.append((f"epoch:{item.algorithm}", {**parameters, **own}, [item.key]))
    return calls
