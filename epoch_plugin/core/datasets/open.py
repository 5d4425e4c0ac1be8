"""From an entry's source to a described layer: files found, tiles placed, nodata decided. Overviews are never used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from epoch_plugin.core.datasets.describe import MissingSourceError, RasterFile, describe_raster
from epoch_plugin.core.datasets.encodings import ContinuousEncoding, Encoding
from epoch_plugin.core.datasets.entries import Entry, NodataRule, SourceRef
from epoch_plugin.core.datasets.lattice import place
from epoch_plugin.core.datasets.nodata import resolve_nodata
from epoch_plugin.core.datasets.paths import expand
from epoch_plugin.core.datasets.raster import Grid, RasterLayer, Tile
from epoch_plugin.core.datasets.vector import open_vector
from epoch_plugin.core.datasets.vrt import mosaic_tiles
from epoch_plugin.core.errors import DatasetError


def open_layer(entry: Entry, ref: SourceRef, analysis_grid: Grid | None = None) -> RasterLayer:
    """Return the one layer of a source; raise `DatasetError` for what is missing, ambiguous or does not fit together.

    A vector source needs `analysis_grid`, on which it will be burnt. A source with `combine` holds several layers: use `open_layers`.
    """
    if ref.combine and len(ref.files) > 1:
        raise DatasetError(f"{_who(entry, ref)}: its {len(ref.files)} files are layers to be combined by {ref.combine}, not one layer.")
    return open_layers(entry, ref, analysis_grid)[0]


def open_layers(entry: Entry, ref: SourceRef, analysis_grid: Grid | None = None) -> tuple[RasterLayer, ...]:
    """Return the layers of a source: one, or with `combine` one per listed file, to be added or averaged cell by cell."""
    who, name = _who(entry, ref), entry.role if ref.year is None else f"{entry.role} {ref.year}"
    if ref.vector:
        return (open_vector(ref, entry.encoding, analysis_grid, name, who),)
    parts = [(item,) for item in ref.files] if ref.combine else [ref.files]
    return tuple(_open_tiles(part, ref.band, entry.encoding, entry.nodata, name, who, "nodata") for part in parts)


def open_mask(entry: Entry) -> RasterLayer | None:
    """Return the layer of the entry's `mask`, to be decoded with `entry.mask.encoding`; None without one."""
    if entry.mask is None:
        return None
    ref, who = entry.mask.source, f"{_who(entry, entry.mask.source)}, key 'mask'"
    return _open_tiles(ref.files, ref.band, entry.mask.encoding, entry.mask.nodata, f"{entry.role} mask", who, "mask.nodata")


def encoding_of(entry: Entry, layer: RasterLayer) -> Encoding:
    """Return the encoding that decodes this layer: the entry's, with the file's scale and offset where the entry states none."""
    if isinstance(entry.encoding, ContinuousEncoding):
        return replace(entry.encoding, scale=layer.scale, offset=layer.offset)
    return entry.encoding


def _who(entry: Entry, ref: SourceRef) -> str:
    return f"Datasets file, {entry.label}" + (f", year {ref.year}" if ref.year is not None else "")


def _open_tiles(patterns: Sequence[str], band: int, encoding: Encoding, rule: NodataRule, name: str, who: str, key: str) -> RasterLayer:
    files = [describe_raster(path, number, who) for path, number in find_tiles(patterns, band, who)]
    for other in files[1:]:
        _check_alike(files[0], other, rule, who)
    nodata = resolve_nodata(rule, encoding, files[0].nodata, files[0].path, who, key)
    scale, offset = _scale(files[0], encoding, who)
    grid, places = place(files, who)
    tiles = tuple(
        Tile(
            path=file.path, band=file.band, row0=row0, col0=col0, nrows=file.nrows, ncols=file.ncols, block_rows=file.block_rows,
            block_cols=file.block_cols, dtype=file.dtype, has_mask=file.has_mask, may_be_sparse=file.may_be_sparse, alpha_band=file.alpha_band,
        )
        for file, (row0, col0) in zip(files, places)
    )  # fmt: skip
    return RasterLayer(name, grid, tiles, nodata, scale, offset)


def find_files(patterns: Sequence[str], who: str) -> list[str]:
    """Return the files that the patterns name, sorted, once each: the order in which overlapping border cells are won."""
    found: set[str] = set()
    for pattern in patterns:
        files = expand(pattern)
        if not files:
            raise MissingSourceError(f"{who}: no file matches {pattern}. Correct the pattern (relative: from the datasets file) or get the files.")
        found.update(files)
    return sorted(found)


def find_tiles(patterns: Sequence[str], band: int, who: str) -> list[tuple[str, int]]:
    """Return files and bands, sorted; a plain mosaic is taken apart into its tiles."""
    found: set[tuple[str, int]] = set()
    for path in find_files(patterns, who):
        found.update(mosaic_tiles(path, band) or [(path, band)])
    return sorted(found)


def _check_alike(first: RasterFile, other: RasterFile, rule: NodataRule, who: str) -> None:
    both = f"{who}: the tiles {first.path} and {other.path}"
    if first.dtype != other.dtype:
        raise DatasetError(f"{both} store different types ({first.dtype} and {other.dtype}); convert one with gdal_translate -ot.")
    if rule.origin == "file" and not _same(first.nodata, other.nodata):
        raise DatasetError(f"{both} carry different nodata tags ({first.nodata} and {other.nodata}); decide with \"nodata\" in the entry.")
    if (first.scale, first.offset) != (other.scale, other.offset):
        raise DatasetError(f"{both} carry different scales; unpack them with gdal_translate -unscale.")
    if first.crs != other.crs and not _same_crs(first.crs, other.crs):
        raise DatasetError(f"{both} are in different coordinate reference systems; bind them as entries of their own, or warp one with gdalwarp.")


def _same(first: float | None, other: float | None) -> bool:
    if first is None or other is None:
        return first is other
    return first == other or (math.isnan(first) and math.isnan(other))


def _same_crs(first: str, other: str) -> bool:
    from osgeo import osr

    one, two = osr.SpatialReference(), osr.SpatialReference()
    one.ImportFromWkt(first)
    two.ImportFromWkt(other)
    return bool(one.IsSame(two))


def _scale(file: RasterFile, encoding: Encoding, who: str) -> tuple[float, float]:
    """Return the scale and offset that hold: the encoding's, else the file's; categories must not be scaled."""
    if isinstance(encoding, ContinuousEncoding):
        if encoding.scale is not None and encoding.offset is not None:
            return encoding.scale, encoding.offset
        return file.scale, file.offset
    if (file.scale, file.offset) != (1.0, 0.0):
        raise DatasetError(f"{who}: {file.path} carries a scale ({file.scale:g}, offset {file.offset:g}), but a {encoding.kind} encoding reads "
                           "stored values; write the real values with gdal_translate -unscale.")  # fmt: skip
    return 1.0, 0.0
