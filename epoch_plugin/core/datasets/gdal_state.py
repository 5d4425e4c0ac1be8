"""GDAL's exception switch, turned on for a while and put back: QGIS and other plugins rely on its old state."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_users = 0
_before: tuple[bool, bool, bool] = (False, False, False)


@contextlib.contextmanager
def gdal_exceptions() -> Iterator[None]:
    """Make gdal, ogr and osr raise inside the block; the last thread to leave restores what was there before the first."""
    from osgeo import gdal, ogr, osr

    global _users, _before
    modules = (gdal, ogr, osr)
    with _lock:
        if _users == 0:
            _before = (bool(gdal.GetUseExceptions()), bool(ogr.GetUseExceptions()), bool(osr.GetUseExceptions()))
            for module in modules:
                module.UseExceptions()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                for module, on in reversed(list(zip(modules, _before))):  # GDAL 3.6 unwinds its handlers like a stack
                    if not on:
                        module.DontUseExceptions()


@contextlib.contextmanager
def no_side_files() -> Iterator[None]:
    """Keep GDAL from writing `.aux.xml` files beside rasters that this thread opens inside the block: inputs stay as they are."""
    from osgeo import gdal

    before = gdal.GetThreadLocalConfigOption("GDAL_PAM_ENABLED")
    gdal.SetThreadLocalConfigOption("GDAL_PAM_ENABLED", "NO")
    try:
        yield
    finally:
        gdal.SetThreadLocalConfigOption("GDAL_PAM_ENABLED", before)
