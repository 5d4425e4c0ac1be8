"""The factor table: dated, replaceable, every factor with its source; one soil set and one set of warming potentials per run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epoch_plugin.core.errors import InputError

FACTORS_FILE = Path(__file__).parent / "data" / "factors.json"
DEFAULT_SOIL_SET = "ipcc_2019_aggregated"


@dataclass(frozen=True)
class Factor:
    """A number and where it comes from."""

    value: float
    source: str


@dataclass(frozen=True)
class Gwp:
    """Global warming potentials over 100 years, kg CO2e per kg."""

    name: str
    n2o: float
    ch4_biogenic: float
    ch4_fossil: float
    source: str


@dataclass(frozen=True)
class SoilSet:
    """Tier 1 factors of nitrous oxide from managed soils: kg N2O-N per kg N, and the shares of N that are lost otherwise."""

    name: str
    climate: str  # any, wet, dry
    ef1_synthetic: Factor
    ef1_organic: Factor
    ef4: Factor
    ef5: Factor
    frac_gas_synthetic: Factor
    frac_gas_organic: Factor
    frac_leach: Factor


@dataclass(frozen=True)
class FactorTable:
    """The table as it stands in the file, with its version and date for the provenance."""

    version: str
    date: str
    data: Mapping[str, Any]

    def gwp(self, name: str) -> Gwp:
        """Return the warming potentials of an assessment report."""
        known = self.data["gwp100"]
        if name not in known:
            raise InputError(f"Setting 'gwp' is '{name}': use {', '.join(known)}.")
        return Gwp(name, **known[name])

    def soil_set(self, name: str) -> SoilSet:
        """Return one set of soil factors."""
        known = self.data["soil_sets"]
        if name not in known:
            raise InputError(f"There is no factor set '{name}': use {', '.join(known)}.")
        entry = known[name]
        factors = {key: Factor(**value) for key, value in entry.items() if isinstance(value, Mapping)}
        return SoilSet(name, entry["climate"], **factors)

    def find(self, group: str, name: str) -> Factor | None:
        """Return a factor of a group, None where the table has none."""
        found = self.data[group].get(name)
        return None if found is None else Factor(**found)


def load_factors(path: str = "") -> FactorTable:
    """Read the bundled table, or another file of the same layout; raise `InputError` where a part is missing."""
    file = Path(path) if path else FACTORS_FILE
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The factor table {file} cannot be read ({error}).") from None
    missing = [key for key in json.loads(FACTORS_FILE.read_text(encoding="utf-8")) if key not in data]
    if missing:
        raise InputError(f"The factor table {file} lacks {', '.join(missing)}; copy the bundled one and change what differs.")
    return FactorTable(data["version"], data["date"], data)
