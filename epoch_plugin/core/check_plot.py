"""The answer for a polygon that is in no collection: the same plan, engine and rows as a batch, without a store."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from epoch_plugin.core.batch.inputs import describe_inputs
from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.batch.statistics import PLANNERS, MergedTasks
from epoch_plugin.core.collections.geodesy import polygons_area_ha
from epoch_plugin.core.collections.shapes import multipolygon_wkb, parse_wkb
from epoch_plugin.core.datasets.datasets_file import load_datasets
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.monitoring.plot_details import PlotDetails, layer_uses
from epoch_plugin.core.progress import Progress
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.store.schema import TABLES
from epoch_plugin.core.window import EUDR_CUTOFF
from epoch_plugin.core.zonal import engine

MAX_AREA_HA = 50_000.0  # an estate; beyond it an answer would not come in seconds


@dataclass(frozen=True)
class CheckRequest:
    """A polygon (WKB, EPSG:4326) to check against a datasets file over a window; `stats` empty = all; `extra` where the file has such entries."""

    polygon: bytes
    datasets: str
    end: dt.date
    start: dt.date = EUDR_CUTOFF
    stats: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    name: str = ""


@dataclass(frozen=True)
class _Shape:
    uuid: str
    polygon: bytes
    area: float
    flags: tuple[str, ...] = ()


def check_plot(request: CheckRequest, progress: Progress) -> PlotDetails:
    """Return what a batch would say of the polygon; nothing is stored. Raises `InputError` for a shape or file that cannot be used."""
    shape = _shape(request)
    datasets = load_datasets(request.datasets)
    stats = request.stats or tuple(name for name in PLANNERS if name != "extra" or datasets.extras)
    batch = BatchRequest("", request.end, request.datasets, stats, request.start, request.settings)
    progress.step(0.0, "plan")
    plans = [PLANNERS[name](datasets, batch.window, request.settings, _box(shape)) for name in stats]
    merged = MergedTasks(plans)
    answers = engine.run([shape.polygon], merged.tasks, os.cpu_count() or 1, progress)
    rows = {name: next(plan.rows(merged.results_of(i, answers), [shape])) for i, (name, plan) in enumerate(zip(stats, plans))}
    statistics = {name: _as_stored(name, row) for name, row in rows.items()}
    sources: Sequence[dict[str, Any]] = describe_inputs(batch, "", plans)["sources"]
    return PlotDetails(None, "", request.name, shape.area, shape.polygon, {}, statistics, layer_uses(sources, statistics))


def _shape(request: CheckRequest) -> _Shape:
    try:
        polygons = parse_wkb(request.polygon).polygons
    except ValueError as error:
        raise InputError(f"The polygon cannot be read: {error}.") from None
    if not polygons:
        raise InputError("Draw a polygon with at least three corners.")
    area = polygons_area_ha(polygons)
    if area <= 0:
        raise InputError("The polygon encloses no area: draw at least three corners that are not on one line.")
    if area > MAX_AREA_HA:
        limit = f"Check a plot is for single plots of up to {MAX_AREA_HA:,.0f} ha"
        raise InputError(f"The polygon has {area:,.0f} ha. {limit}: stage larger areas as a collection.")
    return _Shape("drawn", multipolygon_wkb(polygons), area)


def _box(shape: _Shape) -> Any:
    corners = np.concatenate([ring for polygon in parse_wkb(shape.polygon).polygons for ring in polygon])
    return np.array([[*corners.min(axis=0), *corners.max(axis=0)]], np.float64)


def _as_stored(statistic: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with every column of its table, dates as ISO text, as one that was stored and read again."""
    values = {name: row.get(name) for name in TABLES[f"stat_{statistic}"].by_name}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values.items()}
