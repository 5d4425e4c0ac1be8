"""Bundled descriptions of public products: one JSON file each in `profiles/`, read on demand."""

from __future__ import annotations

import difflib
import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epoch_plugin.core.errors import InputError

FOLDER = Path(__file__).parent / "profiles"


@dataclass(frozen=True)
class Profile:
    """A public product: how its files are encoded, which years they cover, how to cite it and where to get it.

    `years` may have an open end (None) when the last year depends on the release: `last_year_in_name` then finds it in the file name.
    `has_nodata` tells whether the profile rules on nodata; `nodata` None then means that no value is no data, whatever the tag says.
    """

    id: str
    version: int  # of this description; written into the provenance
    title: str
    product_version: str
    publisher: str
    licence: str
    citation: str
    get_it: str
    encoding: dict[str, Any] = field(hash=False)
    role_encodings: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)
    caveats: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    kind: str = "raster"
    years: tuple[int | None, int | None] | None = None
    last_year_in_name: str = ""
    year: int | None = None
    has_nodata: bool = False
    nodata: float | None = None
    unit: str = ""
    resolution: str = ""
    where: str = ""
    commercial_use: bool = True

    def encoding_for(self, role: str) -> dict[str, Any]:
        """Return the encoding's JSON for a role: some products serve several, each reading other classes."""
        return self.role_encodings.get(role, self.encoding)

    def record(self, files: tuple[str, ...]) -> tuple[int | None, int | None]:
        """Return first and last year of the record; an open end is looked up in the names of `files` (all must agree)."""
        first, last = self.years or (None, None)
        if last is None and self.last_year_in_name:
            found = {int(match.group(1)) for name in files if (match := re.search(self.last_year_in_name, name))}
            last = found.pop() if len(found) == 1 else None
        return first, last


@functools.cache
def profile_ids() -> tuple[str, ...]:
    """Return the ids of all bundled profiles, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@functools.cache
def load_profile(profile_id: str) -> Profile:
    """Return a bundled profile; raise `InputError` with the closest ids if there is none of that name."""
    if profile_id not in profile_ids():
        close = difflib.get_close_matches(profile_id, profile_ids(), n=3)
        hint = f"Did you mean {' or '.join(close)}?" if close else f"Known: {', '.join(profile_ids())}."
        raise InputError(f"There is no profile '{profile_id}'. {hint}")
    values = json.loads((FOLDER / f"{profile_id}.json").read_text(encoding="utf-8"))
    values["has_nodata"] = "nodata" in values
    for name in ("caveats", "roles", "years"):
        if name in values:
            values[name] = tuple(values[name])
    return Profile(**values)
