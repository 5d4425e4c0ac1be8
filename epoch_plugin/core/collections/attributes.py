"""What a feature's attributes say: metadata as stored, the plot's id, the declared area."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from epoch_plugin.core.collections.source import SourceFeature
from epoch_plugin.core.errors import InputError

# in this order; compared without case, spaces, hyphens and underscores
PLOT_ID_NAMES = (
    "plotid", "idplot", "plotcode", "plotnumber", "plotno", "parcelid", "idparcel", "parcelleid", "idparcelle", "parcelaid", "idparcela",
    "lahanid", "idlahan", "externalid", "id", "code", "productionplace", "name", "nom", "nombre", "nome", "nama",
)  # fmt: skip
_AREA_NAMES = ("area", "area_ha")
_PLAIN_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity become null, dates ISO 8601, bytes hexadecimal."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, (float, decimal.Decimal)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (dt.date, dt.time)):  # datetime is a date
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(plain(k)): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if hasattr(value, "item"):  # numpy scalar
        return plain(value.item())
    return str(value)


def metadata_json(attributes: Mapping[str, Any]) -> str:
    """Return all attributes as valid JSON with sorted keys; names that differ only in case stay apart."""
    return json.dumps(plain(attributes), sort_keys=True, ensure_ascii=False, allow_nan=False)


def choose_id_field(wanted: str, sample: Sequence[SourceFeature], name: str) -> str | None:
    """Return the attribute that holds the plot ids: the `wanted` one, else the first known name whose sampled values all differ,
    else the first known name that is an id by its words, else None (row numbers).

    Raises `InputError` if `wanted` is in none of the sampled features.
    """
    fields = list(dict.fromkeys(field for feature in sample for field in feature.attributes))
    if wanted:
        if wanted in fields or not sample:
            return wanted
        alike = [f for f in fields if f.lower() == wanted.lower()]
        if len(alike) == 1:
            return alike[0]
        raise InputError(f"PLOT_ID_FIELD: '{name}' has no attribute '{wanted}'. Its attributes are: {', '.join(fields) or 'none'}.")
    by_name = {re.sub(r"[\s_\-]", "", field).lower(): field for field in reversed(fields)}
    known = [by_name[n] for n in PLOT_ID_NAMES if n in by_name]
    for field in known:
        values = [identifier(feature.attributes.get(field)) for feature in sample]
        if all(values) and len(set(values)) == len(values):
            return field
    certain = [by_name[n] for n in PLOT_ID_NAMES[: PLOT_ID_NAMES.index("id")] if n in by_name]
    return next((f for f in certain if any(identifier(s.attributes.get(f)) for s in sample)), None)


def identifier(value: Any) -> str:
    """Return a value as the text of an id; empty for null and for what is no id (lists, objects)."""
    if value is None or isinstance(value, (bool, list, dict)):
        return ""
    if isinstance(value, float):
        return "" if not math.isfinite(value) else str(int(value)) if value.is_integer() else repr(value)
    return str(plain(str(value).strip()))


def plot_id(feature: SourceFeature, field: str | None) -> str:
    """Return the feature's plot id: its id field, else its GeoJSON id, else its row number."""
    text = identifier(feature.attributes.get(field)) if field else ""
    return text or (feature.feature_id if field is None and feature.feature_id else str(feature.row))


def declared_area_ha(attributes: Mapping[str, Any]) -> float | None:
    """Return the declared area (ha) of `area` or `area_ha` (any case), or None if there is no positive number."""
    for wanted in _AREA_NAMES:
        for field, value in attributes.items():
            if field.lower() == wanted:
                area = _positive(value)
                if area is not None:
                    return area
    return None


def _positive(value: Any) -> float | None:
    if isinstance(value, str):
        text = value.strip().lower().removesuffix("ha").strip()
        if not _PLAIN_NUMBER.fullmatch(text):
            return None
        value = float(text.replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)):
        return None
    return float(value) if math.isfinite(value) and value > 0 else None
