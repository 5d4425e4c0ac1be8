"""The `encoding` key of profiles and entries, read into the classes of `encodings`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from epoch_plugin.core.datasets.encodings import (
    AlertDateEncoding,
    ClassesEncoding,
    ContinuousEncoding,
    Encoding,
    LossYearEncoding,
    MaskEncoding,
)
from epoch_plugin.core.datasets.json_keys import Keys

KEYS = {
    "mask": ("kind", "values", "min", "max", "none", "sentinels"),
    "loss_year": ("kind", "offset", "none", "sentinels"),
    "classes": ("kind", "class_map", "forest", "names", "none", "sentinels"),
    "alert_date": ("kind", "packing", "min_confidence", "none", "sentinels"),
    "continuous": ("kind", "scale", "offset", "none", "sentinels"),
}
_DATED = ("days_since", "conf_days_since")


def merged(profile: dict[str, Any] | None, entry: dict[str, Any] | None) -> dict[str, Any] | None:
    """Lay the entry's explicit keys over the profile's; an entry of another `kind` replaces the profile's encoding as a whole."""
    if profile is None or entry is None:
        return profile if entry is None else entry
    if entry.get("kind", profile["kind"]) != profile["kind"]:
        return entry
    result = {**profile, **entry}
    if "values" in entry and not {"min", "max"} & set(entry):
        result.pop("min", None), result.pop("max", None)
    if {"min", "max"} & set(entry) and "values" not in entry:
        result.pop("values", None)
    return result


def parse_encoding(values: dict[str, Any], place: str, nodata_zero: bool) -> Encoding:
    """Read an encoding; `nodata_zero`: the entry says that 0 is no data, so 0 is not taken for the usual `none` of years and dates."""
    kind = Keys(values, place, {key for keys in KEYS.values() for key in keys}).choice("kind", KEYS)
    keys = Keys(values, place, KEYS[kind] if kind else ("kind",))
    none, sentinels = keys.numbers("none"), keys.numbers("sentinels")
    if "none" not in keys and kind in ("loss_year", "alert_date") and not nodata_zero:
        none = (0.0,)
    if kind == "mask":
        return _mask(keys, none, sentinels)
    if kind == "loss_year":
        return LossYearEncoding(keys.integer("offset", -10000, 10000) or 0, none, sentinels)
    if kind == "classes":
        forest = tuple(_class(value, keys, "forest") for value in keys.numbers("forest"))
        return ClassesEncoding(_classes(keys, "class_map"), forest, _classes(keys, "names"), none, sentinels)
    if kind == "alert_date":
        return _alert(keys, none, sentinels)
    if kind == "continuous":
        return ContinuousEncoding(*_scale(keys), sentinels, none)
    raise keys.error("kind", f"is missing; it is one of {', '.join(KEYS)}.")


def _scale(keys: Keys) -> tuple[float | None, float | None]:
    """Scale and offset, both stated as soon as one is; (None, None): the file's own apply."""
    scale, offset = keys.number("scale"), keys.number("offset")
    if scale is None and offset is None:
        return None, None
    if scale == 0:
        raise keys.error("scale", "must not be 0.")
    return 1.0 if scale is None else scale, 0.0 if offset is None else offset


def _mask(keys: Keys, none: tuple[float, ...], sentinels: tuple[float, ...]) -> MaskEncoding:
    values, low, high = keys.numbers("values"), keys.number("min"), keys.number("max")
    if not values and low is None and high is None:
        raise keys.error("values", "a mask needs values, min or max: what is stored where the answer is yes?")
    if values and (low is not None or high is not None):
        raise keys.error("values", "a mask takes either values or min/max, not both.")
    if low is not None and high is not None and low > high:
        raise keys.error("min", f"{low} is greater than max {high}: no cell could be yes.")
    return MaskEncoding(values, low, high, none, sentinels)


def _alert(keys: Keys, none: tuple[float, ...], sentinels: tuple[float, ...]) -> AlertDateEncoding:
    packing, colon, date = keys.text("packing").partition(":")
    known = "yyddd, year, days_since:YYYY-MM-DD or conf_days_since:YYYY-MM-DD"
    if not packing:
        raise keys.error("packing", f"is missing; it is {known}.")
    if packing not in ("yyddd", "year", *_DATED) or bool(colon) != (packing in _DATED):
        raise keys.error("packing", f"'{keys.text('packing')}' is not known; it is {known}.")
    base = dt.date(1970, 1, 1)
    if colon:
        try:
            base = dt.datetime.strptime(date, "%Y-%m-%d").date()
        except ValueError:
            raise keys.error("packing", f"'{date}' is no date; write {packing}:YYYY-MM-DD.") from None
    confidence = keys.integer("min_confidence", 1, 9)
    if confidence is not None and packing not in _DATED:
        raise keys.error("min_confidence", f"values packed as {packing} carry no confidence; use a mask on the file that holds it.")
    if confidence is not None:
        packing = "conf_days_since"  # the only place where these values can hold it
    return AlertDateEncoding(packing, base, confidence, none, sentinels)


def _classes(keys: Keys, key: str) -> tuple[tuple[int, str], ...]:
    value = keys.values.get(key, {})
    if not isinstance(value, dict) or not all(isinstance(name, str) and name for name in value.values()):
        raise keys.error(key, 'must map class values to texts, for example {"10": "natural", "40": "managed"}.')
    return tuple(sorted((_class(number, keys, key), name) for number, name in value.items()))


def _class(value: object, keys: Keys, key: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if not 0 <= number <= 32767:
        raise keys.error(key, f"'{value}' is no class value; classes are whole numbers from 0 to 32767.")
    return number
