"""Coverage that was worked out before, kept on disk: a new layer, year or statistic then costs its own reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.array_cache import FORMAT, LIMIT_BYTES, ArrayCache
from epoch_plugin.core.zonal.coverage import Coverage
from epoch_plugin.core.zonal.rings import Rings

Beside = Callable[..., object]  # takes a function and its arguments: a pool's submit


def at_once(work: Callable[..., object], *arguments: object) -> None:
    """Do some work now: where nobody does it beside."""
    work(*arguments)


class CoverageCache:
    """A folder of coverages; whatever goes wrong with it, the coverage is worked out anew."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        """Use `folder`, which is made when the first coverage is stored."""
        self._arrays = ArrayCache(folder, limit_bytes)

    def get(
        self, rings: Rings, grid: Grid, rows: tuple[int, int], centres: bool, compute: Callable[[], Coverage], beside: Beside = at_once
    ) -> Coverage:
        """Return the coverage of `rings` on these rows, from the folder or from `compute`; then it is stored by means of `beside`.

        One with `centres` does not serve those who need none: its runs are cut otherwise, which sums show in their last digit.
        """
        name = _name(rings, grid, rows, centres)
        found = self._arrays.read(name, len(fields(Coverage)))
        if found is not None:
            return Coverage(*found)
        covered = compute()
        beside(self._store, name, covered)
        return covered

    def _store(self, name: str, covered: Coverage) -> None:
        self._arrays.store(name, [getattr(covered, field.name) for field in fields(Coverage)])


def _name(rings: Rings, grid: Grid, rows: tuple[int, int], centres: bool) -> str:
    digest = hashlib.blake2b(repr((FORMAT, grid, rows, centres)).encode() + rings.digest, digest_size=20)
    return f"{digest.hexdigest()}.cov"
