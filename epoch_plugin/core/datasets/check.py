"""`epoch:checkdatasets`: what the datasets file binds, what is missing, what that means, and what a run will cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.describe import MissingSourceError
from epoch_plugin.core.datasets.entries import Entry
from epoch_plugin.core.datasets.footprint import METHOD, PlotBoxes, cells_to_read, covered_share, ground_resolution, plot_boxes, tile_boxes
from epoch_plugin.core.datasets.nodata import nodata_in_words
from epoch_plugin.core.datasets.open import encoding_of, open_layers, open_mask
from epoch_plugin.core.datasets.raster import RasterLayer
from epoch_plugin.core.datasets.roles import BIODIVERSITY, BIOMASS, COMMODITIES, DEFORESTATION, EXTRA, ROLES, WATER
from epoch_plugin.core.datasets.vector import VectorFile, describe_vector
from epoch_plugin.core.datasets.words import crs_name, encoding_in_words, number
from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.progress import Progress, stop_if_cancelled

FOUND, MISSING, UNREADABLE = "found", "missing", "unreadable"
DEFAULTS = {"jrc_forest": "forest_2020", "tmf_forest": "tmf"}  # METHODS section 3: what provides a role that is not bound itself
NEEDED = {DEFORESTATION: ("forest_2020",), BIOMASS: ("agb",), BIODIVERSITY: ("chm",), WATER: ()}

# rough costs, from measurements of the engine on two cores; block-compressed files on a local disk
CELLS_PER_SECOND = 2e8
SECONDS_PER_PLOT_AND_GRID = 2e-5
SECONDS_PER_CELL = 5e-9
START_SECONDS = 2.0
BASE_MB, CHUNK_PLOTS, MB_PER_PLOT_AND_LAYER = 250.0, 5000, 0.002


def check_datasets(datasets: Datasets, plots: Sequence[bytes] | None, progress: Progress) -> dict[str, Any]:
    """Open every source of every entry and return the RESPONSE of `epoch:checkdatasets`; problems are part of it, not errors.

    `plots`: WKB polygons in EPSG:4326, for the share of them that each layer covers and the estimate of time and memory.
    """
    boxes = plot_boxes(plots) if plots else None
    checks = []
    for done, entry in enumerate(datasets.entries):
        stop_if_cancelled(progress)
        progress.step(done / len(datasets.entries), f"Checking {entry.role}")
        checks.append(_EntryCheck(entry, boxes))
    entries = [check.to_dict() for check in checks]
    usable = {entry["role"] for entry in entries if entry["status"] == FOUND}
    defaults = {role: source for role, source in DEFAULTS.items() if _stands_in(datasets, role, usable)}
    layers = [layer for check in checks for layer in check.layers]
    return {
        "datasets": datasets.path,
        "roles": _roles(entries, defaults),
        "defaults": defaults,
        "entries": entries,
        "statistics": _statistics(datasets, usable),
        "coverage_method": METHOD if boxes is not None else None,
        "estimate": _estimate(boxes, layers),
        "ok_count": sum(entry["status"] == FOUND for entry in entries),
    }


class _EntryCheck:
    """One entry's sources, opened as far as they can be."""

    def __init__(self, entry: Entry, boxes: PlotBoxes | None) -> None:
        self.entry, self._boxes = entry, boxes
        self._own: list[RasterLayer] = []
        self._masks: list[RasterLayer] = []
        self._vectors: list[VectorFile] = []
        self._problems: list[DatasetError] = []
        for ref in entry.sources:
            try:
                if ref.vector:
                    self._vectors.append(describe_vector(ref, f"Datasets file, {entry.label}"))
                else:
                    self._own.extend(open_layers(entry, ref))
            except DatasetError as error:
                self._problems.append(error)
        try:
            mask = open_mask(entry)
        except DatasetError as error:
            self._problems.append(error)
        else:
            self._masks.extend([] if mask is None else [mask])

    @property
    def layers(self) -> list[RasterLayer]:
        """The rasters that a run would read, the mask's among them."""
        return self._own + self._masks

    def to_dict(self) -> dict[str, Any]:
        """Return the entry's part of the RESPONSE."""
        entry, role = self.entry, ROLES.get(self.entry.role)
        status = FOUND
        if self._problems:
            status = MISSING if all(isinstance(problem, MissingSourceError) for problem in self._problems) else UNREADABLE
        purpose = role.purpose if role else "detection system" if entry.detection else "extra statistic"
        return {
            "index": entry.index, "line": entry.line, "role": entry.role, "title": entry.title, "purpose": purpose, "status": status,
            "problems": [str(problem) for problem in self._problems],
            "years": None if entry.years is None else list(entry.years), "bound_years": list(entry.bound_years), "year": entry.year,
            "until": None if entry.until is None else entry.until.isoformat(),
            "unit": entry.unit, "encoding": encoding_in_words(encoding_of(entry, self._own[0]) if self._own else entry.encoding),
            **self._files(), "coverage": self._coverage(), "profile": self._profile(), "warnings": self._warnings(),
        }  # fmt: skip

    def _files(self) -> dict[str, Any]:
        if self._vectors:
            first = self._vectors[0]
            return {"files": [file.path for file in self._vectors], "crs": crs_name(first.crs), "resolution_m": None, "dtype": "vector",
                    "nodata": "areas: inside is yes, outside is no, on the whole analysis grid" if not self.entry.sources[0].value_field
                    else "outside every feature is no data"}  # fmt: skip
        if not self._own:
            return {"files": [], "crs": None, "resolution_m": None, "dtype": None, "nodata": None}
        layer = self._own[0]
        resolution = ground_resolution(layer.grid, *(self._boxes.centre if self._boxes is not None else (None, None)))
        return {
            "files": list(dict.fromkeys(tile.path for item in self.layers for tile in item.tiles)),
            "crs": crs_name(layer.grid.crs), "resolution_m": round(resolution, 2) if np.isfinite(resolution) else None, "dtype": layer.tiles[0].dtype,
            "nodata": nodata_in_words(self.entry.nodata, layer.nodata, self.entry.encoding), "nodata_value": number(layer.nodata),
        }  # fmt: skip

    def _coverage(self) -> float | None:
        """The smallest share among the entry's layers; null without plots or without a readable layer."""
        if self._boxes is None:
            return None
        shares = [covered_share(self._boxes, layer.grid.crs, tile_boxes(layer)) for layer in self.layers]
        for file in self._vectors:
            shares.append(0.0 if file.extent is None else covered_share(self._boxes, file.crs, np.array([file.extent])))
        return round(min(shares), 6) if shares else None

    def _profile(self) -> dict[str, Any] | None:
        profile = self.entry.profile
        if profile is None:
            return None
        names = ("id", "version", "title", "product_version", "publisher", "licence", "citation", "get_it", "resolution", "commercial_use")
        return {name: getattr(profile, name) for name in names}

    def _warnings(self) -> list[str]:
        entry, profile = self.entry, self.entry.profile
        found = []
        if profile is not None:
            if not profile.commercial_use:
                found.append(f"Licence: {profile.licence}.")
            if profile.roles and entry.role in ROLES and entry.role not in (*profile.roles, *profile.role_encodings):
                found.append(f"The profile {profile.id} is meant for {', '.join(profile.roles)}, not for {entry.role}.")
            found.extend(profile.caveats)
        if entry.role in COMMODITIES and any(ref.year is None for ref in entry.sources):
            found.append(f"Without a year the {entry.role} layer never excuses a clearing (reason commodity_undated:{entry.role}); add \"year\".")
        if entry.role == "forest_2020" and entry.sources[0].year not in (None, 2020):
            found.append(f"The baseline is a layer of {entry.sources[0].year}, not of 2020.")
        if entry.series:
            found.extend(_series_warnings(entry))
        if any(tile.path.lower().endswith(".vrt") for layer in self.layers for tile in layer.tiles):
            found.append("The mosaic (VRT) is not plain: it resamples, overlaps, rescales or nests. It is read as one file, and empty blocks "
                         "of its files pass for values; bind its tiles by a pattern where that matters.")  # fmt: skip
        if self._vectors and self._vectors[0].extent is None:
            found.append("The filter leaves no feature: the layer says no everywhere.")
        elif self._vectors and self._coverage() not in (None, 1.0):
            found.append("Some plots lie outside the layer's extent; there it says no, which is right only if the layer is complete there.")
        return found


