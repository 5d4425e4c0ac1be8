"""Newline-delimited GeoJSON: one feature a line, nested objects as objects, RFC 8259."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch.geojson import geometry_texts
from epoch_plugin.core.fetch.result import Feature, FetchResult, Field

_TOGETHER, _TOGETHER_BYTES = 500, 1_000_000  # features, and bytes of their shapes, that are written at once
_BETWEEN = "\0"  # JSON escapes it in values, so that it tells the values of a list apart
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(_BETWEEN, ":")).encode


class _Template:
    """A line but for its values: geometry first, then a property per field."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._plain = [field.name for field in fields if field.type != "JSON"]
        self._nested = [field.name for field in fields if field.type == "JSON"]
        places = {name: place for place, name in enumerate(["", *self._plain, *self._nested])}
        # the places are numbered: plain values are encoded together, nested ones are JSON already
        properties = ",".join(f'"{field.name}":{{{places[field.name]}}}' for field in fields)
        self._line = f'{{{{"type":"Feature","geometry":{{0}},"properties":{{{{{properties}}}}}}}}}\n'.format

    def lines(self, features: Sequence[Feature]) -> Iterator[str]:
        """Yield each feature as a line: geometry = the uploaded shape, else the plot; JSON fields as they are stored."""
        geometries = geometry_texts([feature.polygon if feature.source is None else feature.source for feature in features])
        properties = [feature.properties for feature in features]
        plain = _encode([values[name] for values in properties for name in self._plain])[1:-1].split(_BETWEEN)
        first, width = 0, len(self._plain)
        for geometry, values in zip(geometries, properties):
            nested = [values[name] or "null" for name in self._nested]
            line = self._line(geometry, *plain[first : first + width], *nested)
            first += width
            yield line if line.find("\n") == len(line) - 1 and "\r" not in line else line[:-1].replace("\r", " ").replace("\n", " ") + "\n"


class NdjsonWriter:
    """Writes features to a file that appears under its name only once it is complete."""

    def __init__(self, path: str, fields: Sequence[Field]):
        self._path, self._partial, self._template = path, f"{path}.partial", _Template(fields)
        self._waiting: list[Feature] = []
        self._bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="epoch-ndjson")
        self._writing: Future[None] = Future()
        self._writing.set_result(None)
        self.count = 0
        try:
            self._file = open(self._partial, "wb")
        except OSError as error:
            raise self._refused(error) from error

    def add(self, feature: Feature) -> None:
        """Write one feature, together with others."""
        self._waiting.append(feature)
        self._bytes += len(feature.polygon if feature.source is None else feature.source)
        self.count += 1
        if len(self._waiting) == _TOGETHER or self._bytes >= _TOGETHER_BYTES:
            self._hand_over()

    def _hand_over(self) -> None:
        """Let the thread write what waits, while the next features are read; raise what went wrong with the ones before."""
        self._writing.result()
        self._writing = self._thread.submit(self._write, self._waiting)
        self._waiting, self._bytes = [], 0

    def _write(self, features: Sequence[Feature]) -> None:
        try:
            self._file.write("".join(self._template.lines(features)).encode())
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> InputError:
        return InputError(f"NDJSON cannot be written to {self._path} ({error}).")

    def __enter__(self) -> NdjsonWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            try:
                if error is None:
                    self._hand_over()
                    self._writing.result()
            finally:
                self._thread.shutdown()
                self._close(silently=error is not None)
            if error is None:
                os.replace(self._partial, self._path)
        except OSError as problem:
            raise self._refused(problem) from problem
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._partial)

    def _close(self, silently: bool) -> None:
        """Close the file, which writes what is buffered; a failure matters where the file was to be kept."""
        with contextlib.suppress(*([OSError] if silently else [])):
            self._file.close()


def write(path: str, result: FetchResult) -> int:
    """Write all features of a result to `path` and return how many."""
    with NdjsonWriter(path, result.fields) as writer:
        for feature in result.features:
            writer.add(feature)
    return writer.count
