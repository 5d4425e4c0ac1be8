"""Country and first administrative level of plots, from the coarse borders that QGIS brings along: a hint, not a survey."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.regions.country_names import by_code, find_country, same_country
from epoch_plugin.core.regions.polygon_index import Floats, PolygonIndex
from epoch_plugin.core.regions.world_map import read_world_map

AT_SEA_KM = 100.0


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
        world = read_world_map(path)
        countries, self._states_rows = world.countries, world.states
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
            self._states = PolygonIndex([wkb for _, _, wkb in self._states_rows], 0.001)
        found = self._states.locate(lons, lats).inside
        names = Counter(self._states_rows[i][1] for i in found[found >= 0].tolist())
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
