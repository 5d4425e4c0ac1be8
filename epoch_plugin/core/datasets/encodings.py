"""What the stored values of a layer mean: five encodings, each a pure, elementwise function of the raw values.

The order of the tests is that of METHODS section 1: a value that the encoding names as `none` is "looked, found none" even if it is
also the nodata value; then nodata and the encoding's sentinels are no data. NaN and infinite values are no data always.
Whether a cell lies outside the files, in a gap or under a mask is known to the reader of the file, not here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from epoch_plugin.core.errors import DatasetError

MASK_MISSING, MASK_NO, MASK_YES = 0, 1, 2
YEAR_MISSING, YEAR_NONE = -1, 0
CLASS_MISSING = -1
DATE_MISSING, DATE_NONE = -1, 0

FIRST_YEAR, LAST_YEAR = 1900, 2200  # a decoded year outside is a stray value, not a loss
_EPOCH = dt.date(1970, 1, 1)

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class MaskEncoding:
    """Yes or no: yes where the stored value is one of `values`, or lies in min..max (both included)."""

    values: tuple[float, ...] = ()
    min: float | None = None
    max: float | None = None
    none: tuple[float, ...] = ()
    sentinels: tuple[float, ...] = ()
    kind = "mask"

    def decode(self, raw: NDArray[Any], nodata: float | None) -> NDArray[np.uint8]:
        """Return 0 no data, 1 no, 2 yes; same shape as `raw`."""
        none, missing = _tests(raw, nodata, self.none, self.sentinels)
        if self.values:
            yes = _is_any(raw, self.values)
        else:
            yes = np.ones(raw.shape, bool)
            if self.min is not None:
                yes &= _comparable(raw) >= _bound(raw, self.min)
            if self.max is not None:
                yes &= _comparable(raw) <= _bound(raw, self.max)
        codes = np.where(yes & ~none, MASK_YES, MASK_NO).astype(np.uint8)
        codes[missing] = MASK_MISSING
        return codes


@dataclass(frozen=True)
class LossYearEncoding:
    """The year of a loss: stored value + `offset`; the values `none` mean that no loss was found."""

    offset: int = 0
    none: tuple[float, ...] = (0.0,)
    sentinels: tuple[float, ...] = ()
    kind = "loss_year"

    def decode(self, raw: NDArray[Any], nodata: float | None) -> NDArray[np.int16]:
        """Return -1 no data, 0 no loss, else the year; what is no year between 1900 and 2200 is no data."""
        none, missing = _tests(raw, nodata, self.none, self.sentinels)
        whole, stray = _whole(raw, missing | none)
        years = whole + self.offset
        stray |= (years < FIRST_YEAR) | (years > LAST_YEAR)
        codes = np.where(stray, YEAR_MISSING, years)
        codes[missing] = YEAR_MISSING
        codes[none] = YEAR_NONE
        return codes.astype(np.int16)


@dataclass(frozen=True)
class ClassesEncoding:
    """Classes: `class_map` gives each class its land use or meaning, `forest` the classes that are forest in a yearly series."""

    class_map: tuple[tuple[int, str], ...] = ()
    forest: tuple[int, ...] = ()
    names: tuple[tuple[int, str], ...] = ()
    none: tuple[float, ...] = ()
    sentinels: tuple[float, ...] = ()
    kind = "classes"

    def decode(self, raw: NDArray[Any], nodata: float | None) -> NDArray[np.int16]:
        """Return -1 no data, else the class value; what is no whole number from 0 to 32767 is no data."""
        _, missing = _tests(raw, nodata, self.none, self.sentinels)
        whole, stray = _whole(raw, missing)
        stray |= (whole < 0) | (whole > np.iinfo(np.int16).max)
        return np.where(stray | missing, CLASS_MISSING, whole).astype(np.int16)


@dataclass(frozen=True)
class AlertDateEncoding:
    """The date of an alert, packed as `yyddd`, `days_since`, `conf_days_since` or `year`.

    `conf_days_since` is Global Forest Watch's date_conf: confidence x 10000 + days since `base`. Alerts under `min_confidence` count as
    none. A year stands for its first of January; `annual` tells that only the year is known.
    """

    packing: str = "yyddd"
    base: dt.date = _EPOCH
    min_confidence: int | None = None
    none: tuple[float, ...] = (0.0,)
    sentinels: tuple[float, ...] = ()
    kind = "alert_date"

    @property
    def annual(self) -> bool:
        """Tell whether the layer knows years only."""
        return self.packing == "year"

    def decode(self, raw: NDArray[Any], nodata: float | None) -> NDArray[np.int32]:
        """Return -1 no data, 0 no alert, else days since 1970-01-01; what is no date between 1900 and 2200 is no data."""
        none, missing = _tests(raw, nodata, self.none, self.sentinels)
        whole, stray = _whole(raw, missing | none)
        days, unsure = self._unpack(whole, stray)
        # 1970-01-01 and earlier would collide with the codes; no alert is that old
        stray |= (days <= 0) | (days > (dt.date(LAST_YEAR, 12, 31) - _EPOCH).days)
        codes = np.where(stray, DATE_MISSING, days)
        codes[missing] = DATE_MISSING
        codes[none | (unsure & ~stray & ~missing)] = DATE_NONE
        return codes.astype(np.int32)

    def _unpack(self, whole: NDArray[np.int64], stray: Bool) -> tuple[NDArray[np.int64], Bool]:
        """Return days since 1970 and where the confidence is too low; marks in `stray` what the packing does not allow."""
        unsure = np.zeros(whole.shape, bool)
        if self.packing == "year":
            stray |= (whole < FIRST_YEAR) | (whole > LAST_YEAR)
            return _january_first(np.where(stray, 1970, whole)), unsure
        if self.packing == "yyddd":
            year, day = 2000 + whole // 1000, whole % 1000
            stray |= (whole < 0) | (whole > 99366) | (day < 1)
            start = _january_first(np.where(stray, 1970, year))
            stray |= day > _january_first(np.where(stray, 1970, year) + 1) - start
            return start + day - 1, unsure
        since = (self.base - _EPOCH).days
        if self.packing == "conf_days_since":
            confidence = whole // 10000
            stray |= (confidence < 1) | (confidence > 9)
            if self.min_confidence is not None:
                unsure = confidence < self.min_confidence
            return since + whole % 10000, unsure
        stray |= (whole < 0) | (whole > 10**6)
        return since + whole, unsure


@dataclass(frozen=True)
class ContinuousEncoding:
    """Measured values: stored value x `scale` + `offset`; None means that the file's own scale applies (see `open.encoding_of`)."""

    scale: float | None = 1.0
    offset: float | None = 0.0
    sentinels: tuple[float, ...] = ()
    none: tuple[float, ...] = ()
    kind = "continuous"

    def decode(self, raw: NDArray[Any], nodata: float | None) -> NDArray[np.float64]:
        """Return the values, NaN where there is no data, 0 for `none`; raise `DatasetError` while the file's scale is not bound."""
        if self.scale is None or self.offset is None:
            raise DatasetError("The scale of this layer is that of its file: bind it with encoding_of(entry, layer) before decoding.")
        none, missing = _tests(raw, nodata, self.none, self.sentinels)
        values = raw.astype(np.float64) * self.scale + self.offset
        values[missing] = np.nan
        values[none] = 0.0
        return np.asarray(values)