def _series_warnings(entry: Entry) -> list[str]:
    years = entry.bound_years
    if len(years) < 2:
        return ["A series needs at least two years in a row to show a loss; with one it covers none."]
    gaps = [str(year) for year in range(years[0] + 1, years[-1] + 1) if not {year, year - 1} <= set(years)]
    return [f"A year counts only with the year before it: not covered are {', '.join(gaps)}."] if gaps else []


def _roles(entries: list[dict[str, Any]], defaults: dict[str, str]) -> dict[str, str]:
    """Every role that METHODS knows, and those of the file: found (also by its default), missing or unreadable (the worst of its entries)."""
    roles = {**dict.fromkeys(ROLES, ""), **dict.fromkeys(defaults, FOUND)}
    worst = ("", FOUND, MISSING, UNREADABLE)
    for entry in entries:
        roles[entry["role"]] = max(roles.get(entry["role"], ""), entry["status"], key=worst.index)
    return {role: status or MISSING for role, status in roles.items()}


def _statistics(datasets: Datasets, usable: set[str]) -> dict[str, Any]:
    """Per statistic: whether it can run, and for each role without a usable layer one sentence on what that means."""
    detection = [entry.role for entry in datasets.detection if entry.role in usable]
    result: dict[str, Any] = {}
    for statistic, needed in NEEDED.items():
        missing = [{"role": role.name, "meaning": role.missing} for role in ROLES.values()
                   if role.statistic == statistic and role.name not in usable and not _stands_in(datasets, role.name, usable)]  # fmt: skip
        ready = all(role in usable for role in needed)
        if statistic == DEFORESTATION:
            ready = ready and bool(detection)
            missing = _detection_first(detection) + missing
        if statistic == WATER:
            ready = any(role.statistic == WATER and role.name in usable for role in ROLES.values())
        result[statistic] = {"ready": ready, "missing": missing}
    result[EXTRA] = {"ready": any(entry.role in usable for entry in datasets.extras), "missing": []}
    return result


