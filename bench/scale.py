"""How large the benchmark is, and where its data lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scale:
    """Landscape and plots of one benchmark; `subset` plots are what the slow peers get."""

    name: str
    degrees: float
    plots: tuple[int, int, int]
    subset: int
    compared: int  # plots whose results are held against exactextract's cells and shapely's areas
    rounds: int


FULL = Scale("full", 1.5, (10_000, 100_000, 1_000_000), 400, 1_000, 5)
QUICK = Scale("quick", 0.2, (300, 900, 1_800), 40, 60, 1)


@dataclass(frozen=True)
class Cache:
    """The folder, outside the repository, in which everything that is generated lies."""

    root: Path
    scale: Scale

    @property
    def folder(self) -> Path:
        """Folder of this scale."""
        return self.root / self.scale.name

    @property
    def layers(self) -> Path:
        """Folder of the rasters and datasets files."""
        return self.folder / "layers"

    def layer(self, name: str) -> Path:
        """A raster."""
        return self.layers / f"{name}.tif"

    def datasets(self, name: str) -> Path:
        """A datasets file."""
        return self.layers / f"{name}.json"

    def store(self, plots: int) -> Path:
        """A store with so many plots staged and uploaded as the collection `bench`."""
        return self.folder / f"store_{plots}.gpkg"

    @property
    def scratch(self) -> Path:
        """Folder for what runs write; emptied between them."""
        return self.folder / "scratch"


def default_root() -> Path:
    """BENCH_DIR, else a folder in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("BENCH_DIR") or cache / "epoch-bench")
