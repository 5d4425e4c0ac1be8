"""The exceptions that the core raises: each message says what was wrong, where, and what to do."""

from __future__ import annotations


class EpochError(Exception):
    """Root of every error that a user is meant to read."""


class InputError(EpochError, ValueError):
    """A parameter, plot file, datasets file or filter is unusable as given."""


class DatasetError(EpochError):
    """A raster or vector source cannot be used, or must not be used as it stands."""


class StoreError(EpochError):
    """The GeoPackage cannot be opened, read or written as needed."""


class NotFoundError(StoreError):
    """A collection, job or plot that does not exist was asked for."""


class CancelledError(EpochError):
    """The user, or another process through `canceljob`, stopped the work."""


class MissingLibraryError(EpochError):
    """A Python library that this step needs is not installed; the message names it and how to get it."""


# platform library -> its package in Debian, Ubuntu and OSGeo4W
_PACKAGES = {"numpy": "python3-numpy", "osgeo": "python3-gdal", "shapely": "python3-shapely", "pyproj": "python3-pyproj"}


def explained(error: Exception) -> str:
    """Return the text of an error for the user; of a platform library that is not installed: which one, and how to get it."""
    library = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if library not in _PACKAGES:
        return str(error) if isinstance(error, EpochError) else f"{type(error).__name__}: {error}"
    package = _PACKAGES[library]
    return (
        f"This step needs the Python library {library}, which QGIS's Python does not have. Debian and Ubuntu: sudo apt install {package}. "
        f"Windows: package {package} in the OSGeo4W setup. Conda: conda install {package.removeprefix('python3-')}. Then start QGIS again."
    )
