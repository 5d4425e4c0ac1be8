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
