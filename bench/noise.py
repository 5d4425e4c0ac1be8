"""Seeded value noise: random lattices of several scales, blended smoothly and added up. Any rows of a raster, at any time, are the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
SCALES_M = (15_000.0, 4_000.0, 1_000.0, 250.0, 60.0)
WEIGHTS = (0.33, 0.27, 0.2, 0.13, 0.07)


class Noise:
    """A field of about 0..1 on a square raster of `side` cells of `cell_m` metres; scales finer than the cells are left out."""

    def __init__(self, seed: int, side: int, cell_m: float) -> None:
        self._seed, self._side = seed, side
        self._octaves = []
        for number, (scale, weight) in enumerate(zip(SCALES_M, WEIGHTS)):
            if scale > 1.2 * cell_m:
                knots = int(side * cell_m / scale) + 3
                lattice = np.random.default_rng([seed, number]).random((knots, knots), np.float32)
                self._octaves.append((lattice, np.float32(weight), *_places(np.arange(side), cell_m / scale)))
        self._total = sum(float(octave[1]) for octave in self._octaves)

    def rows(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return some rows."""
        out = np.zeros((len(rows), self._side), np.float32)
        for lattice, weight, knot, blend in self._octaves:
            row_knot, row_blend = knot[rows], blend[rows][:, None]
            used = np.arange(row_knot.min(), row_knot.max() + 2)
            across = lattice[used][:, knot]
            across += (lattice[used][:, knot + 1] - across) * blend
            above, below = across[row_knot - used[0]], across[row_knot - used[0] + 1]
            below -= above
            below *= row_blend
            above += below
            above *= weight / np.float32(self._total)
            out += above
        return out

    def jittered(self, rows: npt.NDArray[np.int64], jitter: float) -> Floats:
        """Return rows with salt and pepper of +- jitter / 2; `rows` must be one of the strips in which a raster is always written."""
        out = self.rows(rows)
        if jitter:
            grain = np.random.default_rng([self._seed, 1_000, int(rows[0])]).random(out.shape, np.float32)
            grain -= np.float32(0.5)
            out += grain * np.float32(jitter)
        return out

    def quantiles(self, shares: tuple[float, ...]) -> Floats:
        """Return the values below which so large shares of the field lie, from a sample of rows."""
        sample = self.rows(np.arange(0, self._side, max(self._side // 150, 1)))[:, :: max(self._side // 400, 1)]
        return np.quantile(sample, shares).astype(np.float32)


def _places(cells: npt.NDArray[np.int64], step: float) -> tuple[npt.NDArray[np.int64], Floats]:
    position = (cells + 0.5) * step
    knot = position.astype(np.int64)
    t = (position - knot).astype(np.float32)
    return knot, t * t * (3 - 2 * t)
