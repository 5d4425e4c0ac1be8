"""Many plots as columns: grown page by page, sorted and filtered on arrays, so that 100,000 rows take no time."""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.monitoring.plot_pages import NUMBERS, Page

PIECE = 8_000
ALERTS: tuple[str | None, ...] = ("critical", "non-critical", "no deforestation", None)  # by urgency: the order in which they sort
CONFIDENCES: tuple[str | None, ...] = ("high", "medium", "low", "no detection", None)
SORTABLE = ("plotid", "alert", "confidence", "since", "reasons", *NUMBERS)

Indexes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass
class PlotColumns:
    """The columns of n plots; grows page by page; `finish` makes text columns sortable."""

    fid: list[int] = field(default_factory=list)
    uuid: list[str] = field(default_factory=list)
    plotid: list[str] = field(default_factory=list)
    alert: list[int] = field(default_factory=list)  # index into ALERTS
    confidence: list[int] = field(default_factory=list)  # index into CONFIDENCES
    since: list[str | None] = field(default_factory=list)  # first and last day of loss, ISO
    until: list[str | None] = field(default_factory=list)
    assessed_end: list[str | None] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)  # JSON text
    stored: list[bool] = field(default_factory=list)  # there is a row of the deforestation check
    numbers: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in NUMBERS})  # NaN: not known
    loss_by_year: dict[int, list[int]] = field(default_factory=dict)  # year -> rows, ascending
    _keys: dict[str, Floats] = field(default_factory=dict)
    _folded: list[str] = field(default_factory=list)  # plotid without case

    def __len__(self) -> int:
        return len(self.fid)

    def append(self, page: Page) -> None:
        """Add a page."""
        first = len(self.fid)
        fids, uuids, plotids, alerts, confidences, since, until, assessed, reasons, annual, stored, *numbers = page
        for place, text in enumerate(annual, start=first):
            if text:
                self._add_losses(place, text)
        self.uuid.extend(uuids)
        self.plotid.extend(plotids)
        self.alert.extend([_ALERT_CODE[word] for word in alerts])
        self.confidence.extend([_CONFIDENCE_CODE[word] for word in confidences])
        self.since.extend(since)
        self.until.extend(until)
        self.assessed_end.extend(assessed)
        self.reasons.extend(reasons)
        self.stored.extend(map(bool, stored))
        for column, values in zip(self.numbers.values(), numbers):
            column.frombytes(np.asarray(values, np.float64).tobytes())
        self._folded.extend([plotid.casefold() for plotid in plotids])
        self.fid.extend(fids)  # last: it is the length that others see

    def _add_losses(self, place: int, annual: str) -> None:
        for year in _YEARS_WITH_LOSS.findall(annual):
            self.loss_by_year.setdefault(int(year), []).append(place)

    def finish(self) -> None:
        """Rank the columns once all pages are there: sorting is then a matter of numbers."""
        keys = {name: np.array(values, np.float64) for name, values in self.numbers.items()}
        keys["alert"] = np.array(self.alert, np.float64)
        keys["confidence"] = np.array(self.confidence, np.float64)
        keys["since"] = _ranks(self.since)
        keys["reasons"] = _ranks(self.reasons)
        keys["plotid"] = _ranks([_numbers_filled(text) for text in self._folded])
        self._keys = keys  # all at once: another thread shows these columns already

    @property
    def sortable(self) -> bool:
        """Tell whether `finish` was called."""
        return bool(self._keys)

    def order(self, rows: Indexes, name: str, descending: bool) -> Indexes:
        """Return `rows` sorted by a column of `SORTABLE`; what is not known comes last either way, ties keep position order."""
        rows = np.sort(rows)
        keys = self._keys[name][rows]
        known = ~np.isnan(keys)
        ascending = np.argsort(-keys[known] if descending else keys[known], kind="stable")
        return np.concatenate([rows[known][ascending], rows[~known]])

    def matching(self, alerts: Sequence[str | None] | None = None, confidences: Sequence[str | None] | None = None,
                 year: int | None = None, known: str = "", text: str = "") -> Indexes:  # fmt: skip
        """Return the rows that fulfil every condition given: alert, confidence, loss in a year, a number known, a text in plot id or UUID."""
        mask: Mask = np.ones(len(self), bool)
        if alerts is not None:
            mask &= np.isin(np.array(self.alert, np.int64), [_ALERT_CODE[alert] for alert in alerts])
        if confidences is not None:
            mask &= np.isin(np.array(self.confidence, np.int64), [_CONFIDENCE_CODE[word] for word in confidences])
        if year is not None:
            lost = np.zeros(len(self), bool)
            lost[self.loss_by_year.get(year, [])] = True
            mask &= lost
        if known:
            mask &= ~np.isnan(np.array(self.numbers[known]))
        if text.strip():
            wanted = text.strip().casefold()
            mask &= np.array([wanted in plotid or wanted in uuid for plotid, uuid in zip(self._folded, self.uuid)], bool)
        return np.flatnonzero(mask)

    def rows_of(self, fids: Sequence[int]) -> list[int]:
        """Return the rows of plots given by fid; those that are not here are left out."""
        places = ((bisect_left(self.fid, fid), fid) for fid in fids)  # they ascend: that is the order of the pages
        return [row for row, fid in places if row < len(self.fid) and self.fid[row] == fid]

    def places(self, shown: Sequence[int] | Indexes, rows: Sequence[int]) -> list[int]:
        """Return where in `shown` (row numbers) the given rows stand, ascending."""
        return [int(place) for place in np.flatnonzero(np.isin(np.asarray(shown, np.intp), np.asarray(rows, np.intp)))]

    def value(self, row: int, name: str) -> Any:
        """Return one value by column name: number, text, or None for what is not known."""
        if name in self.numbers:
            number = self.numbers[name][row]
            return None if math.isnan(number) else number
        if name == "alert":
            return ALERTS[self.alert[row]]
        if name == "confidence":
            return CONFIDENCES[self.confidence[row]]
        return getattr(self, name)[row]

    def known(self, name: str) -> list[float]:
        """Return the known values of a column of numbers, in the order of the rows."""
        values = np.array(self.numbers[name])
        found: list[float] = values[~np.isnan(values)].tolist()
        return found

    def counts(self) -> AlertCounts:
        """Count the plots by alert and confidence."""
        counts: dict[tuple[str | None, str | None], int] = {}
        for alert, confidence in zip(self.alert, self.confidence):
            key = ALERTS[alert], CONFIDENCES[confidence]
            counts[key] = counts.get(key, 0) + 1
        return AlertCounts(counts, len(self) - sum(self.stored))


