"""Detection systems: what each needs to be read, and what its codes say of a cell: the year of loss, the years it can speak for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.encodings import AlertDateEncoding, ClassesEncoding, LossYearEncoding, MaskEncoding
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.kernel import Array, LayerRead

States = npt.NDArray[np.int64]

NO_DATA, NO_LOSS, FIRST_YEAR = 0, 1, 2  # codes of a loss layer; FIRST_YEAR + k is a loss in the k-th counted year
MASK_NO_DATA, MASK_NO, MASK_YES = 0, 1, 2
COVER_NO_DATA, COVER_FOREST, COVER_OTHER, COVER_DEGRADED = 0, 1, 2, 3  # codes of a yearly series; degraded forest is forest


@dataclass(frozen=True)
class LossYearCodes:
    """Decodes a loss-year layer: 0 no data, 1 no loss in the window, 2 + k a loss in the k-th counted year."""

    encoding: LossYearEncoding
    nodata: float | None
    years: tuple[int, ...]

    def __call__(self, raw: Array) -> npt.NDArray[np.uint8]:
        """Return the codes of raw values."""
        return _year_codes(self.encoding.decode(raw, self.nodata).astype(np.int64), self.years)


@dataclass(frozen=True)
class AlertCodes:
    """Decodes dated alerts: as `LossYearCodes`, a date counting when it lies in the window."""

    encoding: AlertDateEncoding
    nodata: float | None
    window: MonitoringWindow

    def __call__(self, raw: Array) -> npt.NDArray[np.uint8]:
        """Return the codes of raw values."""
        days = self.encoding.decode(raw, self.nodata).astype(np.int64)
        year = np.where(days > 0, days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970, days)
        if not self.encoding.annual:
            start, end = (day.toordinal() - dt.date(1970, 1, 1).toordinal() for day in (self.window.start, self.window.end))
            year = np.where((days > 0) & ((days <= start) | (days > end)), 0, year)
        return _year_codes(year, self.window.years)


def _year_codes(year: States, years: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    codes = np.where(year < 0, NO_DATA, NO_LOSS).astype(np.uint8)
    counted = (year >= years[0]) & (year <= years[-1])
    codes[counted] = (year[counted] - years[0] + FIRST_YEAR).astype(np.uint8)
    return codes


@dataclass(frozen=True)
class CoverCodes:
    """Decodes one year of a series: 0 no data, 1 forest, 2 other, 3 degraded forest."""

    encoding: ClassesEncoding | MaskEncoding
    nodata: float | None
    degraded: tuple[int, ...] = ()

    def __call__(self, raw: Array) -> npt.NDArray[np.uint8]:
        """Return the codes of raw values."""
        if isinstance(self.encoding, MaskEncoding):
            mask = self.encoding.decode(raw, self.nodata)
            return np.array([COVER_NO_DATA, COVER_OTHER, COVER_FOREST], np.uint8)[mask]
        classes = self.encoding.decode(raw, self.nodata)
        codes = np.where(np.isin(classes, self.encoding.forest), COVER_FOREST, COVER_OTHER).astype(np.uint8)
        codes[np.isin(classes, self.degraded)] = COVER_DEGRADED
        codes[classes < 0] = COVER_NO_DATA
        return codes


@dataclass(frozen=True)
class MaskCodes:
    """Decodes a mask: 0 no data, 1 no, 2 yes."""

    encoding: MaskEncoding
    nodata: float | None

    def __call__(self, raw: Array) -> npt.NDArray[np.uint8]:
        """Return the codes of raw values."""
        return self.encoding.decode(raw, self.nodata)


@dataclass(frozen=True)
class ClassMaskCodes:
    """Decodes classes as a mask: yes where the class is one of `classes`."""

    encoding: ClassesEncoding
    nodata: float | None
    classes: tuple[int, ...]

    def __call__(self, raw: Array) -> npt.NDArray[np.uint8]:
        """Return the codes of raw values."""
        values = self.encoding.decode(raw, self.nodata)
        codes = np.where(np.isin(values, self.classes), MASK_YES, MASK_NO).astype(np.uint8)
        codes[values < 0] = MASK_NO_DATA
        return codes


@dataclass(frozen=True)
class System:
    """One detection system: its reads, and what its codes mean.

    `record_end[k]` is the last day for which it can speak in the k-th counted year, None where its record does not
    reach that year. `read_years` are the years of a series' reads; empty for a system of one layer (and its mask).
    """

    name: str
    reads: tuple[LayerRead, ...]
    record_end: tuple[dt.date | None, ...]
    first_year: int
    read_years: tuple[int, ...] = ()
    persistence_years: int = 2

    @property
    def tells_degradation(self) -> bool:
        """Tell whether the series has a class of degraded forest."""
        return bool(self.read_years) and any(isinstance(r.decode, CoverCodes) and r.decode.degraded for r in self.reads)

    def interpret(self, codes: States) -> States:
        """Turn rows of codes (one column per read) into rows of: loss, available years, degraded.

        loss: 0 none, k + 1 = first loss in the k-th counted year. Available years: bit k set where the system can speak
        for the k-th counted year. Degraded: 1 where undisturbed forest became degraded in the window.
        """
        if not self.reads:  # a series without a layer in the window
            return np.zeros((len(codes), 3), np.int64)
        return self._series(codes) if self.read_years else self._single(codes)

    def _single(self, codes: States) -> States:
        record = sum(1 << k for k, end in enumerate(self.record_end) if end is not None)
        loss = np.maximum(codes[:, 0] - NO_LOSS, 0)
        seen = codes[:, 0] != NO_DATA
        if codes.shape[1] > 1:  # a mask limits the system: outside it nothing was found, without data nobody looked
            loss = np.where(codes[:, 1] == MASK_YES, loss, 0)
            seen &= codes[:, 1] != MASK_NO_DATA
        loss = np.where(seen, loss, 0)
        # a detection counts whatever was seen: where there is one, the system has spoken for its year
        years = np.where(seen, record, 0) | np.where(loss > 0, 1 << np.maximum(loss - 1, 0), 0)
        return np.stack([loss, years, np.zeros_like(loss)], axis=1)

    def _series(self, codes: States) -> States:
        column = {year: k for k, year in enumerate(self.read_years)}
        forest = (codes == COVER_FOREST) | (codes == COVER_DEGRADED)
        known = codes != COVER_NO_DATA
        loss = np.zeros(len(codes), np.int64)
        years = np.zeros(len(codes), np.int64)
        degraded = np.zeros(len(codes), np.int64)
        for k in range(len(self.record_end)):
            year = self.first_year + k
            if year not in column or year - 1 not in column:
                continue
            now, before = column[year], column[year - 1]
            years |= np.where(known[:, now] & known[:, before], 1 << k, 0)
            lost = forest[:, before] & known[:, now] & ~forest[:, now] & self._lasts(forest, now)
            loss = np.where((loss == 0) & lost, k + 1, loss)
            degraded |= (codes[:, before] == COVER_FOREST) & (codes[:, now] == COVER_DEGRADED)
        return np.stack([loss, years, degraded], axis=1)

    def _lasts(self, forest: npt.NDArray[np.bool_], now: int) -> npt.NDArray[np.bool_]:
        """Tell where the cover is not forest again in the bound years that a loss must last."""
        again = forest[:, now + 1 : now + self.persistence_years]
        return np.asarray(~again.any(axis=1))
