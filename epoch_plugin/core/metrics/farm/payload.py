"""The input payload: read from JSON, checked against its schema, and walked with every value knowing its path."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.metrics.farm.schema_check import check
from epoch_plugin.core.metrics.farm.units import Quantity, parse_quantity
from epoch_plugin.core.nesting import json_value

SCHEMA_FILE = Path(__file__).parent / "data" / "input_payload.schema.json"


def read_payload(text_or_path: str) -> Node:
    """Read an input payload given as JSON text or as the path of a JSON file; raise `InputError` naming the path in the JSON."""
    text, what = text_or_path.lstrip("\ufeff \t\r\n"), "INPUT_PAYLOAD"
    try:
        if not text.startswith("{"):
            text, what = _file_text(text.strip()), f"INPUT_PAYLOAD {text.strip()}"
        value = json_value(text, object_pairs_hook=_each_key_once)
    except ValueError as error:  # also text that is not UTF-8
        raise InputError(f"{what} is not JSON that can be read ({error}).") from None
    return checked_payload(value)


def _file_text(path: str) -> str:
    try:
        if Path(path).is_file():
            return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"INPUT_PAYLOAD {path[:200]!r} cannot be read ({error.strerror}).") from None
    raise InputError(f"INPUT_PAYLOAD is neither a JSON object nor a file: {path[:200]!r}.")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice: of two blocks of one name the first would be left out without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return found


def checked_payload(value: Any) -> Node:
    """Check a payload that is JSON already."""
    schema = payload_schema()
    check(value, schema, schema)
    return Node(value, "")


@lru_cache(maxsize=1)
def payload_schema() -> dict[str, Any]:
    """Return the JSON Schema of the payload."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


class Node:
    """An object of the payload and its path in the JSON."""

    def __init__(self, value: dict[str, Any], path: str) -> None:
        """Take an object that has been checked against the schema."""
        self.value, self.path = value, path

    def error(self, key: str, text: str) -> InputError:
        """Return an error at one of the keys."""
        return InputError(f"{self.at(key)}: {text}")

    def at(self, key: str) -> str:
        """Return the path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def child(self, key: str) -> Node:
        """Return an object; an empty one where the key is missing."""
        return Node(self.value.get(key, {}), self.at(key))

    def each(self, key: str) -> list[Node]:
        """Return the objects of a list, none where the key is missing."""
        return [Node(item, f"{self.at(key)}[{i}]") for i, item in enumerate(self.value.get(key, []))]

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        return str(self.value.get(key, default))

    def word(self, key: str) -> str:
        """Return a text as a name to look up: lower case, `_` for blanks and hyphens."""
        return self.text(key).strip().lower().replace(" ", "_").replace("-", "_")

    def number(self, key: str) -> float | None:
        """Return a number, None where the key is missing."""
        found = self.value.get(key)
        return None if found is None else float(found)

    def quantity(self, key: str, *kinds: str) -> Quantity | None:
        """Return an amount that is of one of the kinds, None where the key is missing; raise `InputError` for another unit."""
        found = self.value.get(key)
        if found is None:
            return None
        try:
            quantity = parse_quantity(float(found["value"]), found["unit"])
        except ValueError as error:
            raise InputError(f"{self.at(key)}.unit: {error}; use for example {' or '.join(kinds)}.") from None
        if quantity.kind not in kinds:
            raise InputError(f"{self.at(key)}.unit: '{found['unit']}' does not fit here; use for example {' or '.join(kinds)}.")
        return quantity

    def needed(self, key: str, *kinds: str) -> Quantity:
        """Return an amount that must be there."""
        found = self.quantity(key, *kinds)
        if found is None:
            raise self.error(key, f"is missing; give value and unit, for example {' or '.join(kinds)}.")
        return found
