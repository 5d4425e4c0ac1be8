"""Coverage that was worked out before, kept on disk: a new layer or year then costs its own reads only.

Files are named by what they hold (plots, grid, rows), so that nothing can be out of date; any of them may be deleted at any
time. The oldest used ones go when the folder grows beyond its limit.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.coverage import Coverage
from epoch_plugin.core.zonal.kernel import Array
from epoch_plugin.core.zonal.rings import Rings

FORMAT = b"epoch-coverage-2"  # changed whenever the algorithm or the file's layout is
LIMIT_BYTES = 2_000_000_000


def cache_folder() -> Path:
    """Return the folder of the cache: EPOCH_CACHE, else the platform's place for what may be lost."""
    given = os.environ.get("EPOCH_CACHE")
    if given:
        return Path(given)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "epoch" / "coverage"


class CoverageCache:
    """A folder of coverages; whatever goes wrong with it, the coverage is worked out anew."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        """Use `folder`, which is made when the first coverage is stored."""
        self._folder, self._limit = folder, limit_bytes

    def get(self, rings: Rings, grid: Grid, rows: tuple[int, int], centres: bool, compute: Callable[[], Coverage]) -> Coverage:
        """Return the coverage of `rings` on these rows, from the folder or from `compute`."""
        path = self._folder / f"{_key(rings, grid, rows, centres)}.cov"
        found = _read(path)
        if found is None:
            found = compute()
            self._store(path, found)
        return found

    def _store(self, path: Path, found: Coverage) -> None:
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self._folder, suffix=".partial")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(FORMAT)
                    for values in _packed(found):
                        np.save(file, values, allow_pickle=False)
                os.replace(partial, path)
            except OSError:
                os.unlink(partial)
                raise
            self._shrink()

    def _shrink(self) -> None:
        """Delete the coverages that were not used for longest until the folder is within its limit."""
        files = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(self._folder) if entry.name.endswith(".cov"))
        size = sum(length for _, length, _ in files)
        for _, length, path in files:
            if size <= self._limit:
                return
            os.unlink(path)
            size -= length


def _key(rings: Rings, grid: Grid, rows: tuple[int, int], centres: bool) -> str:
    digest = hashlib.blake2b(digest_size=20)
    digest.update(repr((FORMAT, grid, rows, centres, rings.n_plots)).encode())
    for values in (rings.x, rings.y, rings.start, rings.plot, rings.hole):
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


_WHOLE = {"cell_plot", "cell_row", "cell_col", "run_plot", "run_row", "run_col", "run_length"}


def _packed(found: Coverage) -> list[Array]:
    """Return the arrays, whole numbers in 32 bits where they fit."""
    packed: list[Array] = []
    for field in fields(Coverage):
        values = getattr(found, field.name)
        if field.name in _WHOLE and (len(values) == 0 or int(values.max()) < 1 << 31):
            values = values.astype(np.int32)
        packed.append(values)
    return packed


def _read(path: Path) -> Coverage | None:
    """Return a stored coverage; None if there is none or it is damaged."""
    try:
        with open(path, "rb") as file:
            if file.read(len(FORMAT)) != FORMAT:
                return None
            arrays: dict[str, Array] = {field.name: np.load(file, allow_pickle=False) for field in fields(Coverage)}
        os.utime(path)
    except (OSError, ValueError, EOFError):
        return None
    wide: dict[str, Array] = {name: values.astype(np.int64) if name in _WHOLE else values for name, values in arrays.items()}
    return Coverage(**wide)
