"""A small landscape of real files for deforestation tests: 40 x 40 cells of 0.00025 degrees, and the way from a datasets file to rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Geod
from shapely.geometry import box

from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.metrics.deforestation.statistic import plan_statistic
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal import engine
from tests.core.raster_files import wkb_of, write_datasets, write_tif

X0, Y0, D, N = 10.0, 5.0, 0.00025, 40
GEOD = Geod(ellps="WGS84")
YES_NO = {"kind": "mask", "values": [1], "none": [0]}
LOSS_YEAR = {"kind": "loss_year", "offset": 2000}
TMF = {"kind": "classes", "forest": [1, 2]}
COVER = {"kind": "classes", "forest": [1]}
CONTEXT_MISSING = {"context_missing:natural_forest", "context_missing:wdpa"}


def cells(c0: float, r0: float, c1: float, r1: float) -> Any:
    """A box in columns and rows of the landscape."""
    return box(X0 + c0 * D, Y0 - r1 * D, X0 + c1 * D, Y0 - r0 * D)


PLOT = cells(10, 10, 20, 20)  # 100 whole cells, about 7.65 ha


def ha(row: int, d: float = D, y0: float = Y0) -> float:
    """Area (ha) of a cell: pyproj's geodesic area with edges along parallels cut into 50."""
    top, bottom, t = y0 - row * d, y0 - (row + 1) * d, np.linspace(0, d, 51)
    lon, lat = np.r_[t, t[::-1]], np.r_[np.full(51, bottom), np.full(51, top)]
    return abs(GEOD.polygon_area_perimeter(lon, lat)[0]) / 1e4


def block_ha(c0: int, r0: int, c1: int, r1: int) -> float:
    """Area (ha) of whole cells."""
    return sum(ha(row) for row in range(r0, r1)) * (c1 - c0)


def geodesic_ha(shape: Any) -> float:
    return abs(GEOD.geometry_area_perimeter(shape)[0]) / 1e4


def field(background: int, *blocks: tuple[int, int, int, int, int], dtype: str = "uint8") -> Any:
    """Values of the landscape: a background, and blocks (c0, r0, c1, r1, value) on it."""
    values = np.full((N, N), background, dtype)
    for c0, r0, c1, r1, value in blocks:
        values[r0:r1, c0:c1] = value
    return values


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-7, abs=1e-12)


def verdict(row: dict[str, Any]) -> tuple[Any, Any]:
    return row["deforestation_confidence"], row["deforestation_alert"]


@dataclass(frozen=True)
class Shape:
    """What the statistic needs of a plot."""

    uuid: str
    area: float
    flags: tuple[str, ...] = ()


class Scene:
    """Collects layers, then checks plots against them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: list[dict[str, Any]] = []

    def layer(self, role: str, values: Any, encoding: dict[str, Any], nodata: float | None = 255, **keys: Any) -> Scene:
        """Bind a raster to a role."""
        write = {name: keys.pop(name) for name in ("x0", "y0", "d", "tile", "mask", "alpha", "tag") if name in keys}
        name = f"{role}.tif"
        write_tif(
            self.folder / name, values, write.pop("x0", X0), write.pop("y0", Y0), write.pop("d", D), nodata=write.pop("tag", nodata), **write
        )  # fmt: skip
        self.entries.append({"role": role, "source": name, "encoding": encoding, **keys})
        return self

    def forest(self, *blocks: tuple[int, int, int, int, int], background: int = 1, **keys: Any) -> Scene:
        """Bind the baseline: forest everywhere but in the blocks."""
        return self.layer("forest_2020", field(background, *blocks), YES_NO, year=2020, **keys)

    def loss(self, role: str, *blocks: tuple[int, int, int, int, int], years: tuple[int, int] = (2001, 2025), **keys: Any) -> Scene:
        """Bind a layer of loss years (two digits); roles that METHODS does not know become detection systems."""
        if role not in ("glad", "tmf", "dynamic_world", "radd"):
            keys["theme"] = "detection"
        return self.layer(role, keys.pop("values", field(0, *blocks)), LOSS_YEAR, years=list(years), **keys)

    def series(self, role: str, years: dict[int, Any], encoding: dict[str, Any] = TMF, nodata: int = 0) -> Scene:
        """Bind a series of yearly classes."""
        for year, values in years.items():
            write_tif(self.folder / f"{role}_{year}.tif", values, X0, Y0, D)
        self.entries.append({"role": role, "sources": {str(y): f"{role}_{y}.tif" for y in years}, "encoding": encoding, "nodata": nodata})
        return self

    def alerts(self, *blocks: tuple[int, int, int, int, int], until: str = "2025-12-31", role: str = "radd") -> Scene:
        """Bind dated alerts packed yyddd."""
        return self.layer(
            role, field(0, *blocks, dtype="uint16"), {"kind": "alert_date", "packing": "yyddd"}, 65535, years=[2020, int(until[:4])], until=until
        )  # fmt: skip

    def yes(self, role: str, *blocks: tuple[int, int, int, int], year: int | None = 2020, **keys: Any) -> Scene:
        """Bind a mask: yes in the blocks, no elsewhere."""
        if year is not None:
            keys["year"] = year
        return self.layer(role, field(0, *((*block, 1) for block in blocks)), YES_NO, **keys)

    def check(
        self, *plots: Any, start: str = "2020-12-31", end: str = "2025-12-31", flags: tuple[str, ...] = (), **settings: Any
    ) -> list[dict[str, Any]]:
        """Run the statistic over polygons; return its rows."""
        window = MonitoringWindow(dt.date.fromisoformat(start), dt.date.fromisoformat(end))
        datasets = load_datasets(write_datasets(self.folder, *self.entries))
        plan = plan_statistic(datasets, window, Settings.from_dict(settings), np.array([plot.bounds for plot in plots]))
        results = engine.run([wkb_of(plot) for plot in plots], plan.tasks, 2, NoProgress())
        return list(plan.rows(results, [Shape(str(number), geodesic_ha(plot), flags) for number, plot in enumerate(plots)]))

    def one(self, plot: Any, **keys: Any) -> dict[str, Any]:
        """Run the statistic over one polygon."""
        return self.check(plot, **keys)[0]


def codes(row: dict[str, Any]) -> set[str]:
    """The reason codes of a row; none may stand there twice."""
    found = [reason["code"] for reason in row["reasons"]]
    assert len(found) == len(set(found))
    return set(found)


def why(row: dict[str, Any], code: str) -> dict[str, Any]:
    """The numbers beside a reason."""
    return {key: value for reason in row["reasons"] if reason["code"] == code for key, value in reason.items() if key != "code"}


def annual(row: dict[str, Any], kind: str = "defor_ha") -> dict[int, float | None]:
    """`annual_defor` as {year: ha}; `kind` defor_ha or defor_ha_rmse."""
    return {int(key.rsplit("_", 1)[1]): value for key, value in row["annual_defor"].items() if key.rsplit("_", 1)[0] == kind}
