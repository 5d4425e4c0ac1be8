"""Zipped shapefiles: which one to read; and which archives not to touch."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib

from epoch_plugin.core.errors import InputError

# What Python raises for an archive that is damaged or cut off, or packed in a way it does not know (NotImplementedError).
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)


def shapefile_in_zip(path: str, wanted: str = "") -> str:
    """Return GDAL's path of the shapefile inside a zip; raise `InputError` on unsafe names, none, or several without `wanted`."""
    name = os.path.basename(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except UNREADABLE as error:
        raise InputError(f"'{name}' is not a readable zip archive ({error}). Zip the shapefile's files again.") from None
    for entry in entries:
        refuse_unsafe(entry, name)
    shapefiles = [e.filename for e in entries if e.filename.lower().endswith(".shp") and not e.filename.startswith("__MACOSX/")]
    if wanted:
        shapefiles = [s for s in shapefiles if wanted in (s, os.path.splitext(os.path.basename(s))[0])]
        if not shapefiles:
            raise InputError(f"'{name}' holds no shapefile '{wanted}'.")
    if not shapefiles:
        listing = ", ".join(e.filename for e in entries[:10])
        raise InputError(f"'{name}' holds no shapefile (.shp). It holds: {listing or 'nothing'}. Other formats are read unzipped.")
    if len(shapefiles) > 1:
        choices = "; ".join(f"{path}|layername={os.path.splitext(s)[0].rpartition('/')[2]}" for s in shapefiles)
        raise InputError(f"'{name}' holds {len(shapefiles)} shapefiles. Give one of: {choices}")
    return f"/vsizip/{{{os.path.abspath(path)}}}/{shapefiles[0]}"


def refuse_unsafe(entry: zipfile.ZipInfo, name: str) -> None:
    """Raise `InputError` for an entry of an archive that is encrypted, a link, or named so that it lies outside."""
    parts = entry.filename.replace("\\", "/").split("/")
    absolute = entry.filename.startswith(("/", "\\")) or entry.filename[1:2] == ":"
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if absolute or ".." in parts or link:
        raise InputError(f"'{name}' is refused: its entry '{entry.filename}' points outside the archive. Zip the files again.")
    if entry.flag_bits & 1:
        raise InputError(f"'{name}' is encrypted: unzip it first.")
