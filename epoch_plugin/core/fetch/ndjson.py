"""Newline-delimited GeoJSON: one feature a line, nested objects as objects, RFC 8259."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from types import TracebackType

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch.geojson import geometry_text
from epoch_plugin.core.fetch.result import Feature, FetchResult, Field

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def feature_line(feature: Feature, fields: Sequence[Field]) -> str:
    """Return one feature as a line without its end: geometry = the uploaded shape, else the plot; JSON fields embedded as they are stored."""
    parts = []
    for field in fields:
        value = feature.properties[field.name]
        if value is None:
            text = "null"
        elif field.type == "JSON":
            text = value.replace("\r", " ").replace("\n", " ") if "\n" in value or "\r" in value else value
        else:
            text = _encode(value)
        parts.append(f'"{field.name}":{text}')
    geometry = geometry_text(feature.polygon if feature.source is None else feature.source)
    return f'{{"type":"Feature","geometry":{geometry},"properties":{{{",".join(parts)}}}}}'


class NdjsonWriter:
    """Writes features to a file that appears under its name only once it is complete."""

    def __init__(self, path: str, fields: Sequence[Field]):
        self._path, self._partial, self._fields = path, f"{path}.partial", tuple(fields)
        self.count = 0
        try:
            self._file = open(self._partial, "w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"NDJSON cannot be written to {path} ({error}).") from error

    def add(self, feature: Feature) -> None:
        """Write one feature."""
        self._file.write(feature_line(feature, self._fields) + "\n")
        self.count += 1

    def __enter__(self) -> NdjsonWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        if error is None:
            os.replace(self._partial, self._path)
        else:
            os.remove(self._partial)


def write(path: str, result: FetchResult) -> int:
    """Write all features of a result to `path` and return how many."""
    with NdjsonWriter(path, result.fields) as writer:
        for feature in result.features:
            writer.add(feature)
    return writer.count
