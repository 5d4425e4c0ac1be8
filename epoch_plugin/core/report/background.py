"""The sources of a job, from its provenance: what a report lists, and what a map can draw below the plots."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SourceLayer:
    """One entry of the datasets file as it was used; `files` those that are still there, `values` those that mean yes (masks)."""

    role: str
    title: str
    version: str
    years: str
    meaning: str
    files: tuple[str, ...]
    values: tuple[float, ...] = ()
    vector_layer: str = ""
    where: str = ""
    vector: bool = False


def source_layers(sources: Sequence[Mapping[str, Any]]) -> list[SourceLayer]:
    """Return the sources of a provenance record, in its order."""
    return [_source(source) for source in sources]


def _source(source: Mapping[str, Any]) -> SourceLayer:
    files = [file for layer in source["layers"] for file in layer["files"]]
    vector: Mapping[str, Any] = next((file for file in files if "where" in file), {})
    encoding = source["encoding"]
    return SourceLayer(
        role=source["role"],
        title=source["title"],
        version=(source["profile"] or {}).get("product_version", ""),
        years=_years(source),
        meaning=source.get("encoding_in_words", ""),
        files=tuple(dict.fromkeys(file["path"] for file in files if os.path.exists(file["path"]))),
        values=tuple(encoding.get("values") or ()) if encoding["kind"] == "mask" else (),
        vector_layer=vector.get("layer", ""),
        where=vector.get("where", ""),
        vector=bool(vector),
    )


def _years(source: Mapping[str, Any]) -> str:
    if source.get("until"):
        return f"to {source['until']}"
    if source.get("years"):
        first, last = source["years"]
        return str(first) if first == last else f"{first}–{last}"
    return str(source.get("year") or "no year given")
