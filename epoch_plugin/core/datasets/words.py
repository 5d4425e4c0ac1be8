"""Encodings and coordinate systems in words, for checkdatasets, reports and provenance."""

from __future__ import annotations

import math

from epoch_plugin.core.datasets.encodings import (
    AlertDateEncoding,
    ClassesEncoding,
    Encoding,
    LossYearEncoding,
    MaskEncoding,
)


def encoding_in_words(encoding: Encoding) -> str:
    """Say how stored values are read."""
    if isinstance(encoding, MaskEncoding):
        return f"yes where the stored value is {_mask_range(encoding)}"
    if isinstance(encoding, LossYearEncoding):
        return f"year of loss = stored value + {encoding.offset}" if encoding.offset else "year of loss as stored"
    if isinstance(encoding, ClassesEncoding):
        return "classes" + (f"; forest: {_list(encoding.forest)}" if encoding.forest else "")
    if isinstance(encoding, AlertDateEncoding):
        return _alert(encoding)
    if encoding.scale is None or encoding.offset is None:
        return "measured values, scaled as the file says"
    return "measured values" + (f" = stored value x {encoding.scale:g} + {encoding.offset:g}" if (encoding.scale, encoding.offset) != (1, 0) else "")


def crs_name(wkt: str) -> str:
    """Return 'EPSG:n' where the authority is known, else the system's name."""
    from osgeo import osr

    reference = osr.SpatialReference()
    reference.SetFromUserInput(wkt)
    authority, code = reference.GetAuthorityName(None), reference.GetAuthorityCode(None)
    return f"{authority}:{code}" if authority and code else str(reference.GetName() or "unnamed")


def number(value: float | None) -> float | str | None:
    """Return a number that JSON can hold: NaN and infinity as text."""
    return value if value is None or math.isfinite(value) else str(value)


def _mask_range(encoding: MaskEncoding) -> str:
    if encoding.values:
        return _list(encoding.values)
    bounds = [f"{word} {bound:g}" for word, bound in (("at least", encoding.min), ("at most", encoding.max)) if bound is not None]
    return " and ".join(bounds)


def _alert(encoding: AlertDateEncoding) -> str:
    if encoding.packing in ("year", "yyddd"):
        return f"date of alert, stored as {encoding.packing}"
    text = f"date of alert, stored as days since {encoding.base.isoformat()}"
    if encoding.packing == "conf_days_since":
        text += ", first digit = confidence"
    return text + (f", from confidence {encoding.min_confidence}" if encoding.min_confidence else "")


def _list(values: tuple[float, ...]) -> str:
    return " or ".join(f"{value:g}" for value in values)
