"""Reading JSON objects so that every error names the place: unknown keys, wrong types, duplicate keys, lines.

Own checks rather than jsonschema: that package is not part of every QGIS, and its messages name a path in a schema, not the user's key.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import math
from collections.abc import Iterable
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.nesting import json_value


class Keys:
    """A JSON object whose keys are read one by one; `place` ("entry 3 ('glad'), key 'mask'") begins every message."""

    def __init__(self, values: Any, place: str, allowed: Iterable[str]) -> None:
        """Refuse what is no object, and keys that nobody would read, naming the closest allowed one."""
        if not isinstance(values, dict):
            raise InputError(f"{place} must be a JSON object {{...}}, not {_shown(values)}.")
        self.values, self.place, allowed = values, place, tuple(allowed)
        for key in values:
            if key not in allowed:
                close = difflib.get_close_matches(key, allowed, n=1, cutoff=0.5)
                hint = f"Did you mean '{close[0]}'?" if close else f"Allowed: {', '.join(allowed)}."
                raise InputError(f"{place}: unknown key '{key}'. {hint}")

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def error(self, key: str, problem: str) -> InputError:
        """Return an error about one key, to be raised."""
        return InputError(f"{self.place}, key '{key}': {problem}")

    def text(self, key: str, default: str = "") -> str:
        """Return a text that is not blank, or the default where the key is absent."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (key in self.values and not value.strip()):
            raise self.error(key, f"must be a text, not {_shown(value)}.")
        return value

    def choice(self, key: str, choices: Iterable[str], default: str = "") -> str:
        """Return one of `choices`, or the default where the key is absent."""
        value, choices = self.text(key, default), tuple(choices)
        if key in self.values and value not in choices:
            close = difflib.get_close_matches(value, choices, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"Allowed: {', '.join(choices)}."
            raise self.error(key, f"'{value}' is not known. {hint}")
        return value

    def number(self, key: str) -> float | None:
        """Return a finite number, None where the key is absent or null."""
        value = self.values.get(key)
        return None if value is None else _number(value, self, key)

    def nodata(self, key: str) -> float | None:
        """Return a nodata value: a number, "nan", or None for null."""
        value = self.values.get(key)
        return math.nan if isinstance(value, str) and value.lower() == "nan" else self.number(key)

    def integer(self, key: str, low: int, high: int) -> int | None:
        """Return a whole number in low..high, None where the key is absent."""
        if key not in self.values:
            return None
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high or value != int(value):
            raise self.error(key, f"must be a whole number from {low} to {high}, not {_shown(value)}.")
        return int(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of numbers (one number stands for a list of one), empty where the key is absent or null."""
        value = self.values.get(key)
        items = [] if value is None else value if isinstance(value, list) else [value]
        return tuple(_number(item, self, key) for item in items)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts (one text stands for a list of one), empty where the key is absent."""
        value = self.values.get(key, [])
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) and item.strip() for item in items) or (key in self.values and not items):
            raise self.error(key, f"must be a text or a list of texts, not {_shown(value)}.")
        return tuple(items)

    def date(self, key: str) -> dt.date | None:
        """Return a date written YYYY-MM-DD, None where the key is absent."""
        if key not in self.values:
            return None
        try:
            return dt.datetime.strptime(self.text(key), "%Y-%m-%d").date()
        except ValueError:
            raise self.error(key, f"{_shown(self.values[key])} is no date; write YYYY-MM-DD.") from None


def _number(value: Any, keys: Keys, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise keys.error(key, f"must be a number, not {_shown(value)}.")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def parse_json(text: str, name: str) -> Any:
    """Parse JSON text; raise `InputError` with line and column, also for a key that stands twice in one object."""
    try:
        return json_value(text, object_pairs_hook=lambda pairs: _unique(pairs, name), parse_constant=lambda word: _refuse(word, name))
    except json.JSONDecodeError as error:
        raise InputError(f"{name}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}).") from None
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{name}: {error} to be a datasets file.") from None


def _refuse(word: str, name: str) -> None:
    raise InputError(f"{name}: {word} is no JSON; a nodata value that is not a number is written \"nan\", with quotes.")


def _unique(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise InputError(f"{name}: the key '{key}' stands twice in one object ({_shown(dict(pairs))}); keep one.")
        values[key] = value
    return values


def element_lines(text: str, key: str) -> list[int]:
    """Return the line on which each element of the top-level list `key` starts; empty if the text is not built that way."""
    decoder, lines = json.JSONDecoder(), []
    at = _skip(text, 0) + 1  # past the opening brace
    try:
        while True:
            name, at = decoder.raw_decode(text, _skip(text, at))
            at = _skip(text, at)  # past the colon
            if name == key:
                break
            _, at = decoder.raw_decode(text, at)
        at = _skip(text, at + 1)  # past the bracket
        while text[at] != "]":
            lines.append(text.count("\n", 0, at) + 1)
            _, at = decoder.raw_decode(text, at)
            at = _skip(text, at)
    except (ValueError, IndexError):
        return []
    return lines


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,:\ufeff":
        at += 1
    return at
