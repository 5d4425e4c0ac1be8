"""Running one statistic over a datasets file, as a batch does, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely.wkb
from pyproj import Geod

from epoch_plugin.core.batch.statistics import PLANNERS, MergedTasks
from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal import engine
from tests.core.raster_files import wkb_of, write_datasets

WGS84 = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Shape:
    """A plot as the batch hands it to a statistic."""

    uuid: str
    area: float
    polygon: bytes
    flags: tuple[str, ...] = field(default=())


def as_shapes(polygons: Sequence[Any]) -> list[Shape]:
    """Return plots of polygons in EPSG:4326, areas geodesic."""
    return [Shape(f"plot-{i}", abs(WGS84.geometry_area_perimeter(polygon)[0]) / 1e4, wkb_of(polygon)) for i, polygon in enumerate(polygons)]


def boxes_of(shapes: Sequence[Shape]) -> Any:
    """Return the plots' boxes in degrees (n, 4)."""
    return np.array([shapely.wkb.loads(shape.polygon).bounds for shape in shapes])


def run_statistics(
    stats: Sequence[str], folder: Path, entries: Sequence[dict[str, Any]], polygons: Sequence[Any],
    start: str = "2020-12-31", end: str = "2023-12-31", threads: int = 2, **settings: Any,
) -> dict[str, list[dict[str, Any]]]:  # fmt: skip
    """Return the rows of each statistic, one per polygon."""
    datasets = load_datasets(write_datasets(folder, *entries))
    window = MonitoringWindow(date.fromisoformat(start), date.fromisoformat(end))
    shapes = as_shapes(polygons)
    plans = [PLANNERS[name](datasets, window, Settings.from_dict(settings), boxes_of(shapes)) for name in stats]
    merged = MergedTasks(plans)
    answers = engine.run([shape.polygon for shape in shapes], merged.tasks, threads, NoProgress())
    return {name: list(plan.rows(merged.results_of(number, answers), shapes)) for number, (name, plan) in enumerate(zip(stats, plans))}


def codes(row: dict[str, Any]) -> list[str]:
    """Return the codes of a row's reasons."""
    return [reason["code"] for reason in row["reasons"]]
