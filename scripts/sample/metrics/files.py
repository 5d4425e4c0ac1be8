"""Writes the measured layers, one file per year."""

from __future__ import annotations

from pathlib import Path

from scripts.sample.files import write_layer
from scripts.sample.metrics.layers import UNDATED, Ground

FOLDERS = {
    "agb": "stocks", "agb_sd": "stocks", "soc": "stocks", "lc": "stocks", "root_shoot": "stocks", "chm": "canopy", "chm_coarse": "canopy",
    "elevation": "own", "greenness": "own",
}  # fmt: skip


def write_measured(ground: Ground, folder: Path) -> None:
    """Write every layer into `stocks`, `canopy`, `climate` or `own`."""
    for role, layers in ground.measured.items():
        place = folder / FOLDERS.get(role, "climate")
        place.mkdir(exist_ok=True)
        for year, measured in layers.items():
            write_layer(measured.layer, place, role if year == UNDATED else f"{role}_{year}", measured.tag)
