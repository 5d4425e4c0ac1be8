"""Tables with coordinates: which columns hold them, in the words of five languages, and what a row says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.collections.geojson_reader import geojson_wkb
from epoch_plugin.core.collections.shapes import point_wkb
from epoch_plugin.core.collections.source import SourceFeature
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.nesting import json_value

SAMPLE_ROWS = 100

# English, French, Spanish, Portuguese, Indonesian; words of the second line only where none of the first is there
_LONGITUDE = ({"longitude", "longitud", "lon", "long", "lng", "bujur"}, {"x", "easting", "este", "est", "leste", "timur"})
_LATITUDE = ({"latitude", "latitud", "lat", "lintang"}, {"y", "northing", "norte", "nord", "utara"})
_FILLERS = {
    "gps", "decimal", "decimale", "decimales", "degrees", "degree", "degres", "grados", "graus", "derajat", "deg", "dd", "wgs", "84", "wgs84",
    "coord", "coords", "coordinate", "coordinates", "coordonnee", "coordonnees", "coordenada", "coordenadas", "koordinat", "titik", "garis",
    "point", "centroid", "centroide", "plot", "parcelle", "parcela", "lahan", "kebun", "farm", "de", "of", "la", "da", "do", "du", "del", "el", "a",
    "en", "em", "in", "dec",
}  # fmt: skip
_WKT = re.compile(r"\s*(?:SRID\s*=\s*(\d+)\s*;)?\s*(?:MULTI)?(POLYGON|POINT|LINESTRING|GEOMETRYCOLLECTION|CURVE|SURFACE)\b", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class GeometryColumns:
    """Positions of the columns that hold the geometry: a text column, or longitude and latitude, or both."""

    text: int | None
    lon: int | None
    lat: int | None


def _words(header: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header))
    return re.findall(r"[a-z]+|\d+", "".join(c for c in plain if not unicodedata.combining(c)).lower())


def _axis_column(headers: Sequence[str], wanted: tuple[set[str], set[str]]) -> int | None:
    for names in wanted:
        for index, header in enumerate(headers):
            words = [w for w in _words(header) if w not in _FILLERS]
            if len(words) == 1 and words[0] in names:
                return index
    return None


def _looks_like(value: Any) -> int:
    """Rank a cell as geometry text: 2 for a polygon, 1 for another geometry, 0 for none."""
    if not isinstance(value, str):
        return 0
    if value.lstrip().startswith("{") and '"coordinates"' in value:
        return 2 if "Polygon" in value else 1
    match = _WKT.match(value)
    return 0 if match is None else 2 if match.group(2).upper() == "POLYGON" else 1


def find_geometry(headers: Sequence[str], sample: Sequence[Sequence[Any]], name: str) -> GeometryColumns:
    """Find the geometry columns by the content of the first rows (WKT, GeoJSON), then by name; raise `InputError` if there are none."""
    ranks = [max((_looks_like(row[i]) for row in sample if i < len(row)), default=0) for i in range(len(headers))]
    best = max(ranks, default=0)
    columns = GeometryColumns(ranks.index(best) if best else None, _axis_column(headers, _LONGITUDE), _axis_column(headers, _LATITUDE))
    if columns.text is None and (columns.lon is None or columns.lat is None):
        raise InputError(
            f"'{name}' has no coordinates that could be recognised. Its columns are: {', '.join(headers) or 'none'}. Expected: two columns such as "
            "'longitude' and 'latitude' (also longitud/latitud, bujur/lintang, x/y), or one with WKT or GeoJSON geometries."
        )
    return columns


def unique_headers(raw: Sequence[Any]) -> list[str]:
    """Return header texts that differ from each other: empty ones become `column_n`, repeated ones get `_2`, `_3`."""
    names: list[str] = []
    for index, value in enumerate(raw):
        base = str(value).strip() if value is not None and str(value).strip() else f"column_{index + 1}"
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names


def table_features(
    headers: list[str], rows: Iterator[Sequence[Any]], columns: GeometryColumns, decimal_comma: bool, epsg: str | None
) -> Iterator[SourceFeature]:
    """Turn rows into features; `epsg` is the code that an `SRID=n;` prefix must agree with."""
    for number, row in enumerate(rows, start=1):
        names = headers if len(row) <= len(headers) else [*headers, *(f"column_{i + 1}" for i in range(len(headers), len(row)))]
        attributes = {name: row[i] if i < len(row) else None for i, name in enumerate(names) if i != columns.text}
        feature = SourceFeature(number, attributes)
        try:
            feature.geometry = _row_geometry(row, columns, decimal_comma, epsg)
        except (ValueError, TypeError, OverflowError) as error:
            feature.problem = f"the geometry cannot be read: {error}"
        yield feature


def _cell(row: Sequence[Any], index: int | None) -> Any:
    value = row[index] if index is not None and index < len(row) else None
    return None if isinstance(value, str) and not value.strip() else value


def _row_geometry(row: Sequence[Any], columns: GeometryColumns, decimal_comma: bool, epsg: str | None) -> bytes | None:
    text = _cell(row, columns.text)
    if text is not None:
        return _text_wkb(str(text), epsg)
    lon, lat = _cell(row, columns.lon), _cell(row, columns.lat)
    if lon is None and lat is None:
        return None
    return point_wkb(_number(lon, "longitude", decimal_comma), _number(lat, "latitude", decimal_comma))


def _number(value: Any, axis: str, decimal_comma: bool) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    if value is None:
        raise ValueError(f"the {axis} is missing")
    text = str(value).strip().replace("\u00a0", "").replace("\u2212", "-").rstrip("°")
    if decimal_comma and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"the {axis} '{value}' is not a number in decimal degrees")
    return float(text)


def _text_wkb(text: str, epsg: str | None) -> bytes:
    if text.lstrip().startswith("{"):
        value = json_value(text)
        if isinstance(value, dict) and value.get("type") == "Feature":
            value = value.get("geometry")
        return geojson_wkb(value)
    match = _WKT.match(text)
    if match is None:
        raise ValueError(f"'{text.strip()[:40]}' is neither WKT nor GeoJSON")
    if match.group(1) and match.group(1) != (epsg or "4326"):
        raise ValueError(f"the row says SRID={match.group(1)}, the table is read as EPSG:{epsg or '4326'}; give the table's CRS")
    from osgeo import ogr

    from epoch_plugin.core.datasets.gdal_state import gdal_exceptions

    with gdal_exceptions():
        try:
            geometry = ogr.CreateGeometryFromWkt(text.split(";", 1)[1] if match.group(1) else text.strip())
        except RuntimeError as error:
            raise ValueError(f"broken WKT ({error})") from None
        return bytes(geometry.ExportToIsoWkb())
