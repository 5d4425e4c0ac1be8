"""Arrays that were worked out before, kept on disk under names that say what they hold, so that nothing can be out of date.

Any of the files may be deleted at any time; those unused for longest go when the folder grows beyond its limit.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from epoch_plugin.core.zonal.kernel import Array

FORMAT = b"epoch-coverage-3"  # changed whenever an algorithm whose results are kept, or the files' layout, is
LIMIT_BYTES = 2_000_000_000
_PARTIAL = ".partial"
_ABANDONED_SECONDS = 3600.0  # writing a file takes seconds: what is this old was left by a process that was killed


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


class ArrayCache:
    """A folder of arrays; whatever goes wrong with it, it holds nothing."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        """Use `folder`, which is made when the first arrays are stored."""
        self._folder, self._limit = folder, limit_bytes

    def read(self, name: str, number: int) -> list[Array] | None:
        """Return the `number` arrays stored under `name`; None if there are none or they are damaged."""
        path = self._folder / name
        try:
            with open(path, "rb") as file:
                if file.read(len(FORMAT)) != FORMAT:
                    return None
                arrays: list[Array] = [np.load(file, allow_pickle=False) for _ in range(number)]
            os.utime(path)
        except (OSError, ValueError, EOFError):
            return None
        return arrays

    def store(self, name: str, arrays: Iterable[Array]) -> None:
        """Store arrays under `name`; the file appears once it is complete."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self._folder, suffix=_PARTIAL)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(FORMAT)
                    for values in arrays:
                        np.save(file, values, allow_pickle=False)
                os.replace(partial, self._folder / name)
            except BaseException:
                os.unlink(partial)
                raise
            self._shrink()

    def _shrink(self) -> None:
        """Delete what killed processes left, and what was not used for longest until the folder is within its limit."""
        entries = [(entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(self._folder)]
        for written, _, path in entries:
            if path.endswith(_PARTIAL) and written < time.time() - _ABANDONED_SECONDS:
                os.unlink(path)
        files = sorted(entry for entry in entries if entry[2].endswith(".cov"))
        size = sum(length for _, length, _ in files)
        for _, length, path in files:
            if size <= self._limit:
                return
            os.unlink(path)
            size -= length
