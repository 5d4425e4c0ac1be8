"""What the layers of the benchmark look like: thresholds and stretches of noise, strip by strip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bench.noise import Noise

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Strip = Callable[[Rows], Array]


class Recipe(Protocol):
    """Makes the strips of one layer."""

    def strips(self, side: int, cell_m: float) -> Strip:
        """Return a function from rows to values."""


@dataclass(frozen=True)
class Classes:
    """Codes in bands of a noise field; `shares` are the cumulative shares at which the next code begins."""

    seed: int
    shares: tuple[float, ...]
    codes: tuple[int, ...]
    jitter: float = 0.04
    unmapped: int | None = None  # this value in the upper left sixth of the raster

    def strips(self, side: int, cell_m: float) -> Strip:
        """Cut the field at its quantiles."""
        noise = Noise(self.seed, side, cell_m)
        edges, codes = noise.quantiles(self.shares), np.array(self.codes, np.uint8)

        def strip(rows: Rows) -> Array:
            values = codes[np.digitize(noise.jittered(rows, self.jitter), edges)]
            if self.unmapped is not None:
                values[rows < side // 6, : side // 4] = self.unmapped
            return values

        return strip


def mask(seed: int, share: float, jitter: float = 0.04, unmapped: int | None = None) -> Classes:
    """1 on a share of the land, 0 elsewhere."""
    return Classes(seed, (1 - share,), (0, 1), jitter, unmapped)


@dataclass(frozen=True)
class Years:
    """Two-digit years, `first` to 25, on a share of the land; 0 elsewhere."""

    seed: int
    share: float
    first: int = 1
    jitter: float = 0.12

    def strips(self, side: int, cell_m: float) -> Strip:
        """One field says where, another when."""
        where, when = Noise(self.seed, side, cell_m), Noise(self.seed + 1, side, cell_m)
        edge = where.quantiles((1 - self.share,))[0]
        low, high = when.quantiles((0.02, 0.98))

        def strip(rows: Rows) -> Array:
            year = self.first + (when.jittered(rows, 0.05) - low) / (high - low) * (26 - self.first)
            return np.where(where.jittered(rows, self.jitter) > edge, year.clip(self.first, 25), 0).astype(np.uint8)

        return strip


@dataclass(frozen=True)
class Change:
    """State of a moist forest in one year: 1 undisturbed, 2 degraded, 3 deforested, 4 regrowth, 5 water, 6 other; it dwindles slowly."""

    seed: int
    year: int

    def strips(self, side: int, cell_m: float) -> Strip:
        """A field that is the same in all years, and one of disturbance whose weight grows with time."""
        state, disturbance = Noise(self.seed, side, cell_m), Noise(self.seed + 1, side, cell_m)
        edges = state.quantiles((0.5, 0.62, 0.7, 0.8, 0.9))
        weight = np.float32(0.01 * (self.year - 2010))

        def strip(rows: Rows) -> Array:
            moved = state.jittered(rows, 0.03) + (disturbance.jittered(rows, 0.06) - np.float32(0.5)) * weight
            return (np.digitize(moved, edges) + 1).astype(np.uint8)

        return strip


@dataclass(frozen=True)
class Amounts:
    """Numbers from `low` to `high` (clipped); `missing` where a second field is low."""

    seed: int
    low: float
    high: float
    dtype: str
    jitter: float = 0.1
    missing: float | None = None
    drift: int = 0  # another number: the same land in another year

    def strips(self, side: int, cell_m: float) -> Strip:
        """Stretch the field between its outer quantiles."""
        noise, other = Noise(self.seed, side, cell_m), Noise(self.seed + 50 + self.drift, side, cell_m)
        gaps = Noise(self.seed + 40, side, cell_m)
        first, last = noise.quantiles((0.02, 0.98))
        edge = gaps.quantiles((0.04,))[0]

        def strip(rows: Rows) -> Array:
            field = noise.jittered(rows, self.jitter)
            if self.drift:
                field += (other.jittered(rows, self.jitter) - np.float32(0.5)) * np.float32(0.05)
            values = ((field - first) / (last - first) * (self.high - self.low) + self.low).clip(self.low, self.high)
            if self.missing is not None:
                values[gaps.jittered(rows, 0.02) < edge] = self.missing
            return values.astype(self.dtype)

        return strip
