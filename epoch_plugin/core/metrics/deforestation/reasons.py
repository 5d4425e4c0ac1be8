"""Reason codes: why a plot's row says what it says, and what it rests on. Documented in docs/reasons.md, one sentence each."""

from __future__ import annotations

from typing import Any

Reason = dict[str, Any]

SENTENCES: dict[str, str] = {
    "not_assessed:coverage": "Too little of the plot was seen in the baseline and in every counted year to say that nothing happened.",
    "missing_layer": "This layer is needed and was not bound in the datasets file.",
    "year_not_covered": "No detection system with data in the plot has a record that covers this year.",
    "year_partly_covered": "Only dated alerts cover this year, and their record ends within it.",
    "single_system": "Fewer than two detection systems saw enough of the plot in all assessed years, so no error can be given.",
    "below_min_area": "Something was flagged, but less than the smallest area that counts.",
    "boundary_year": "The detection rests on 2021 alone, the first year after the cut-off: a yearly layer cannot date it finer.",
    "edge_only": "The whole deciding area lies in cells whose centre is outside the plot.",
    "context_missing": "This context layer was not bound or has no data here, so its column of the alert rule did not apply.",
    "commodity_undated": "This commodity layer is of a later or unknown year, so it cannot show that trees were a crop before the cut-off.",
    "area_assumed": "A point without a declared area was assessed as a circle of the assumed area.",
    "long_edges": "The plot's edges are so long that straight lines in the raster's projection enclose another area than on the ground.",
    "not_processed": "No result is stored for this plot and window.",
}


def reason(code: str, subject: str | int | None = None, **numbers: Any) -> Reason:
    """Return a reason; `subject` (a role or a year) is appended to the code as `code:subject`."""
    if code not in SENTENCES:
        raise KeyError(code)
    return {"code": code if subject is None else f"{code}:{subject}", **numbers}


def sentence(code: str) -> str:
    """Return the plain sentence of a reason code, also of one with a subject."""
    return SENTENCES.get(code) or SENTENCES.get(code.split(":")[0], code)
