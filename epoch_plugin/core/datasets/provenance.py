"""What a result was computed from: one record per entry, part of a job's provenance and of its inputs key."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Sequence
from typing import Any

from epoch_plugin.core.datasets.encodings import Encoding
from epoch_plugin.core.datasets.entries import Entry
from epoch_plugin.core.datasets.nodata import nodata_in_words
from epoch_plugin.core.datasets.paths import is_remote
from epoch_plugin.core.datasets.raster import RasterLayer, Tile
from epoch_plugin.core.datasets.words import crs_name, encoding_in_words, number


def provenance(entry: Entry, layers: Sequence[RasterLayer]) -> dict[str, Any]:
    """Return the record of an entry and the layers that were opened for it, ready for JSON; equal inputs give equal records."""
    profile = entry.profile
    return {
        "role": entry.role,
        "title": entry.title,
        "profile": None if profile is None else {"id": profile.id, "version": profile.version, "product_version": profile.product_version},
        "encoding": _encoding(entry.encoding),
        "encoding_in_words": encoding_in_words(entry.encoding),
        "unit": entry.unit,
        "years": None if entry.years is None else list(entry.years),
        "year": entry.year,
        "until": None if entry.until is None else entry.until.isoformat(),
        "theme": entry.theme,
        "mask": None if entry.mask is None else _encoding(entry.mask.encoding),
        "combine": entry.sources[0].combine,
        "stats": [stat.name for stat in entry.stats],
        "layers": [_layer(entry, layer) for layer in layers],
    }


def _encoding(encoding: Encoding) -> dict[str, Any]:
    values = {"kind": encoding.kind, **dataclasses.asdict(encoding)}
    return {key: value.isoformat() if isinstance(value, dt.date) else value for key, value in values.items()}


def _layer(entry: Entry, layer: RasterLayer) -> dict[str, Any]:
    rule, encoding = entry.nodata, entry.encoding
    if entry.mask is not None and layer.name == f"{entry.role} mask":
        rule, encoding = entry.mask.nodata, entry.mask.encoding
    return {
        "name": layer.name,
        "crs": crs_name(layer.grid.crs),
        "cell_size": [layer.grid.dx, layer.grid.dy],
        "dtype": layer.tiles[0].dtype,
        "nodata": number(layer.nodata),
        "nodata_in_words": nodata_in_words(rule, layer.nodata, encoding),
        "scale": layer.scale,
        "offset": layer.offset,
        "files": [_file(tile) for tile in layer.tiles],
    }


def _file(tile: Tile) -> dict[str, Any]:
    size, mtime = _stat(tile.path)
    record: dict[str, Any] = {"path": tile.path, "size": size, "mtime": mtime, "band": tile.band}
    if tile.burn is not None:
        record.update(layer=tile.burn.layer, where=tile.burn.where, value_field=tile.burn.value_field)
    return record


def _stat(path: str) -> tuple[int | None, str | None]:
    """Return size in bytes and time of the last change (UTC); None for what is read over a network."""
    if is_remote(path):
        return None, None
    if os.path.exists(path):
        status = os.stat(path)
        return status.st_size, _utc(status.st_mtime)
    from osgeo import gdal

    inside = gdal.VSIStatL(path)  # in an archive; a subdataset has none
    return (None, None) if inside is None else (inside.size, _utc(inside.mtime))


def _utc(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).isoformat()
