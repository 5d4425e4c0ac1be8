"""Filters on regions: by any field or metadata key of the result, values compared as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch.filters import Filter
from epoch_plugin.core.fetch.result import Feature, Field
from epoch_plugin.core.store.queries import value_texts


def require_known(filters: Sequence[Filter], features: Iterable[Feature], fields: Sequence[Field]) -> None:
    """Raise `InputError` for a key that is neither a field nor a metadata key of any region, whatever its case."""
    known = {field.name.casefold() for field in fields} | {key.casefold() for feature in features for key in _metadata(feature)}
    for wanted in filters:
        if wanted.key.casefold() not in known:
            raise InputError(f"FILTERS: no field and no metadata key of regions is called '{wanted.key}'. Known: {', '.join(sorted(known))[:600]}.")


def matches(feature: Feature, filters: Sequence[Filter]) -> bool:
    """Tell whether a region has one of the values of every filter."""
    return all(any(text in wanted.values for value in _values(feature, wanted.key) for text in _texts(value)) for wanted in filters)


def _values(feature: Feature, key: str) -> list[Any]:
    """Return the values under a key: exactly, else ignoring case; fields before metadata."""
    for source in (feature.properties, _metadata(feature)):
        if key in source:
            return [source[key]]
        found = [value for name, value in source.items() if name.casefold() == key.casefold()]
        if found:
            return found
    return []


def _texts(value: Any) -> tuple[str, ...]:
    texts = value_texts(value)
    return (*texts, value[:10]) if isinstance(value, str) and value[10:11] == "T" else texts


def _metadata(feature: Feature) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(feature.properties.get("metadata") or "{}")
    return found
