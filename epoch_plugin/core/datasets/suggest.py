"""From files to entries: products are recognised by their publishers' file names, years and tiles become patterns.

What the names do not tell stays open: an unknown role is empty, an ambiguous profile is left out. A guess is never made of an encoding.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from epoch_plugin.core.datasets.paths import YEAR, expand
from epoch_plugin.core.datasets.profiles import load_profile
from epoch_plugin.core.datasets.roles import COMMODITIES, DETECTION_ROLES, ROLES

RASTERS = (".tif", ".tiff", ".vrt", ".img", ".nc", ".jp2")
VECTORS = (".gpkg", ".shp", ".geojson", ".fgb", ".gdb", ".parquet")
# publishers' file names, matched in lower case on the path: pattern -> role, profile ("" = the name does not decide)
_PRODUCTS: tuple[tuple[str, str, str], ...] = (
    (r"jrc_gfc2020_v2", "forest_2020", "jrc_gfc2020_v2"), (r"jrc_gfc2020_v3", "forest_2020", "jrc_gfc2020_v3"),
    (r"jrc_gfc2020_v4", "forest_2020", "jrc_gfc2020_v4"), (r"jrc_gft2020", "natural_forest", "jrc_gft2020_v1"),
    (r"hansen_gfc.*lossyear", "glad", "hansen_gfc"), (r"tmf.*deforestationyear|deforestationyear.*tmf", "tmf", "jrc_tmf_deforestation_year"),
    (r"annualchange|tmf.*/dec(19|20)\d\d|jrc_tmf_annual", "tmf", "jrc_tmf_annual_change"),
    (r"dynamic_?world", "dynamic_world", "dynamic_world_annual"), (r"wur_radd_alerts", "radd", "radd_gfw"),
    (r"esacci-biomass-l4-agb_?sd.*fv6", "agb_sd", "esa_cci_agb_v6"), (r"esacci-biomass-l4-agb_?sd.*fv7", "agb_sd", "esa_cci_agb_v7"),
    (r"esacci-biomass-l4-agb.*fv6", "agb", "esa_cci_agb_v6"), (r"esacci-biomass-l4-agb.*fv7", "agb", "esa_cci_agb_v7"),
    (r"ctrees.*agb", "agb", "ctrees_agb_100m"), (r"ocs_0-30cm", "soc", "soilgrids_ocs_2_0"),
    (r"esa_worldcover_10m_2020_v100", "lc", "esa_worldcover_2020_v100"), (r"esa_worldcover_10m_2021_v200", "lc", "esa_worldcover_2021_v200"),
    (r"probav_lc100.*v3", "lc", "lc100_v3"), (r"eth_globalcanopyheight", "chm", "eth_chm_2020"),
    (r"chirps-v2", "precipitation", "chirps_v2_annual"), (r"chirps-v3", "precipitation", "chirps_v3_annual"),
    (r"terraclimate_ppt", "precipitation", "terraclimate"), (r"terraclimate_pet", "pet", "terraclimate"),
    (r"terraclimate_aet", "et", "terraclimate"), (r"terraclimate_soil", "soil_moisture", "terraclimate"),
    (r"sbtn_natural_?lands", "natural_forest", "sbtn_natural_lands_v1_1"), (r"wdpa_(?!mandate)", "wdpa", "wdpa"),
    (r"baseline_annual|aqueduct4", "water_stress", "aqueduct4_baseline_annual"),
    (r"fdap_cocoa|cocoa_model_2025", "cocoa", "fdap_cocoa"), (r"fdap_coffee|coffee_model_2025", "coffee", "fdap_coffee"),
    (r"fdap_palm|palm_model_2025", "palm", "fdap_palm"), (r"fdap_rubber|rubber_model_2025", "rubber", "fdap_rubber"),
)  # fmt: skip
_YEARLY_PROFILES = ("jrc_tmf_annual_change", "dynamic_world_annual", "lc100_v3")
_ONE_ENTRY_PER_YEAR = ("esa_worldcover_2020_v100", "esa_worldcover_2021_v200", "eth_chm_2020")  # the year is the product's
_YEAR = re.compile(r"(?<!\d)(?:19[89]|20[0-4])\d(?!\d)")


def files_below(folder: str) -> list[str]:
    """Return the rasters and vectors in a folder and its subfolders, sorted."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [os.path.join(place, name) for name in [*names, *folders] if name.lower().endswith(RASTERS + VECTORS)]
        folders[:] = [name for name in folders if not name.lower().endswith(".gdb")]
    return sorted(found)