Encoding = Union[MaskEncoding, LossYearEncoding, ClassesEncoding, AlertDateEncoding, ContinuousEncoding]


def _tests(raw: NDArray[Any], nodata: float | None, none: tuple[float, ...], sentinels: tuple[float, ...]) -> tuple[Bool, Bool]:
    """Return where the value is `none`, and where it is no data; never both."""
    found_none = _is_any(raw, none)
    missing = _is_any(raw, sentinels if nodata is None else (*sentinels, nodata))
    if raw.dtype.kind == "f":
        missing |= ~np.isfinite(raw)
    return found_none, missing & ~found_none


def _is_any(raw: NDArray[Any], values: tuple[float, ...]) -> Bool:
    hit = np.zeros(raw.shape, bool)
    for value in values:
        stored = _as_stored(raw.dtype, value)
        if stored is not None:
            hit |= raw == stored
    return hit


def _as_stored(dtype: np.dtype[Any], value: float) -> Any:
    """Return `value` as the file stores it (a tag of -3.4e38 is another float64 than the float32 cell), None if it cannot hold it."""
    if value != value:
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(value)
    if value in (float("inf"), float("-inf")) or value != int(value):
        return None
    limits = np.iinfo(dtype)
    return dtype.type(int(value)) if limits.min <= value <= limits.max else None


def _comparable(raw: NDArray[Any]) -> NDArray[Any]:
    return raw if raw.dtype.kind == "f" else raw.astype(np.float64)


def _bound(raw: NDArray[Any], value: float) -> Any:
    """A threshold in the precision of the cells: a float32 cell of 0.38 reaches the threshold 0.38."""
    return raw.dtype.type(value) if raw.dtype.kind == "f" else np.float64(value)


def _whole(raw: NDArray[Any], skip: Bool) -> tuple[NDArray[np.int64], Bool]:
    """Return the values as int64 (0 where skipped) and where a value that was not skipped is no whole number."""
    if raw.dtype.kind != "f":
        return np.where(skip, 0, raw).astype(np.int64), np.zeros(raw.shape, bool)
    stray = ~skip & (~np.isfinite(raw) | (np.abs(raw) > 2**53) | (raw != np.floor(np.where(np.isfinite(raw), raw, 0))))
    return np.where(skip | stray, 0, raw).astype(np.int64), stray


def _january_first(years: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days from 1970-01-01 to the first of January of each year."""
    days = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return days.astype(np.int64)
