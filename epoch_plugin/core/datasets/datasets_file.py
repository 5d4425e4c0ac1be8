"""The datasets file: JSON that binds roles to the user's rasters and vectors (CONTRACT, 'Datasets file')."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from epoch_plugin.core.datasets.encodings import ClassesEncoding, MaskEncoding
from epoch_plugin.core.datasets.entries import Entry, MaskRule, NodataRule, SourceRef
from epoch_plugin.core.datasets.entry_json import parse_entry
from epoch_plugin.core.datasets.json_keys import Keys, element_lines, parse_json
from epoch_plugin.core.datasets.roles import COMMODITIES, ROLES
from epoch_plugin.core.errors import InputError

__all__ = ["Datasets", "Entry", "MaskRule", "NodataRule", "SourceRef", "datasets_from_dict", "load_datasets"]

_TOP_KEYS = ("datasets", "title", "description")


@dataclass(frozen=True)
class Datasets:
    """The checked content of a datasets file; `raw` is its JSON as it was read, so that editing changes only what was edited."""

    path: str
    entries: tuple[Entry, ...]
    raw: dict[str, Any] = field(compare=False, hash=False, repr=False)

    def by_role(self, role: str) -> tuple[Entry, ...]:
        """Return the entries of a role, in file order."""
        return tuple(entry for entry in self.entries if entry.role == role)

    def one(self, role: str) -> Entry | None:
        """Return the entry of a role that takes one, with METHODS' defaults for `jrc_forest` and `tmf_forest`; None if there is none."""
        found = self.by_role(role)
        if found:
            return found[0]
        defaults = {"jrc_forest": self._jrc_forest, "tmf_forest": self._tmf_forest}
        return defaults[role]() if role in defaults else None

    @property
    def detection(self) -> tuple[Entry, ...]:
        """Detection systems: known roles and `"theme": "detection"`, in file order."""
        return tuple(entry for entry in self.entries if entry.detection)

    @property
    def extras(self) -> tuple[Entry, ...]:
        """Extra zonal statistics, in file order."""
        return tuple(entry for entry in self.entries if entry.extra)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON, equal to what was read."""
        return copy.deepcopy(self.raw)

    def _jrc_forest(self) -> Entry | None:
        baseline = next(iter(self.by_role("forest_2020")), None)
        is_jrc = baseline is not None and baseline.profile is not None and baseline.profile.id.startswith("jrc_")
        return replace(baseline, role="jrc_forest") if baseline is not None and is_jrc else None

    def _tmf_forest(self) -> Entry | None:
        tmf = next(iter(self.by_role("tmf")), None)
        if tmf is None or not isinstance(tmf.encoding, ClassesEncoding) or not tmf.encoding.forest:
            return None
        source = tmf.source_of(2020)
        if source is None:
            return None
        encoding = MaskEncoding(tuple(float(value) for value in tmf.encoding.forest), none=tmf.encoding.none, sentinels=tmf.encoding.sentinels)
        return replace(tmf, role="tmf_forest", encoding=encoding, sources=(source,), year=2020, years=(2020, 2020))


def load_datasets(path: str) -> Datasets:
    """Read and check a datasets file; raise `InputError` naming line, entry and key."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise InputError(f"The datasets file {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise InputError(f"The datasets file {path} is not UTF-8 text; save it as UTF-8 JSON.") from None
    return datasets_from_dict(parse_json(text, f"Datasets file {path}"), path, element_lines(text, "datasets"))


def datasets_from_dict(raw: Any, path: str, lines: Iterable[int] = ()) -> Datasets:
    """Check the JSON of a datasets file; relative paths are taken from the folder of `path`."""
    keys = Keys(raw, f"Datasets file {path}", _TOP_KEYS)
    elements = raw.get("datasets")
    if not isinstance(elements, list) or not elements:
        raise keys.error("datasets", "must be a list with at least one entry.")
    folder, lines = os.path.dirname(os.path.abspath(path)), list(lines)
    entries = tuple(
        parse_entry(element, index, lines[index - 1] if len(lines) == len(elements) else None, folder)
        for index, element in enumerate(elements, start=1)
    )
    _check_duplicates(entries)
    return Datasets(path, entries, copy.deepcopy(raw))


def _check_duplicates(entries: tuple[Entry, ...]) -> None:
    """Refuse two answers to one question: a role that takes one entry, one year bound twice, two extras of one name."""
    first: dict[tuple[str, int | None], Entry] = {}
    for entry in entries:
        role = ROLES.get(entry.role)
        by_year = role is not None and (role.series or role.name in COMMODITIES)
        for year in [ref.year for ref in entry.sources] if by_year else [None]:
            other = first.setdefault((entry.role, year), entry)
            if other is entry:
                continue
            what = f"'{entry.role}' of {year}" if year else f"'{entry.role}'"
            raise InputError(f"Datasets file, {entry.label}: {what} is already bound by {other.label}. Keep one; tiles of one layer are one entry "
                             "(a list or a glob), a further detection system gets a name of its own and \"theme\": \"detection\".")  # fmt: skip
