"""The datasets files of all statistics, and the runs whose results are planted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from scripts.sample.context import Binding
from scripts.sample.entries import COMPLETE, FOREST, SYSTEMS, binding
from scripts.sample.looks import Window
from scripts.sample.metrics.layers import CLIMATE_YEARS, STOCK_YEARS

START = dt.date(2020, 12, 31)
ALL_STATISTICS = ("luc_emissions", "biodiversity", "water", "extra")
STRUCTURE = ("mean", "std", "min", "max", "sum", "count", "median", "p90", "majority", "minority", "variety", "classes", "area==300",
             "area>250", "area>=250", "area<250")  # fmt: skip


def _series(role: str, folder: str, years: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "title": f"{role} (sample)", "sources": {str(y): f"{folder}/{role}_{y}.tif" for y in years}, **more}


def _scaled(scale: float) -> dict[str, Any]:
    return {"kind": "continuous", "scale": scale}


def _one(role: str, source: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "title": f"{role} (sample)", "source": source, **more}


LAND_COVER = {"kind": "classes", "class_map": {"10": "natural", "30": "managed", "40": "managed", "50": "other"}}  # 60 has no meaning
RAIN = {
    **_series("precipitation", "climate", CLIMATE_YEARS["precipitation"], unit="mm"), "combine": "sum",
}  # fmt: skip
RAIN["sources"]["2022"] = ["climate/precipitation_2022.tif", "climate/precipitation_late_2022.tif"]
GREENNESS = _series("greenness", "own", (2020, 2024), encoding=_scaled(0.0001), stats=["mean", "std", "p10", "area>=0.55"])

ALL: list[dict[str, Any]] = [
    *COMPLETE,
    _series("agb", "stocks", STOCK_YEARS["agb"], unit="Mg/ha"),
    _series("agb_sd", "stocks", STOCK_YEARS["agb_sd"], unit="Mg/ha"),
    _series("soc", "stocks", STOCK_YEARS["soc"], unit="MgC/ha", encoding=_scaled(0.1)),
    _series("lc", "stocks", STOCK_YEARS["lc"], nodata=0, encoding=LAND_COVER),
    _series("chm", "canopy", (2020, 2023), unit="m"),
    RAIN,
    _series("pet", "climate", CLIMATE_YEARS["pet"], unit="mm", encoding=_scaled(0.1)),
    _series("et", "climate", CLIMATE_YEARS["et"], unit="mm", encoding=_scaled(0.1)),
    _series("soil_moisture", "climate", CLIMATE_YEARS["soil_moisture"], encoding=_scaled(0.001)),
    _one("water_stress", "climate/water_stress.tif", encoding=_scaled(0.01)),
    _one("elevation", "own/elevation.tif", stats=list(STRUCTURE)),
]

# Little of it: one system, no land cover, no deviations, carbon instead of dry matter, ratios from a raster, coarse canopy with a tree
# mask, soil carbon of other years than biomass, too few reference years.
FEW: list[dict[str, Any]] = [
    FOREST,
    {"role": "glad", "profile": "hansen_gfc", "source": "glad_lossyear.tif", "years": [2001, 2024]},
    _series("agb", "stocks", (2023, 2024), unit="MgC/ha"),
    _one("root_shoot", "stocks/root_shoot.tif", encoding=_scaled(0.01)),
    _series("soc", "stocks", STOCK_YEARS["soc"], unit="MgC/ha", encoding=_scaled(0.1)),
    {"role": "chm", "title": "canopy height, 28 m (sample)", "sources": {"2022": "canopy/chm_coarse_2022.tif"}, "unit": "m"},
    {"role": "tree_mask", "title": "cocoa as trees (sample)", "source": "cocoa.tif", "year": 2020,
     "encoding": {"kind": "mask", "values": [1], "none": [0]}},
    {**_series("precipitation", "climate", (2021,), unit="mm")},
    _series("et", "climate", range(2022, 2026), unit="mm", encoding=_scaled(0.1)),
    GREENNESS,
]  # fmt: skip

DEFAULTS: dict[str, Any] = {
    "root_shoot": 0.24, "carbon_fraction": 0.47, "rho": 1.0, "rao_window": 9, "rao_alpha": 2.0, "rao_reference_m": 15.0, "tree_height_m": 5.0,
    "connectivity_radius_m": 500.0, "reference_years": "auto",
}  # fmt: skip
OTHER_SETTINGS: dict[str, Any] = {
    "root_shoot": 0.3, "carbon_fraction": 0.45, "rho": 0.25, "rao_window": 5, "rao_alpha": 1.0, "rao_reference_m": 20.0, "tree_height_m": 10.0,
    "connectivity_radius_m": 200.0, "reference_years": "2018,2019,2020,2021,2022,2023",
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One batch with planted results: truth file, datasets file, what it binds, window's end, settings; every n-th plot is in the file."""

    truth: str
    datasets: str
    entries: list[dict[str, Any]]
    end: dt.date
    statistics: tuple[str, ...] = ALL_STATISTICS
    changed: dict[str, Any] = field(default_factory=dict)
    every: int = 1

    @cached_property
    def window(self) -> Window:
        """The monitoring window."""
        return Window(START, self.end)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """All settings that matter here."""
        return {**DEFAULTS, **self.changed}

    @cached_property
    def systems(self) -> Binding:
        """Detection systems and their records."""
        return binding([entry for entry in self.entries if entry["role"] in SYSTEMS])

    def entry(self, role: str) -> dict[str, Any] | None:
        """Return a role's entry, None where it is not bound."""
        return next((entry for entry in self.entries if entry["role"] == role), None)

    def years(self, role: str) -> list[int]:
        """Return the bound years of a role, ascending."""
        entry = self.entry(role)
        return sorted(int(year) for year in entry["sources"]) if entry is not None and "sources" in entry else []


RUNS = (
    Run("truth_all.json", "datasets_all.json", ALL, dt.date(2025, 12, 31)),
    Run("truth_few.json", "datasets_few.json", FEW, dt.date(2025, 12, 31), every=4),
    Run("truth_settings.json", "datasets_all.json", ALL, dt.date(2023, 6, 30), ALL_STATISTICS[:3], OTHER_SETTINGS, 4),
    Run("truth_2021.json", "datasets_all.json", ALL, dt.date(2021, 12, 31), ("luc_emissions", "biodiversity"), every=4),
)
