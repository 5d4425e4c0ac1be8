"""Python values to column values and back: dates as GeoPackage writes them, JSON that is valid JSON, no NaN."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from epoch_plugin.core.errors import StoreError
from epoch_plugin.core.store.schema import Column, Table

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _json_encode() -> Callable[[Any], str]:
    """Return `JSONEncoder.encode`, without making its C encoder anew for every value where there is one."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    chunks = make(None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode_json = _json_encode()


def timestamp(moment: dt.datetime | None = None) -> str:
    """Return a moment (default: now) as GeoPackage writes it: UTC, milliseconds, `Z`; a naive moment is taken as UTC."""
    moment = dt.datetime.now(dt.timezone.utc) if moment is None else moment
    moment = moment.replace(tzinfo=dt.timezone.utc) if moment.tzinfo is None else moment.astimezone(dt.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def moment(text: str) -> dt.datetime:
    """Return the aware UTC moment of a stored DATETIME, or of any ISO 8601 text (without an offset: UTC)."""
    parsed = dt.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    return parsed.replace(tzinfo=dt.timezone.utc) if parsed.tzinfo is None else parsed.astimezone(dt.timezone.utc)


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _to_real(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number; what is not known is stored as null")
    return number


def _to_whole(value: Any) -> int:
    number = int(value)
    if number != value:
        raise ValueError("not a whole number")
    return number


def _to_date(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    day = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    return day.isoformat()


def _to_datetime(value: Any) -> str:
    return timestamp(value if isinstance(value, dt.datetime) else moment(str(value)))


def _to_json(value: Any) -> str:
    """Encode lists, dicts and scalars; a text must already be JSON and is kept, on one line."""
    if not isinstance(value, str):
        return _encode_json(value)
    json.loads(value, parse_constant=_refuse_constant)
    # Line breaks between tokens mean nothing to JSON, but NDJSON has one feature a line.
    return value.replace("\r", " ").replace("\n", " ") if "\n" in value or "\r" in value else value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "TEXT": _to_text,
    "REAL": _to_real,
    "INTEGER": _to_whole,
    "DATE": _to_date,
    "DATETIME": _to_datetime,
    "JSON": _to_json,
    "BLOB": bytes,
}


def encoder(column: Column) -> Callable[[Any], Any]:
    """Return the function that turns a value (not None) of this column into what SQLite stores; it raises ValueError or TypeError."""
    return _ENCODERS[column.type]


def encode_column(column: Column, values: Sequence[Any]) -> list[Any]:
    """Return what SQLite stores for values of one column, None for None; raise ValueError, TypeError or OverflowError for one that it cannot hold."""
    function = encoder(column)
    if column.type == "DATE":  # few different ones; equal moments of two time zones may be different dates
        known: dict[Any, Any] = {value: function(value) for value in {value for value in values if type(value) in (dt.date, str)}}
        return [known[value] if type(value) in (dt.date, str) else None if value is None else function(value) for value in values]
    return [None if value is None else function(value) for value in values]


def encode(table: Table, name: str, value: Any) -> Any:
    """Encode one value of `table.name`; None stays null; raise `StoreError` naming table, column and value."""
    if value is None:
        return None
    try:
        return encoder(table.column(name))(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise StoreError(f"{table.name}.{name} cannot hold {str(value)[:80]!r}: {error}.") from error


def decode(column: Column, value: Any) -> Any:
    """Return what a caller works with: JSON parsed, everything else as stored."""
    return json.loads(value) if column.type == "JSON" and value is not None else value
