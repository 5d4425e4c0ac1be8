"""Every threshold of METHODS section 10: one name, one default, one unit."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.nesting import json_value


def _setting(default: Any, unit: str, meaning: str, low: float | None = None, high: float | None = None, words: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "low": low, "high": high, "words": words})


_GWP = ("AR4", "AR5", "AR6")
_FACTOR_SETS = ("ipcc_2006", "ipcc_2019_aggregated", "ipcc_2019_wet", "ipcc_2019_dry")


@dataclass(frozen=True)
class Settings:
    """Thresholds of one run; written into its provenance. `meaning` and `unit` of each are field metadata."""

    min_systems: int = _setting(2, "systems", "systems that must flag a cell for consensus", 1)
    min_valid_fraction: float = _setting(0.95, "share", "share of the plot that must have been seen", 0, 1)
    min_noncompliance_ha: float = _setting(0.01, "ha", "smallest deciding area that can be critical", 0)
    low_critical_ha: float = _setting(0.5, "ha", "area from which a low-confidence signal is critical", 0)
    low_critical_share: float = _setting(0.5, "share of plot", "share from which a low-confidence signal is critical", 0, 1)
    low_agreement: float = _setting(0.25, "share", "consensus share below which confidence is low", 0, 1)
    high_agreement: float = _setting(0.5, "share", "full-agreement share from which confidence is high", 0, 1)
    high_systems: int = _setting(3, "systems", "available systems that high confidence needs", 1)
    rotation_share: float = _setting(0.5, "share", "share of the deciding area in older tree crops that means rotation", 0, 1)
    persistence_years: int = _setting(2, "years", "bound years that a loss in a series must last", 1)
    point_area_ha: float = _setting(4.0, "ha", "area assumed for a point without a declared one", 0.0001)
    root_shoot: float = _setting(0.24, "t/t", "below-ground to above-ground biomass", 0)
    carbon_fraction: float = _setting(0.47, "t C/t", "carbon in dry matter", 0.01, 1)
    rho: float = _setting(1.0, "correlation", "correlation of biomass errors between cells", 0, 1)
    gwp: str = _setting("AR6", "assessment report", "global warming potentials: AR4, AR5 or AR6", words=_GWP)
    factor_set: str = _setting(
        "ipcc_2019_aggregated", "name", "soil factors: ipcc_2006, ipcc_2019_aggregated, ipcc_2019_wet or ipcc_2019_dry", words=_FACTOR_SETS
    )  # fmt: skip
    rao_window: int = _setting(9, "cells", "side of Rao's Q window", 3, 501)
    rao_alpha: float = _setting(2.0, "exponent", "alpha of parametric Rao's Q", 0.1, 100)
    rao_reference_m: float = _setting(15.0, "m", "Rao's Q that scores 1", 0)
    tree_height_m: float = _setting(5.0, "m", "canopy height from which a cell is tree", 0)
    connectivity_radius_m: float = _setting(500.0, "m", "radius of connectivity", 0)
    reference_years: str = _setting("auto", "years", "'auto' or years joined by commas")
    near_border_km: float = _setting(5.0, "km", "distance within which a country is only a hint", 0)
    overlap_threshold: float = _setting(0.5, "share", "share of a plot that must lie in a region", 0, 1)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Build settings from names and values; raise `InputError` on an unknown name, wrong type or range."""
        known = {f.name: f for f in dataclasses.fields(cls)}
        clean = {}
        for name, value in values.items():
            if name not in known:
                raise InputError(f"Unknown setting '{name}'. Known settings: {', '.join(sorted(known))}.")
            clean[name] = _checked(known[name], value)
        return cls(**clean)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Build settings from a JSON object; an empty text gives the defaults."""
        if not text.strip():
            return cls()
        try:
            values = json_value(text)
        except ValueError as error:
            raise InputError(f"SETTINGS is not JSON ({error}). Example: {{\"min_valid_fraction\": 0.9}}") from None
        if not isinstance(values, dict):
            raise InputError('SETTINGS must be a JSON object, for example {"min_valid_fraction": 0.9}.')
        return cls.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """Return all names with their values, as stored in the provenance."""
        return dataclasses.asdict(self)


def _checked(spec: dataclasses.Field[Any], value: Any) -> Any:
    default, unit = spec.default, spec.metadata["unit"]
    if isinstance(default, str):
        if not isinstance(value, str):
            raise InputError(f"Setting '{spec.name}' ({unit}) must be text, not {value!r}.")
        if spec.metadata["words"] and value not in spec.metadata["words"]:
            raise InputError(f"Setting '{spec.name}' ({unit}) is '{value}': use {', '.join(spec.metadata['words'])}.")
        return value
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value) or (whole and value != int(value)):
        raise InputError(f"Setting '{spec.name}' ({unit}) must be a {'whole number' if whole else 'number'}, not {value!r}.")
    low, high = spec.metadata["low"], spec.metadata["high"]
    if (low is not None and value < low) or (high is not None and value > high):
        raise InputError(f"Setting '{spec.name}' ({unit}) is {value}: allowed from {low} to {'any' if high is None else high}.")
    return int(value) if whole else float(value)
