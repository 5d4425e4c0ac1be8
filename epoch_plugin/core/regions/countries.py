"""Country and first administrative level of plots, from the coarse borders that QGIS brings along: a hint, not a survey."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.regions.country_names import by_code, find_country, same_country
from epoch_plugin.core.regions.polygon_index import Floats, PolygonIndex

AT_SEA_KM = 100.0
_COUNTRIES, _STATES = "countries", "states_provinces"
# the map draws overseas departments as part of France: west, south, east, north of each
_DEPARTMENTS = {
    "GF": (-55, 2, -51, 6), "GP": (-62, 15.8, -60.9, 16.6), "MQ": (-61.3, 14.3, -60.7, 15), "RE": (55, -22, 56, -20),
    "YT": (44.9, -13.1, 45.4, -12.5),
}  # fmt: skip


@dataclass(frozen=True)
class CountryHits:
    """Per point: alpha-2 code ('' where no country is drawn), near another country's border or an uncertain coast, well inside, at sea."""

    codes: list[str]
    near_border: npt.NDArray[np.bool_]
    well_inside: npt.NDArray[np.bool_]
    at_sea: npt.NDArray[np.bool_]


class Borders:
    """Countries and their first-level divisions, loaded from a copy of QGIS's `world_map.gpkg`."""

    def __init__(self, path: str, near_border_km: float = 5.0) -> None:
        """Load the borders; raise `InputError` if the file is missing or has no layer `countries` with `iso_a2`."""
        countries, self._states_rows = _read(path)
        self.path, self.near_border_km = path, near_border_km
        self._codes = [code for code, _ in countries]
        self._index = PolygonIndex([wkb for _, wkb in countries], near_border_km)
        self._states: PolygonIndex | None = None

    def locate(self, lons: Floats, lats: Floats) -> CountryHits:
        """Find the country of each point (degrees)."""
        found = self._index.locate(lons, lats)
        codes = [self._codes[i] if i >= 0 else "" for i in found.inside.tolist()]
        nowhere = found.inside < 0
        at_sea = np.array([bool(n) and np.isinf(o) and self._index.far_from_all(float(x), float(y), AT_SEA_KM)
                           for n, o, x, y in zip(nowhere, found.other_km, lons, lats)], bool)  # fmt: skip
        near = np.isfinite(found.other_km)
        return CountryHits(codes, near, ~nowhere & np.isinf(found.edge_km), at_sea)

    @staticmethod
    def same(one: str, other: str) -> bool:
        """Tell whether two codes are the same country; an overseas department is also its mother country."""
        return same_country(one, other)

    def admin1(self, lons: Floats, lats: Floats) -> str | None:
        """Return the first-level division that holds most of the points, or None."""
        if self._states is None:
            self._states = PolygonIndex([wkb for _, wkb in self._states_rows], 0.001)
        found = self._states.locate(lons, lats).inside
        names = Counter(self._states_rows[i][0] for i in found[found >= 0].tolist() if self._states_rows[i][0])
        return names.most_common(1)[0][0] if names else None


def country_name(code: str) -> str:
    """Return the English name of an alpha-2 code, or the code itself."""
    country = by_code(code)
    return country.name if country else code


@dataclass(frozen=True)
class CountryVote:
    """What most plots say: `votes` of `total` plots lie in `code`; plots near a border count in the total only."""

    code: str
    votes: int
    total: int


def vote(hits: CountryHits, valid: npt.NDArray[np.bool_]) -> CountryVote | None:
    """Return the country with most valid plots that are not near a border (ties: first code), or None if there is none."""
    counts = Counter(code for code, near, ok in zip(hits.codes, hits.near_border, valid) if code and ok and not near)
    if not counts:
        return None
    code, votes = max(sorted(counts.items()), key=lambda item: item[1])
    return CountryVote(code, votes, int(valid.sum()))


def override_info(declared: str | None, result: CountryVote | None) -> dict[str, object] | None:
    """Return the API's `country_override_info` if another country than the declared one holds at least half of the plots, else None."""
    known = find_country(declared)
    if not declared or result is None or result.votes * 2 < result.total or (known and same_country(known.iso2, result.code)):
        return None
    name = country_name(result.code)
    message = (
        f"Country automatically overridden from '{declared}' to '{name}' based on file locations ({result.votes}/{result.total} locations in {name})"
    )
    return {"was_overridden": True, "original_country": declared, "detected_country": name, "message": message}


Rows = list[tuple[str, bytes]]


def _read(path: str) -> tuple[Rows, Rows]:
    """Read the codes or names and WKB of both layers from a copy: opening a GeoPackage can rewrite it, and this one is QGIS's."""
    from osgeo import gdal

    from epoch_plugin.core.datasets.gdal_state import gdal_exceptions

    if not os.path.isfile(path):
        raise InputError(f"The country borders '{path}' are missing: give the path of QGIS's resources/data/world_map.gpkg.")
    folder = tempfile.mkdtemp(prefix="epoch-borders-")
    try:
        copy = shutil.copy(path, os.path.join(folder, "borders.gpkg"))
        with gdal_exceptions():
            try:
                dataset = gdal.OpenEx(copy, gdal.OF_VECTOR | gdal.OF_READONLY)
                countries = _rows(dataset.GetLayerByName(_COUNTRIES), "iso_a2")
                states = dataset.GetLayerByName(_STATES)
                return [row for code, wkb in countries for row in _with_departments(code, wkb)], _rows(states, "name") if states else []
            except (RuntimeError, AttributeError, KeyError) as error:
                raise InputError(f"'{path}' has no layer '{_COUNTRIES}' with 'iso_a2' ({error}): give QGIS's world_map.gpkg.") from None
    finally:
        dataset = None
        shutil.rmtree(folder, ignore_errors=True)


def _rows(layer: object, field: str) -> Rows:
    rows = []
    for feature in layer:  # type: ignore[attr-defined]
        name = feature.GetField(field)
        geometry = feature.GetGeometryRef()
        if geometry is not None and name and name != "-1":
            rows.append((str(name), bytes(geometry.ExportToWkb())))
    return rows


def _with_departments(code: str, wkb: bytes) -> Rows:
    """Take the overseas departments out of France's outline."""
    if code != "FR":
        return [(code, wkb)]
    import shapely.wkb
    from shapely.geometry import MultiPolygon

    left, rows = list(shapely.wkb.loads(wkb).geoms), []
    for department, (west, south, east, north) in _DEPARTMENTS.items():
        own = [p for p in left if west <= p.bounds[0] and p.bounds[2] <= east and south <= p.bounds[1] and p.bounds[3] <= north]
        left = [p for p in left if p not in own]
        rows += [(department, MultiPolygon(own).wkb)] if own else []
    return [(code, MultiPolygon(left).wkb), *rows]
