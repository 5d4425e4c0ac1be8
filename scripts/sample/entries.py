"""The sample's datasets files, in the contract's words, and what each binds for the truth."""

from __future__ import annotations

from typing import Any

from scripts.sample.context import Binding
from scripts.sample.scene import YEARS

SYSTEMS = ("glad", "tmf", "dynamic_world", "radd", "national_monitor")


def _mask(role: str, year: int | None, **more: Any) -> dict[str, Any]:
    dated = {} if year is None else {"year": year}
    return {
        "role": role,
        "title": f"{role.capitalize()} (sample)",
        "source": f"{role}.tif",
        **dated,
        "encoding": {"kind": "mask", "values": [1], "none": [0]},
        **more,
    }


def _tmf(last: int) -> dict[str, Any]:
    return {"role": "tmf", "profile": "jrc_tmf_annual_change", "sources": {str(y): f"tmf/tmf_{y}_*.tif" for y in YEARS if y <= last}}


FOREST = {"role": "forest_2020", "profile": "jrc_gfc2020_v4", "source": "forest_2020_*.tif"}
WDPA = {"role": "wdpa", "profile": "wdpa", "source": "protected_areas.gpkg", "layer": "polygons", "where": "STATUS <> 'Proposed'"}

# Everything METHODS section 3 knows. Timber is of 2024, coffee has no year: neither may excuse a clearing.
COMPLETE: list[dict[str, Any]] = [
    FOREST,
    {"role": "glad", "profile": "hansen_gfc", "source": "glad_lossyear.tif", "years": [2001, 2025]},
    _tmf(2025),
    {"role": "dynamic_world", "profile": "dynamic_world_annual", "source": "dynamic_world/dynamic_world_{year}.tif", "years": [2020, 2025]},
    {"role": "radd", "profile": "radd", "source": "radd_date.tif", "years": [2020, 2025], "until": "2025-12-31"},
    {
        "role": "national_monitor", "title": "National monitoring, one corner (sample)", "theme": "detection", "source": "national_monitor.tif",
        "years": [2001, 2023], "encoding": {"kind": "loss_year", "offset": 2000, "none": [0]},
    },
    {
        "role": "natural_forest", "title": "Forest types 2020 (sample)", "source": "natural_forest.tif", "year": 2020,
        "encoding": {"kind": "mask", "values": [1, 10], "none": [0, 20]},
    },
    WDPA,
    {"role": "wdpa_mandate", "title": "Protected areas with legal force (sample)", "source": "protected_areas.gpkg", "layer": "mandate"},
    _mask("palm", 2020),
    _mask("cocoa", 2020),
    _mask("rubber", 2020),
    _mask("coffee", None),
    _mask("soy", 2020, nodata=None),
    _mask("cattle", 2020),
    _mask("timber", 2024),
]  # fmt: skip

# Layers and years missing on purpose: two context layers, one system, and records that end before the window does.
PARTIAL: list[dict[str, Any]] = [
    FOREST,
    {"role": "glad", "profile": "hansen_gfc", "source": "glad_lossyear.tif", "years": [2001, 2024]},
    _tmf(2023),
    {"role": "radd", "profile": "radd", "source": "radd_date.tif", "years": [2020, 2023], "until": "2023-12-31"},
    WDPA,
    _mask("palm", 2020),
    _mask("cocoa", 2020),
    _mask("rubber", 2020),
    _mask("timber", 2024),
]


def binding(entries: list[dict[str, Any]]) -> Binding:
    """Return the records of the systems and the years of the other layers that a datasets file binds."""
    records, layers = {}, {}
    for entry in entries:
        role = entry["role"]
        if role in SYSTEMS:
            years = entry.get("years") or [int(y) for y in entry["sources"]]
            records[role] = (min(years), max(years))
        elif role != "forest_2020":
            layers[role] = entry.get("year")
    return Binding(records, layers)
