"""What baseline, context and commodity layers say of a cell of their own grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.sample.grids import ANALYSIS, Lattice, Layer
from scripts.sample.looks import SERIES_FOREST
from scripts.sample.scene import FOREST_NO_DATA, TMF_NO_DATA, Scene

NATURAL_TYPES = {1, 10}


@dataclass(frozen=True)
class Binding:
    """What a datasets file binds: first and last year of each system's record, and the year (None: unknown) of each other layer."""

    records: Mapping[str, tuple[int, int]]
    layers: Mapping[str, int | None]


def baseline_says(value: int | None) -> bool | None:
    return None if value is None or value == FOREST_NO_DATA else value == 1


def meaning(scene: Scene, role: str, binding: Binding, last_year: int) -> tuple[Lattice, Callable[[int, int], bool | None]] | None:
    """Return a context layer's own lattice and its (row, column) -> yes, no or None; None if nothing up to `last_year` is bound."""
    if role == "jrc_forest":
        return ANALYSIS, lambda row, column: baseline_says(scene.single["forest_2020"].at(row, column))
    if role == "tmf_forest":
        return _tmf_forest(scene.series["tmf"][2020])
    if role not in binding.layers or (binding.layers[role] or 0) > last_year:
        return None
    if role in ("wdpa", "wdpa_mandate"):
        areas = [a for a in scene.protected if a.attributes["STATUS"] != "Proposed"] if role == "wdpa" else list(scene.mandate)
        return ANALYSIS, lambda row, column: any(a.covers(row, column) for a in areas)
    layer, wanted = scene.single[role], NATURAL_TYPES if role == "natural_forest" else {1}
    return layer.lattice, lambda row, column: _in(layer.at(row, column), wanted)


def _tmf_forest(layer: Layer) -> tuple[Lattice, Callable[[int, int], bool | None]]:
    def read(row: int, column: int) -> bool | None:
        value = layer.at(row, column)
        return None if value is None or value == TMF_NO_DATA else value in SERIES_FOREST["tmf"]

    return layer.lattice, read


def _in(value: int | None, wanted: set[int]) -> bool | None:
    return None if value is None else value in wanted
