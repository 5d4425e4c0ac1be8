"""Where and when land use changed: from yearly land cover, and from the union of the detection systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.deforestation.kernel import DeforestationKernel
from epoch_plugin.core.metrics.deforestation.states import meaning_of
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.kernel import Cells, LayerRead

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

UNKNOWN, NATURAL, CONVERTED = 0, 1, 2  # codes of a class's land use; managed and other land are both CONVERTED
AMORTISATION = 20  # years; GHG Protocol Land Sector and Removals Standard, PAS 2050:2012 annex C


@dataclass(frozen=True)
class LandCover:
    """Yearly land cover, ascending: classes (-1 no data), and the land use of each class."""

    years: tuple[int, ...]
    reads: tuple[LayerRead, ...]
    uses: tuple[tuple[tuple[int, int], ...], ...]  # per year: (class, NATURAL or CONVERTED); other classes are unknown

    def code(self, cells: Cells, number: int) -> npt.NDArray[np.uint8]:
        """Return the land use of every cell in one year."""
        classes = np.asarray(cells.values[self.reads[number].key], np.int64)
        table = np.zeros(np.iinfo(np.int16).max + 2, np.uint8)  # the last one stands for -1
        for value, use in self.uses[number]:
            table[value] = use
        return table[classes]

    def between(self, first: int, last: int) -> tuple[int, ...]:
        """Return the positions of the layers that tell conversions of `first`..`last`.

        That is the state before (of the year before `first`, else the nearest earlier, else the first one of the period) and each later one.
        """
        earlier = [k for k, year in enumerate(self.years) if year < first]
        inside = [k for k, year in enumerate(self.years) if first <= year <= last]
        return tuple(earlier[-1:] + inside)


@dataclass(frozen=True)
class LandUse:
    """What is known of the cells: the year in which each was converted (0: it was not), in the window and in the last 20 years."""

    year: Ints
    long_year: Ints
    by_cover: Bools  # land cover of two years is known
    by_systems: Bools  # baseline and at least one detection system are known


@dataclass(frozen=True)
class LandUseReader:
    """Joins land cover and detection systems; a cell that both call converted was converted in the earlier year of the two."""

    window: MonitoringWindow
    settings: Settings
    cover: LandCover
    deforestation: DeforestationKernel | None

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return every layer that is looked at."""
        return self.cover.reads + (() if self.deforestation is None else self.deforestation.reads)

    @property
    def cover_layers(self) -> tuple[int, ...]:
        """Return the positions of the land cover layers that tell the window's conversions; fewer than two tell none."""
        return self.cover.between(self.window.years[0], self.window.years[-1])

    @property
    def long_layers(self) -> tuple[int, ...]:
        """Return the same for the last 20 years."""
        last = self.window.years[-1]
        return self.cover.between(last - AMORTISATION + 1, last)

    @property
    def bound(self) -> bool:
        """Tell whether anything is bound that can tell a conversion."""
        return len(self.cover_layers) > 1 or self.deforestation is not None

    def __call__(self, cells: Cells) -> LandUse:
        """Return what the layers say of the cells."""
        used = sorted({*self.cover_layers, *self.long_layers})
        codes = {k: self.cover.code(cells, k) for k in used}
        year, by_cover = conversions([codes[k] for k in self.cover_layers], [self.cover.years[k] for k in self.cover_layers], len(cells))
        long_year, _ = conversions([codes[k] for k in self.long_layers], [self.cover.years[k] for k in self.long_layers], len(cells))
        union, by_systems = self._union(cells)
        return LandUse(_earlier(year, union), _earlier(long_year, union), by_cover, by_systems)

    def _union(self, cells: Cells) -> tuple[Ints, Bools]:
        """Return the year in which the union of METHODS section 3 was lost (0: not in it), and where the systems can tell."""
        if self.deforestation is None:
            return np.zeros(len(cells), np.int64), np.zeros(len(cells), bool)
        answer = self.deforestation(cells)
        meaning = meaning_of(answer.states, len(self.deforestation.systems), len(self.window.years), self.settings)
        years = np.array([0, *self.window.years], np.int64)[meaning.union_year]
        there = meaning.seen & meaning.available.any(axis=(1, 2))
        return years[answer.code], there[answer.code]


def conversions(codes: Sequence[npt.NDArray[np.uint8]], years: Sequence[int], n: int) -> tuple[Ints, Bools]:
    """Return per cell the first year in which natural land is managed or other land (0: never), and whether two years are known.

    A year without data is passed over: what was natural before it and is managed after it was converted in the later year.
    """
    year = np.zeros(n, np.int64)
    before = np.zeros(n, np.uint8)
    seen = np.zeros(n, np.int64)
    for code, name in zip(codes, years):
        year[(year == 0) & (before == NATURAL) & (code == CONVERTED)] = name
        before = np.where(code != UNKNOWN, code, before)
        seen += code != UNKNOWN
    return year, seen > 1


def _earlier(one: Ints, other: Ints) -> Ints:
    """Return the earlier of two years, where 0 stands for none."""
    return np.where((one > 0) & (other > 0), np.minimum(one, other), np.maximum(one, other))
