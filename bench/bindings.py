"""The datasets files that bind the benchmark's layers for the runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.stack import BESIDE, FORTY, NEW_YEAR, TWELVE, Layer

YES_NO = {"kind": "mask", "values": [1], "none": [0]}
LOSS_YEAR = {"kind": "loss_year", "offset": 2000, "none": [0]}
COVER_MAP = {"10": "natural", "20": "natural", "30": "other", "40": "managed", "50": "other", "60": "other", "80": "other", "90": "natural"}
RECORD = [2001, 2025]


def write_all(folder: Path) -> None:
    """Write the datasets files beside the layers."""
    files = {
        "forty": _plain(FORTY),
        "twelve": _plain(tuple(layer for layer in FORTY if layer.name in TWELVE)),
        "before": _plain(tuple(layer for layer in FORTY if layer.name != NEW_YEAR)),
        "new_year": _plain(tuple(layer for layer in FORTY if layer.name == NEW_YEAR)),
        "deforestation": deforestation(),
        "four": [*deforestation(), *_stocks(), *_structure_and_climate()],
    }
    for name, entries in files.items():
        (folder / f"{name}.json").write_text(json.dumps({"datasets": entries}, indent=1), encoding="utf-8")


def _plain(layers: tuple[Layer, ...]) -> list[dict[str, Any]]:
    """Layers without a meaning: areas of their classes, or mean and standard deviation."""
    return [
        {"role": f"x_{layer.name}", "source": f"{layer.name}.tif", "nodata": layer.nodata,
         "encoding": {"kind": "classes" if layer.categorical else "continuous"}, "stats": ["classes"] if layer.categorical else ["mean", "std"]}
        for layer in layers
    ]  # fmt: skip


def deforestation() -> list[dict[str, Any]]:
    """The deforestation check: 10 m baseline and commodities, three systems and context at 30 m."""
    crops = ("cocoa", "coffee", "palm", "rubber")
    monitor = {"role": "national_monitor", "theme": "detection", "source": "deforestation_year.tif"}
    return [
        {"role": "forest_2020", "source": "forest_2020.tif", "year": 2020, "encoding": YES_NO, "nodata": None},
        {"role": "glad", "source": "loss_year.tif", "encoding": LOSS_YEAR, "nodata": None, "years": RECORD,
         "mask": {"source": "tree_cover_2000.tif", "min": 10}},
        {"role": "tmf", "encoding": {"kind": "classes", "forest": [1, 2]}, "nodata": 0,
         "sources": {str(layer.year): f"{layer.name}.tif" for layer in FORTY if layer.role == "tmf"}},
        {**monitor, "encoding": LOSS_YEAR, "nodata": None, "years": RECORD},
        {"role": "natural_forest", "source": "primary_forest.tif", "year": 2020, "encoding": YES_NO, "nodata": None},
        {"role": "wdpa", "source": "protected.tif", "year": 2020, "encoding": YES_NO, "nodata": None},
        *({"role": crop, "source": f"{crop}.tif", "year": 2020, "encoding": YES_NO, "nodata": 255} for crop in crops),
        {"role": "timber", "source": "planted_forest.tif", "year": 2020, "encoding": YES_NO, "nodata": None},
    ]  # fmt: skip


def _stocks() -> list[dict[str, Any]]:
    stocks = [layer for layer in FORTY if layer.role == "agb"]
    return [
        {"role": "agb", "unit": "Mg/ha", "encoding": {"kind": "continuous"}, "sources": {str(layer.year): f"{layer.name}.tif" for layer in stocks}},
        {"role": "soc", "unit": "MgC/ha", "encoding": {"kind": "continuous"}, "source": "soil_carbon.tif"},
        {"role": "lc", "encoding": {"kind": "classes", "class_map": COVER_MAP}, "nodata": 0, "sources": {"2021": "land_cover.tif"}},
    ]


def _structure_and_climate() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for role in dict.fromkeys(layer.role for layer in BESIDE):
        unit = {"chm": {"unit": "m"}, "soil_moisture": {}}.get(role, {"unit": "mm"})
        sources = {str(layer.year): f"{layer.name}.tif" for layer in BESIDE if layer.role == role}
        found.append({"role": role, **unit, "encoding": {"kind": "continuous"}, "sources": sources})
    return [*found, {"role": "water_stress", "encoding": {"kind": "continuous"}, "source": "water_stress.tif"}]
