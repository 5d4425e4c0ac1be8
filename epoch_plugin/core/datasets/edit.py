"""Editing a datasets file as text: what is not edited keeps every character, its layout and its line ends."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.datasets.json_keys import parse_json
from epoch_plugin.core.errors import InputError

_NEW = '{"datasets": [\n]}\n'
_BLANK = " \t\r\n"


@dataclass
class _Element:
    """One entry: `text` as it stands in the file, None once it is edited; `gap` is what stands before it, comma included."""

    value: dict[str, Any]
    text: str | None
    gap: str
    column: int
    indented: bool


class DatasetsText:
    """A datasets file that is being edited; `entries` are copies, changes go through `replace`, `add` and `remove`."""

    def __init__(self, text: str = "", name: str = "Datasets file") -> None:
        """Take a file's text (empty: a new file); raises `InputError` with line and column if it is no datasets file."""
        text = text if text.strip("\ufeff" + _BLANK) else _NEW
        raw = parse_json(text.lstrip("\ufeff"), name)
        if not isinstance(raw, dict) or not isinstance(raw.get("datasets"), list) or not all(isinstance(e, dict) for e in raw["datasets"]):
            example = '{"datasets": [{"role": "wdpa", "source": "a.gpkg"}]}'
            raise InputError(f'{name}: needs a list of objects under "datasets", for example {example}.')
        self._raw = raw
        self._line = "\r\n" if "\r\n" in text else "\n"
        self._head, self._elements, self._tail = _taken_apart(text, raw["datasets"])

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Return the entries in file order."""
        return [copy.deepcopy(element.value) for element in self._elements]

    def raw(self) -> dict[str, Any]:
        """Return the whole JSON as it is now."""
        return {**copy.deepcopy(self._raw), "datasets": self.entries}

    def replace(self, index: int, entry: dict[str, Any]) -> None:
        """Put another entry at a 0-based position; an equal one changes nothing."""
        element = self._elements[index]
        if json.dumps(element.value) != json.dumps(entry):
            element.value, element.text = copy.deepcopy(entry), None

    def add(self, entry: dict[str, Any]) -> None:
        """Append an entry, laid out as its neighbours are."""
        if self._elements:
            last = self._elements[-1]
            before = last.gap.partition(",")[2] if "," in last.gap else last.gap
            first = self._elements[0]
            gap = "," + (before if len(self._elements) > 1 else first.gap or " ")
            self._elements.append(_Element(copy.deepcopy(entry), None, gap, last.column, last.indented))
        else:
            self._elements.append(_Element(copy.deepcopy(entry), None, f"{self._line}  ", 2, False))
            self._tail = self._line + self._tail.lstrip(_BLANK)

    def remove(self, index: int) -> None:
        """Take an entry out."""
        gone = self._elements.pop(index)
        if index == 0 and self._elements:
            self._elements[0].gap = gone.gap

    def text(self) -> str:
        """Return the file's text."""
        return self._head + "".join(element.gap + self._written(element) for element in self._elements) + self._tail

    def _written(self, element: _Element) -> str:
        if element.text is not None:
            return element.text
        if not element.indented:
            return json.dumps(element.value, ensure_ascii=False)
        return (self._line + " " * element.column).join(key_per_line(element.value).splitlines())


def key_per_line(entry: dict[str, Any]) -> str:
    """Return an entry as JSON with a line for each of its keys."""
    lines = (f"  {json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _taken_apart(text: str, values: list[dict[str, Any]]) -> tuple[str, list[_Element], str]:
    """Cut the text at the elements of the top-level list `datasets`."""
    decoder = json.JSONDecoder()
    at = _skip(text, text.index("{") + 1)
    while True:
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # past the colon
        if key == "datasets":
            break
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # past the comma
    at += 1  # past the bracket
    head, elements = text[:at], []
    for value in values:
        start = _skip(text, at)
        if text[start] == ",":
            start = _skip(text, start + 1)
        _, end = decoder.raw_decode(text, start)
        own = text[start:end]
        column = start - (text.rfind("\n", 0, start) + 1)
        elements.append(_Element(copy.deepcopy(value), own, text[at:start], column, "\n" in own))
        at = end
    return head, elements, text[at:]


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANK:
        at += 1
    return at
