"""One door for every plot file of the contract."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator

from epoch_plugin.core.collections.source import PlotSource, Reopened, SourceFeature
from epoch_plugin.core.errors import InputError

_LON_LAT = "EPSG:4326"
_SHAPEFILE_PARTS = (".shp", ".dbf", ".shx", ".prj", ".cpg")
_GEOJSON = (".geojson", ".json", ".geojsonl", ".ndjson", ".jsonl", ".geojsons")
_TABLES = (".csv", ".tsv", ".txt")
_ACCEPTED = "GeoJSON, CSV, Shapefile (also zipped), GeoPackage, GeoParquet, KML, KMZ, XLSX"


def open_source(path: str, crs: str | None = None) -> PlotSource:
    """Open a plot file, or `file|layername=x`; nothing but headers is read yet.

    `crs` serves tables whose rows carry an SRID. Raises `InputError` for a file that is missing, empty, or not what its name says.
    """
    file_path, _, layer = path.partition("|layername=")
    name = os.path.basename(file_path)
    if not os.path.isfile(file_path):
        raise InputError(f"There is no file '{file_path}'.")
    if os.path.getsize(file_path) == 0:
        raise InputError(f"'{name}' is empty (0 bytes).")
    extension = os.path.splitext(name)[1].lower()
    _refuse_disguise(file_path, extension, name)
    opener = _opener(extension)
    if opener is None:
        raise InputError(f"'{name}': files of type '{extension}' are not read. Accepted: {_ACCEPTED}.")
    try:
        source = opener(file_path, layer, crs)
    except PermissionError as error:
        raise InputError(f"'{name}' cannot be opened: {error.strerror}.") from None
    source.sha256 = _sha256(file_path, extension)
    return source


def _opener(extension: str) -> Callable[[str, str, str | None], PlotSource] | None:
    if extension in _GEOJSON:
        return _open_geojson
    if extension in _TABLES:
        return _open_csv
    return {
        ".xlsx": _open_xlsx, ".shp": _open_shapefile, ".zip": _open_zip, ".gpkg": _open_geopackage,
        ".parquet": _open_parquet, ".geoparquet": _open_parquet, ".kml": _open_kml, ".kmz": _open_kml,
    }.get(extension)  # fmt: skip


def _refuse_disguise(path: str, extension: str, name: str) -> None:
    """Compare the first bytes with what the extension promises: a renamed file must not become a riddle."""
    with open(path, "rb") as file:
        start = file.read(512)
    kinds = ((b"\x89PNG", "a PNG picture", ()), (b"\xff\xd8\xff", "a JPEG picture", ()), (b"%PDF", "a PDF", ()),
             (b"PK\x03\x04", "a zip archive", (".zip", ".kmz", ".xlsx")), (b"SQLite format 3\0", "a GeoPackage or SQLite file", (".gpkg",)),
             (b"PAR1", "a Parquet file", (".parquet", ".geoparquet")), (b"\x1f\x8b", "a gzip archive", ()))  # fmt: skip
    for magic, kind, extensions in kinds:
        if start.startswith(magic) and extension not in extensions:
            raise InputError(f"'{name}' is {kind}, not what its extension '{extension}' says. Choose the plot file itself, or rename it.")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if extension in _GEOJSON and start[:2] not in (b"\xff\xfe", b"\xfe\xff") and not text.startswith((b"{", b"\x1e")):
        shown = text[:20].decode("utf-8", "replace")
        raise InputError(f"'{name}' is not GeoJSON: it starts with '{shown}' instead of '{{'.")


def _sha256(path: str, extension: str) -> str:
    digest = hashlib.sha256()
    stem = os.path.splitext(path)[0]
    siblings = [p for e in _SHAPEFILE_PARTS for p in (stem + e, stem + e.upper()) if os.path.isfile(p)]
    parts = siblings if extension == ".shp" else [path]
    for part in parts:
        with open(part, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _open_geojson(path: str, layer: str, crs: str | None) -> PlotSource:
    from epoch_plugin.core.collections.geojson_reader import declared_crs, read_geojson

    return PlotSource(os.path.basename(path), declared_crs(path), Reopened(lambda: read_geojson(path)), default_crs=_LON_LAT)


def _open_csv(path: str, layer: str, crs: str | None) -> PlotSource:
    from epoch_plugin.core.collections.csv_reader import read_csv

    return PlotSource(os.path.basename(path), None, Reopened(lambda: read_csv(path, crs)), default_crs=_LON_LAT)


def _open_xlsx(path: str, layer: str, crs: str | None) -> PlotSource:
    from epoch_plugin.core.collections.ogr_reader import read_xlsx

    name = os.path.basename(path)
    return PlotSource(name, None, Reopened(lambda: read_xlsx(path, name, layer, crs)), default_crs=_LON_LAT)


def _open_parquet(path: str, layer: str, crs: str | None) -> PlotSource:
    from epoch_plugin.core.collections.parquet_reader import describe_parquet, read_parquet

    geometry = describe_parquet(path)
    return PlotSource(os.path.basename(path), geometry.crs, Reopened(lambda: read_parquet(path, geometry)))


def _open_kml(path: str, layer: str, crs: str | None) -> PlotSource:
    from epoch_plugin.core.collections.kml_reader import check_kml, read_kml

    check_kml(path)
    return PlotSource(os.path.basename(path), None, Reopened(lambda: read_kml(path)), default_crs=_LON_LAT)


def _open_shapefile(path: str, layer: str, crs: str | None) -> PlotSource:
    missing = [e for e in (".shx",) if not any(os.path.isfile(os.path.splitext(path)[0] + v) for v in (e, e.upper()))]
    if missing:
        raise InputError(f"'{os.path.basename(path)}': its file '{missing[0]}' is missing. A shapefile is .shp, .shx, .dbf and .prj together.")
    return _ogr_source(path, os.path.basename(path), "", ["ESRI Shapefile"])


def _open_zip(path: str, layer: str, crs: str | None) -> PlotSource:
    from epoch_plugin.core.collections.archives import shapefile_in_zip

    return _ogr_source(shapefile_in_zip(path, layer), os.path.basename(path), "", ["ESRI Shapefile"])


def _open_geopackage(path: str, layer: str, crs: str | None) -> PlotSource:
    return _ogr_source(path, os.path.basename(path), layer, ["GPKG"])


def _ogr_source(path: str, name: str, layer: str, drivers: list[str]) -> PlotSource:
    from epoch_plugin.core.collections.ogr_reader import choose_layer, layer_crs, open_dataset, read_layer

    dataset = open_dataset(path, name, drivers)
    chosen = choose_layer(dataset, layer, path)
    crs = layer_crs(dataset.GetLayerByName(chosen))

    def start() -> Iterator[SourceFeature]:
        return read_layer(path, name, drivers, chosen)

    return PlotSource(name, crs, Reopened(start))
