"""From any coordinate reference system to longitude and latitude on WGS 84, with the datum shift named and its accuracy told."""

from __future__ import annotations

from typing import Any

import numpy as np

from epoch_plugin.core.collections.shapes import Ring
from epoch_plugin.core.collections.source import PlotSource
from epoch_plugin.core.errors import InputError


def resolve_crs(source: PlotSource, option: str) -> str:
    """Return the CRS to read the source in: its own, else the `option`, else what its format defines.

    Raises `InputError` if there is none, if a text is no CRS, or if source and option contradict each other.
    """
    option = option.strip()
    if source.crs is None:
        chosen = option or source.default_crs
        if not chosen:
            raise InputError(
                f"'{source.name}' does not say in which coordinate reference system its coordinates are (a shapefile says so in its .prj file). "
                "Ask the supplier, then set CRS, for example EPSG:4326 for longitude and latitude or EPSG:32630 for UTM zone 30 north."
            )
        _crs(chosen, source.name)
        return chosen
    own = _crs(source.crs, source.name)
    if option and not own.equals(_crs(option, source.name), ignore_axis_order=True) and not (_is_wgs84(own) and _is_wgs84(_crs(option, source.name))):
        raise InputError(
            f"'{source.name}' declares the coordinate reference system {own.name}, CRS says {option}. CRS is only for sources that declare none: "
            "leave it empty, or correct the file if its declaration is wrong."
        )
    return source.crs


def _crs(text: str, name: str) -> Any:
    import pyproj

    try:
        crs = pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        raise InputError(f"'{name}': '{text[:80]}' is not a coordinate reference system. Write for example EPSG:4326.") from None
    if crs.is_compound:
        crs = crs.sub_crs_list[0]  # heights are dropped
    return crs


def _is_wgs84(crs: Any) -> bool:
    return bool(crs.is_geographic) and (crs.to_authority(min_confidence=70) in (("EPSG", "4326"), ("OGC", "CRS84"), ("EPSG", "4979")))


class ToLonLat:
    """Transforms coordinates to longitude, latitude (EPSG:4326); one object serves one source."""

    def __init__(self, crs: str, name: str) -> None:
        """Prepare the transformation; raise `InputError` if only a ballpark one, without datum shift, is known."""
        import pyproj

        own = _crs(crs, name)
        self.crs_name = str(own.name)
        self.geographic = bool(own.is_geographic)
        self._on_wgs84 = own.geodetic_crs is not None and not own.is_bound and _is_wgs84(own.geodetic_crs)
        self._used: dict[str, float | None] = {}
        self._transformer: Any = None
        if _is_wgs84(own):
            self._used["none: the coordinates are longitude and latitude on WGS 84"] = 0.0
            return
        if not (own.is_geographic or own.is_projected or own.is_bound):
            raise InputError(f"'{name}': {own.name} is a {own.type_name}, which has no known place on Earth. Give the real CRS of the coordinates.")
        try:
            self._transformer = pyproj.Transformer.from_crs(own, "EPSG:4326", always_xy=True, allow_ballpark=False)
        except pyproj.exceptions.ProjError:
            raise InputError(
                f"'{name}': no transformation with a datum shift is known from {own.name} to WGS 84; a ballpark one could be off by hundreds of "
                "metres and is refused. Install the PROJ grids for that region, or let the supplier export the plots in EPSG:4326."
            ) from None

    def __call__(self, points: Ring) -> Ring:
        """Transform (n, 2) coordinates; what has no place on Earth comes back as infinity."""
        if self._transformer is None or not len(points):
            return points
        # pyproj takes arrays of one element for numbers, which newer numpy refuses: a lone point goes in twice
        some = np.repeat(points, 2, axis=0) if len(points) == 1 else points
        lon, lat = self._transformer.transform(some[:, 0], some[:, 1])
        self._remember()
        return np.column_stack([lon, lat])[: len(points)]

    def _remember(self) -> None:
        operation = self._last_operation()
        accuracy = operation.accuracy
        known = float(accuracy) if accuracy is not None and accuracy >= 0 else None
        # without a change of datum there is nothing to be inaccurate; PROJ 9.9 says "unknown" there, older ones 0
        self._used[str(operation.description)] = 0.0 if known is None and self._on_wgs84 else known

    def _last_operation(self) -> Any:
        """Return what pyproj did: of several transformations it takes the one for the place, and remembers which."""
        import pyproj

        try:
            return self._transformer.get_last_used_operation()
        except (AttributeError, pyproj.exceptions.ProjError):  # before pyproj 3.4; where coordinates stay as they are (ETRS89, SIRGAS 2000)
            return self._transformer

    @property
    def name(self) -> str:
        """Return the names of the transformations used so far, in words of PROJ."""
        return "; ".join(self._used)

    @property
    def accuracy_m(self) -> float | None:
        """Return the worst accuracy of the transformations used, in metres; None if one is unknown or none was used."""
        known = [a for a in self._used.values() if a is not None]
        return max(known) if known and len(known) == len(self._used) else None
