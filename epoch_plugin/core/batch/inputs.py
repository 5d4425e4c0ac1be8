"""What a job was computed from: the key under which an equal job is found again, and the provenance in its row."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.batch.statistics import StatisticPlan
from epoch_plugin.core.datasets.entries import Entry
from epoch_plugin.core.datasets.provenance import provenance
from epoch_plugin.core.datasets.raster import RasterLayer

METHOD_VERSION = "2026.11"  # raised whenever the same inputs would give other numbers


class Layered(Protocol):
    """Something that reads layers."""

    @property
    def layers(self) -> tuple[tuple[Entry, str, RasterLayer], ...]:
        """Return entry, key and layer of everything that is read."""


def describe_inputs(
    request: BatchRequest, collection_id: str, plans: Sequence[Layered], regions: dict[str, Any] | None = None,
    commodity: str | None = None, farm: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return everything that decides the results: collection, statistics, window, settings, method, sources with size and time.

    `commodity` is the role whose layer says where reference areas are, `farm` what farm emissions rest on.
    """
    return {
        "collection_id": collection_id,
        "stats": list(request.stats),
        "start_date": request.start_date.isoformat(),
        "end_date": request.end_date.isoformat(),
        "settings": request.settings.to_dict(),
        "method_version": METHOD_VERSION,
        "regions": regions,
        "reference_commodity": commodity,
        "farm": farm,
        "sources": _sources(plans),
    }


def inputs_key(inputs: dict[str, Any]) -> str:
    """Return the SHA-256 of the inputs."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False, allow_nan=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def describe_run(request: BatchRequest, inputs: dict[str, Any], plans: Sequence[StatisticPlan]) -> dict[str, Any]:
    """Return the provenance: the inputs, and what they were run with."""
    return {
        **inputs,
        "datasets_file": request.datasets,
        "statistics": {name: plan.provenance for name, plan in zip(request.stats, plans)},
        "plugin_version": plugin_version(),
        "executor": request.executor,
        "libraries": libraries(),
    }


def _sources(plans: Sequence[Layered]) -> list[dict[str, Any]]:
    """Describe each entry of the datasets file once, with all its layers that any statistic reads."""
    by_entry: dict[int, tuple[Any, list[Any]]] = {}
    for plan in plans:
        for entry, _, layer in plan.layers:
            known = by_entry.setdefault(entry.index, (entry, []))[1]
            if layer not in known:
                known.append(layer)
    return [provenance(entry, layers) for entry, layers in by_entry.values()]


@lru_cache(maxsize=1)
def plugin_version() -> str:
    """Return the version in metadata.txt, or 'unknown' where the core is installed without it."""
    path = Path(__file__).resolve().parents[3] / "metadata.txt"
    if not path.exists():
        return "unknown"
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.partition("=")[2].strip() for line in lines if line.startswith("version=")), "unknown")


def libraries() -> dict[str, str]:
    """Return the versions of what computes: Python, numpy, GDAL, PROJ."""
    import numpy
    import pyproj
    from osgeo import gdal

    return {
        "python": platform.python_version(), "numpy": numpy.__version__, "gdal": gdal.VersionInfo("RELEASE_NAME"),
        "proj": pyproj.proj_version_str,
    }  # fmt: skip