def suggest_entries(files: Iterable[str], folder: str) -> list[dict[str, Any]]:
    """Return one entry per recognised product, and one per group of like-named files that none of the names explains.

    Paths are written relative to `folder` (the datasets file's) where they lie below it, with forward slashes.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for path in files:
        role, profile = _recognised(path)
        # files of no known role belong together if only digits and tile names set them apart
        stem = "" if profile else re.sub(r"\d+|_[nsew]{1,2}(?=[_.])", "#", os.path.basename(path).lower())
        groups.setdefault((role, profile, stem), []).append(_relative(path, folder))
    return [_entry(role, profile, sorted(paths), folder) for (role, profile, _), paths in groups.items()]


def _recognised(path: str) -> tuple[str, str]:
    name = path.replace(os.sep, "/").lower()
    for pattern, role, profile in _PRODUCTS:
        if re.search(pattern, name):
            return role, profile
    stem = os.path.splitext(os.path.basename(name))[0]
    for role in sorted(ROLES, key=len, reverse=True):
        if re.search(rf"(?<![a-z0-9]){role}(?![a-z])", stem):
            return role, ""
    return "", ""


def _relative(path: str, folder: str) -> str:
    path, folder = os.path.abspath(path), os.path.abspath(folder or ".")
    below = os.path.commonpath([path, folder]) == folder if os.path.splitdrive(path)[0] == os.path.splitdrive(folder)[0] else False
    return (os.path.relpath(path, folder) if below else path).replace(os.sep, "/")


def _entry(role: str, profile: str, paths: list[str], folder: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": role} | ({"profile": profile} if profile else {})
    yearly = _is_yearly(role, profile)
    years = {path: _year_of(path, role) for path in paths} if yearly or not profile else dict.fromkeys(paths)
    if yearly and all(years.values()):
        return entry | _by_year(years, folder)
    year = next(iter(set(years.values()))) if len(set(years.values())) == 1 else None
    entry |= {"source": _pattern(paths, set(paths), [], folder) or paths}
    if year and not profile and (role in COMMODITIES or (role in ROLES and ROLES[role].group == "context")):
        entry["year"] = int(year)
    return entry


def _is_yearly(role: str, profile: str) -> bool:
    if profile in _ONE_ENTRY_PER_YEAR or (profile and load_profile(profile).kind == "vector"):
        return False
    known = ROLES.get(role)
    series = known is not None and (known.series or role in COMMODITIES)
    return series or profile in _YEARLY_PROFILES or (role in DETECTION_ROLES and not profile)


def _year_of(path: str, role: str) -> str | None:
    """Return the last year in the file's name that does not belong to the role's own name."""
    name = os.path.basename(path).lower().replace(role.lower(), "", 1) if role else os.path.basename(path)
    found = _YEAR.findall(name)
    return found[-1] if found else None


def _by_year(years: dict[str, str | None], folder: str) -> dict[str, Any]:
    """One pattern with {year} where it names exactly these files, else the files year by year."""
    templates = [path.replace(str(year), YEAR) for path, year in years.items()]
    pattern = _pattern(templates, set(years), sorted({str(year) for year in years.values()}), folder)
    if pattern is not None and YEAR in pattern:
        return {"source": pattern}
    sources: dict[str, list[str]] = {}
    for path, year in years.items():
        sources.setdefault(str(year), []).append(path)
    return {"sources": {year: files[0] if len(files) == 1 else files for year, files in sorted(sources.items())}}


def _pattern(names: list[str], files: set[str], years: list[str], folder: str) -> str | None:
    """Return one name or glob that stands for all names; None where a glob would find other files than `files`."""
    distinct = sorted(set(names))
    if len(distinct) == 1:
        return distinct[0]
    start = _shared_start(distinct)
    end = _shared_start([name[len(start) :][::-1] for name in distinct])[::-1]
    if start.count("{") != start.count("}"):
        start = start[: start.rindex("{")]
    if end.count("{") != end.count("}"):
        end = end[end.index("}") + 1 :]
    glob = f"{start}*{end}"
    found = {_relative(name, folder) for year in years or [""] for name in expand(os.path.join(folder, glob.replace(YEAR, year)))}
    return glob if found == files else None


def _shared_start(names: list[str]) -> str:
    first, last = min(names), max(names)
    return first[: next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), min(len(first), len(last)))]
