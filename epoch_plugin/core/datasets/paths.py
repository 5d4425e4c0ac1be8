"""Paths of the datasets file: relative ones, /vsi... ones, subdatasets, {year} patterns and globs of tiles."""

from __future__ import annotations

import fnmatch
import glob
import os
import re

YEAR = "{year}"
_SUBDATASET = re.compile(r"^([A-Za-z][A-Za-z0-9_]+):(.*)$", re.DOTALL)  # NETCDF:"file.nc":ppt; two letters at least: C:\ is a drive
_QUOTED = re.compile(r'^"([^"]*)"(.*)$', re.DOTALL)
_ARCHIVES = ("/vsizip/", "/vsitar/", "/vsigzip/", "/vsi7z/", "/vsirar/", "/vsisparse/")
_MAGIC = re.compile(r"[*?\[]")


def absolute(path: str, folder: str) -> str:
    """Return `path` with what is relative in it taken from `folder`, the datasets file's own."""
    if path.startswith(("http://", "https://", "ftp://")):
        return "/vsicurl/" + path
    for archive in _ARCHIVES:
        if path.startswith(archive):
            inner = path[len(archive):]
            brace = "{" if inner.startswith("{") and not inner.startswith(YEAR) else ""
            return archive + brace + absolute(inner[len(brace):], folder)
    if path.startswith("/vsi") or os.path.isabs(path) or re.match(r"^[A-Za-z]:[\\/]", path):
        return path
    if match := _SUBDATASET.match(path):
        driver, rest = match.groups()
        if quoted := _QUOTED.match(rest):
            return f'{driver}:"{absolute(quoted.group(1), folder)}"{quoted.group(2)}'
        return path
    return os.path.normpath(os.path.join(folder, path))


def is_remote(path: str) -> bool:
    """Tell whether a path is read over a network; such a path cannot be globbed or stat-ed cheaply."""
    return any(part in path for part in ("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss", "/vsiswift", "/vsiwebhdfs"))


def has_glob(path: str) -> bool:
    """Tell whether a path holds * ? or [."""
    return bool(_MAGIC.search(path))


def expand(path: str) -> tuple[str, ...]:
    """Return the files that a path or glob names, sorted; empty if there is none. A file whose very name holds a * or [ wins."""
    if not has_glob(path) or is_remote(path) or _SUBDATASET.match(path):
        return (path,)
    if path.startswith("/vsi"):
        return _expand_archive(path)
    return (path,) if os.path.exists(path) else tuple(sorted(glob.glob(path, recursive=True)))


def years_on_disk(path: str) -> tuple[int, ...]:
    """Return the years for which a {year} pattern has a file, ascending; empty for remote paths."""
    if is_remote(path):
        return ()
    pattern = path.replace(YEAR, "[0-9][0-9][0-9][0-9]")
    shape = re.compile(_regex(path) + r"\Z")
    return tuple(sorted({int(match.group(1)) for name in expand(pattern) if (match := shape.match(name))}))


def _regex(path: str) -> str:
    """A glob with {year} as a regular expression; its first group is the year, further {year} must repeat it."""
    head, *tail = path.split(YEAR)
    parts = [_translated(part) for part in (head, *tail)]
    return parts[0] + r"(\d{4})" + r"\1".join(parts[1:])


def _translated(part: str) -> str:
    """One piece of a glob as a regular expression without groups (fnmatch.translate adds groups of its own on some Pythons)."""
    tokens = re.findall(r"\[!?\]?[^\]]*\]|.", part, re.DOTALL)
    shapes = {"*": ".*", "?": "."}
    return "".join("[" + t[1:].replace("!", "^", 1) if len(t) > 1 else shapes.get(t, re.escape(t)) for t in tokens)


def _expand_archive(path: str) -> tuple[str, ...]:
    from osgeo import gdal

    from epoch_plugin.core.datasets.gdal_state import gdal_exceptions

    fixed = path[: _MAGIC.search(path).start()].rpartition("/")[0]  # type: ignore[union-attr]
    with gdal_exceptions():
        if gdal.VSIStatL(path) is not None:
            return (path,)
        names = gdal.ReadDirRecursive(fixed) or []
    return tuple(sorted(name for name in (f"{fixed}/{item}" for item in names) if fnmatch.fnmatchcase(name, path)))
