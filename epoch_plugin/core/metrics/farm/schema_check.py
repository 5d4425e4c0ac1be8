"""Checks a JSON value against the part of JSON Schema that `input_payload.schema.json` uses; errors name the path in the JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epoch_plugin.core.errors import InputError

_TYPES: dict[str, tuple[type, ...]] = {"object": (dict,), "array": (list,), "string": (str,), "number": (int, float), "boolean": (bool,)}
_WORDS = {"object": "an object", "array": "a list", "string": "text", "number": "a number", "boolean": "true or false"}


def check(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str = "") -> None:
    """Raise `InputError` at the first breach, depth first in the order of the JSON."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    wanted = schema.get("type")
    if wanted is None:
        return
    if not isinstance(value, _TYPES[wanted]) or (wanted == "number" and isinstance(value, bool)):
        raise InputError(f"{path or 'input_payload'}: must be {_WORDS[wanted]}, not {value!r}.")
    if isinstance(value, dict):
        _check_object(value, schema, root, path)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            check(item, schema["items"], root, f"{path}[{i}]")
    else:
        _check_value(value, schema, path)


def _check_object(value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> None:
    known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key in schema.get("required", ()):
        if key not in value:
            raise InputError(f"{path or 'input_payload'}: '{key}' is missing.")
    for key, item in value.items():
        below = f"{path}.{key}" if path else key
        if key in known:
            check(item, known[key], root, below)
        elif other is False:
            raise InputError(f"{below}: unknown key; known here: {', '.join(known)}.")
        elif isinstance(other, Mapping):
            check(item, other, root, below)


def _check_value(value: Any, schema: Mapping[str, Any], path: str) -> None:
    if "enum" in schema and value not in schema["enum"]:
        raise InputError(f"{path}: '{value}' is none of {', '.join(schema['enum'])}.")
    if isinstance(value, float) and not -1e300 < value < 1e300:
        raise InputError(f"{path}: {value} is no usable number.")
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        raise InputError(f"{path}: {value} is out of range ({low} to {'any' if high is None else high}).")