@dataclass(frozen=True)
class AlertCounts:
    """Plots by (alert, confidence), and how many have no row of the deforestation check at all."""

    plots: dict[tuple[str | None, str | None], int]
    not_processed: int

    def of(self, alert: str | None) -> int:
        """Return the number of plots with an alert, whatever its confidence."""
        return sum(number for (key, _), number in self.plots.items() if key == alert)

    @property
    def total(self) -> int:
        """All plots."""
        return sum(self.plots.values())

    @property
    def assessed(self) -> int:
        """Plots whose alert is known."""
        return self.total - self.of(None)


_ALERT_CODE = {word: code for code, word in enumerate(ALERTS)}
_CONFIDENCE_CODE = {word: code for code, word in enumerate(CONFIDENCES)}
# in the JSON of `annual_defor`: only the years are wanted, and making numbers of all areas and errors takes twice as long
_YEARS_WITH_LOSS = re.compile(r'"defor_ha_(\d+)"\s*:(?!\s*(?:0(?:\.0*)?|null)\s*[,}])')


def natural_key(text: str) -> str:
    """Return a text that sorts as people expect: digits as numbers (P2 before P10), case ignored."""
    return _numbers_filled(text.casefold())


def _numbers_filled(text: str) -> str:
    head = text.rstrip("0123456789")
    if head.isalpha():  # most ids are letters and a number
        return head + text[len(head) :].zfill(12) if len(head) < len(text) else text
    return _DIGITS.sub(_filled, text)


def _filled(found: re.Match[str]) -> str:
    return found[0].zfill(12)


_DIGITS = re.compile("[0-9]+")


def _ranks(texts: Sequence[str | None]) -> Floats:
    """Return each text's place in sorted order, NaN for None.

    Sorted in pieces, which are merged by twos (`sorted` finds what is in order): sorting 100,000 texts at once would keep Python's lock,
    and with it the user's window, for a tenth of a second.
    """
    known = [text for text in dict.fromkeys(texts) if text is not None]
    pieces = [sorted(known[start : start + PIECE]) for start in range(0, len(known), PIECE)]
    while len(pieces) > 1:
        pieces = [sorted([text for piece in pieces[i : i + 2] for text in piece]) for i in range(0, len(pieces), 2)]
    places: dict[str | None, float] = dict(zip(*pieces, count())) if pieces else {}
    places[None] = float("nan")
    return np.fromiter(map(places.__getitem__, texts), np.float64, len(texts))
