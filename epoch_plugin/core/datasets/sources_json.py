"""The keys `source`, `sources`, `combine`, `band`, `layer`, `where`, `value_field` and `mask`, read into sources."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from epoch_plugin.core.datasets.encodings import MaskEncoding
from epoch_plugin.core.datasets.entries import MaskRule, NodataRule, SourceRef
from epoch_plugin.core.datasets.json_keys import Keys
from epoch_plugin.core.datasets.paths import YEAR, absolute, years_on_disk
from epoch_plugin.core.errors import InputError

_VECTOR_FILES = (
    ".gpkg", ".shp", ".shz", ".geojson", ".geojsonl", ".fgb", ".parquet", ".geoparquet", ".kml", ".kmz", ".gml", ".gdb", ".gdb.zip", ".sqlite",
)  # fmt: skip
_MASK_KEYS = ("source", "min", "max", "values", "band", "nodata")
_LAYERNAME = "|layername="


def parse_sources(keys: Keys, folder: str, years: tuple[int, int] | None, year: int | None, vector: bool) -> tuple[SourceRef, ...]:
    """Return the sources of an entry by year; `years` = the entry's own, which a {year} pattern runs through."""
    if ("source" in keys) == ("sources" in keys):
        raise InputError(f"{keys.place}: give either 'source' or 'sources'.")
    if "sources" in keys:
        if "year" in keys:
            raise keys.error("year", "the years are those of 'sources'; leave 'year' out.")
        by_year = _by_year(keys)
    else:
        by_year = _single(keys, folder, years, year)
    return tuple(_source(keys, item, files, folder, vector) for item, files in sorted(by_year.items(), key=lambda pair: pair[0] or 0))


def _by_year(keys: Keys) -> dict[int | None, tuple[str, ...]]:
    values = keys.values["sources"]
    if not isinstance(values, dict) or not values:
        raise keys.error("sources", 'must map years to files, for example {"2020": "a.tif", "2021": ["b1.tif", "b2.tif"]}.')
    for year in values:
        if not re.fullmatch(r"(19|20|21)\d\d", year):
            raise keys.error("sources", f"'{year}' is no year.")
    inner = Keys(values, f"{keys.place}, key 'sources'", values)
    return {int(year): inner.texts(year) for year in values}


def _single(keys: Keys, folder: str, years: tuple[int, int] | None, year: int | None) -> dict[int | None, tuple[str, ...]]:
    files = keys.texts("source")
    if not any(YEAR in name for name in files):
        return {year: files}
    if "year" in keys:
        raise keys.error("year", "the years are those of the {year} in 'source'; leave 'year' out.")
    if years is not None:
        found = tuple(range(years[0], years[1] + 1))
    else:
        found = tuple(sorted({item for name in files if YEAR in name for item in years_on_disk(absolute(name, folder))}))
    if not found:
        raise keys.error("source", f"no file matches {', '.join(files)}; correct the pattern, or give 'years' (needed for files on the network).")
    return {item: tuple(name.replace(YEAR, str(item)) for name in files) for item in found}


def _source(keys: Keys, year: int | None, files: tuple[str, ...], folder: str, vector: bool) -> SourceRef:
    combine = cast(Literal["", "sum", "mean"], keys.choice("combine", ("sum", "mean")))
    layer, where, value_field = keys.text("layer"), keys.text("where"), keys.text("value_field")
    vector = vector or bool(layer or where or value_field) or _LAYERNAME in files[0] or files[0].lower().rstrip("/").endswith(_VECTOR_FILES)
    if vector:
        if len(files) > 1:
            raise keys.error("source", "a vector layer is one source; several files of vectors must be merged first.")
        path, _, name = files[0].partition(_LAYERNAME)
        if name and layer and name != layer:
            raise keys.error("layer", f"'{layer}' contradicts |layername={name} in the source.")
        files, layer = (path,), layer or name
        if "band" in keys or combine:
            raise keys.error("band" if "band" in keys else "combine", "does not apply to a vector layer.")
    band = keys.integer("band", 1, 65536) or 1
    return SourceRef(year, tuple(absolute(name, folder) for name in files), combine, band, vector, layer, where, value_field)


def parse_mask(value: Any, place: str, folder: str) -> MaskRule:
    """Read the key `mask`: a raster that limits the entry, with values or min/max on its own stored values."""
    keys = Keys(value, f"{place}, key 'mask'", _MASK_KEYS)
    if "source" not in keys:
        raise keys.error("source", "is missing.")
    values, low, high = keys.numbers("values"), keys.number("min"), keys.number("max")
    if bool(values) == (low is not None or high is not None):
        raise keys.error("values", "a mask takes either values or min/max: what is stored where the entry counts?")
    source = SourceRef(None, tuple(absolute(name, folder) for name in keys.texts("source")), band=keys.integer("band", 1, 65536) or 1)
    nodata = NodataRule("entry", keys.nodata("nodata")) if "nodata" in keys else NodataRule("file")
    return MaskRule(source, MaskEncoding(values, low, high), nodata)