def _stands_in(datasets: Datasets, role: str, usable: set[str]) -> bool:
    """Tell whether METHODS' default provides a role that is not bound itself."""
    default = datasets.one(role)
    return default is not None and not datasets.by_role(role) and DEFAULTS.get(role) in usable


def _detection_first(detection: list[str]) -> list[dict[str, str]]:
    if not detection:
        return [{"role": "detection", "meaning": "Without a detection system no loss can be seen and no plot assessed."}]
    if len(detection) == 1:
        meaning = f"{detection[0]} is the only system: no consensus, no agreement, confidence at most low (reason single_system)."
        return [{"role": "detection", "meaning": meaning}]
    return []


def _estimate(plots: PlotBoxes | None, layers: list[RasterLayer]) -> dict[str, Any] | None:
    """Time and memory of a batch over all layers; null without plots. Within a factor of three, for local block-compressed files."""
    if plots is None or not layers:
        return None
    costs = [cells_to_read(plots, layer) for layer in layers]
    read, inside = sum(cost[0] for cost in costs), sum(cost[1] for cost in costs)
    grids = len({layer.grid for layer in layers})
    count = plots.plots
    seconds = START_SECONDS + read / CELLS_PER_SECOND + inside * SECONDS_PER_CELL + count * grids * SECONDS_PER_PLOT_AND_GRID
    return {
        "plots": count, "layers": len(layers), "grids": grids, "cells_to_read": round(read), "seconds": round(seconds, 1),
        "memory_mb": round(BASE_MB + min(count, CHUNK_PLOTS) * len(layers) * MB_PER_PLOT_AND_LAYER),
        "note": "Rough, within a factor of three, for compressed files on a local disk read by two threads; files on the network take longer.",
    }  # fmt: skip
