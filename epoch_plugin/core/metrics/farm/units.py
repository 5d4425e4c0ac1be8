"""Units of amounts and rates: parsed, converted to base units, and told apart by kind ("kg/ha", "kgCO2e/kWh", ...)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# unit -> (base unit, how many of it); in lower case, without blanks
_UNITS: dict[str, tuple[str, float]] = {
    "kg": ("kg", 1.0), "g": ("kg", 1e-3), "mg": ("kg", 1e-6), "t": ("kg", 1e3), "tonne": ("kg", 1e3), "tonnes": ("kg", 1e3), "lb": ("kg", 0.45359237),
    "kgn": ("kgN", 1.0), "tn": ("kgN", 1e3), "kgco2e": ("kgCO2e", 1.0), "tco2e": ("kgCO2e", 1e3), "gco2e": ("kgCO2e", 1e-3),
    "kgcod": ("kg", 1.0), "kgch4": ("kg", 1.0), "kgdm": ("kg", 1.0), "tdm": ("kg", 1e3),
    "ha": ("ha", 1.0), "acre": ("ha", 0.40468564224), "m2": ("ha", 1e-4), "km2": ("ha", 100.0),
    "l": ("L", 1.0), "litre": ("L", 1.0), "litres": ("L", 1.0), "liter": ("L", 1.0), "liters": ("L", 1.0), "ml": ("L", 1e-3), "m3": ("L", 1e3),
    "kwh": ("kWh", 1.0), "mwh": ("kWh", 1e3), "mj": ("kWh", 1 / 3.6), "gj": ("kWh", 1e3 / 3.6),
    "km": ("km", 1.0), "m": ("km", 1e-3), "mile": ("km", 1.609344), "miles": ("km", 1.609344),
    "mm": ("mm", 1.0), "cm": ("mm", 10.0), "tkm": ("tkm", 1.0),
    "day": ("day", 1.0), "days": ("day", 1.0), "h": ("day", 1 / 24), "hours": ("day", 1 / 24), "month": ("month", 1.0), "months": ("month", 1.0),
    "trees": ("trees", 1.0), "plants": ("trees", 1.0),
}  # fmt: skip
_YEARS = ("year", "years", "yr", "y", "a", "annum")
_PER_TONNE = 1e-3  # below the line mass counts in tonnes: kgCO2e/t, kWh/t


@dataclass(frozen=True)
class Quantity:
    """An amount in base units; `kind` names them: a base unit, or one with others below the line."""

    value: float
    kind: str


def parse_quantity(value: float, unit: str) -> Quantity:
    """Convert an amount; amounts are per year, so that a "/year" says nothing new. Raises `ValueError` naming what is unknown."""
    factor, names = 1.0, []
    for place, part in enumerate(_parts(unit)):
        if place > 0 and part in _YEARS:
            continue
        number, name = _number(part)
        if name not in _UNITS:
            raise ValueError(f"unknown unit '{part}'")
        base, times = _UNITS[name]
        if place == 0:
            if number != 1.0:
                raise ValueError(f"a number in front of the unit, '{part}'")
            factor *= times
        else:
            base, times = ("t", times * _PER_TONNE) if base == "kg" else (base, times)
            factor /= times * number
        names.append(base)
    return Quantity(value * factor, "/".join([names[0], *sorted(names[1:])]))


def _parts(unit: str) -> list[str]:
    text = unit.lower().replace("³", "3").replace("²", "2").replace("co2-eq", "co2e").replace("co2eq", "co2e")
    text = re.sub(r"\s+per\s+", "/", text).replace(" ", "")
    return text.split("/")


def _number(part: str) -> tuple[float, str]:
    """Split "100km" into 100 and km."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z].*)", part)
    return (float(found.group(1)), found.group(2)) if found else (1.0, part)
