"""Which value of a layer means "no data": the entry's, else the profile's, else the file's tag, if that cannot mean "no"."""

from __future__ import annotations

from epoch_plugin.core.datasets.encodings import Encoding
from epoch_plugin.core.datasets.entries import NodataRule
from epoch_plugin.core.errors import DatasetError


def resolve_nodata(rule: NodataRule, encoding: Encoding, tag: float | None, path: str, who: str, key: str = "nodata") -> float | None:
    """Return the layer's nodata value, None for none; raise `DatasetError` with both ways out where the file's tag is ambiguous."""
    if rule.origin != "file":
        return rule.value
    if tag is not None and tag not in rule.answers and is_ambiguous(encoding, tag):
        raise DatasetError(
            f"{who}: {path} tags {tag:g} as nodata, but {tag:g} may also be this {encoding.kind} layer's own answer ('no', or a class). "
            f"Decide it in the entry: \"{key}\": null if {tag:g} is an answer (looked, found none), "
            f"\"{key}\": {tag:g} if {tag:g} means not seen. Taken wrongly, plots would be called clean or not assessed without reason."
        )
    return tag


def is_ambiguous(encoding: Encoding, tag: float) -> bool:
    """Tell whether a nodata tag could also be an answer: 0 where values are categories, or a value that the encoding lists."""
    if encoding.kind == "continuous":
        return False
    listed = getattr(encoding, "values", ()) or getattr(encoding, "forest", ())
    return tag == 0 or tag in listed


def nodata_in_words(rule: NodataRule, value: float | None, encoding: Encoding) -> str:
    """Say the rule for people: which value is no data, by whose word, and which means "none"."""
    by = {"entry": "the entry's word", "profile": "the profile's word", "file": "the file's tag"}[rule.origin]
    if value is None:
        parts = ["no value is no data" + ("" if rule.origin == "file" else f" ({by})")]
    elif value in encoding.none:
        parts = [f"{value:g} is an answer, although the file tags it as nodata"]
    else:
        parts = [f"{value:g} is no data ({by})"]
    if encoding.sentinels:
        parts.append("no data too: " + ", ".join(f"{item:g}" for item in encoding.sentinels))
    if encoding.none:
        parts.append("looked, found none: " + ", ".join(f"{item:g}" for item in encoding.none))
    return "; ".join(parts)
