"""A store with a few plots in the landscape of `deforestation_scene`, its datasets and regions, and a batch over them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from epoch_plugin.core.batch import BatchRequest, BatchResult, run_batch
from epoch_plugin.core.fetch import FetchResult
from epoch_plugin.core.progress import Progress
from epoch_plugin.core.store.store import Store
from tests.core.deforestation_scene import LOSS_YEAR, X0, Y0, YES_NO, D, field, geodesic_ha
from tests.core.raster_files import wkb_of, write_tif, write_vector
from tests.core.sample_batch import Listener
from tests.core.store_samples import add_collection, plot

COLLECTION = "0xabc"


def layer(folder: Path, name: str, background: int, *blocks: tuple[int, int, int, int, int], dtype: str = "uint8") -> str:
    """Write a layer of the landscape and return its file name."""
    write_tif(folder / f"{name}.tif", field(background, *blocks, dtype=dtype), X0, Y0, D)
    return f"{name}.tif"


def forest_and_loss(folder: Path, **systems: tuple[tuple[int, int, int, int, int], ...]) -> list[dict[str, Any]]:
    """Entries of a baseline that is forest everywhere and of detection systems with blocks (c0, r0, c1, r1, year - 2000)."""
    entries: list[dict[str, Any]] = [{"role": "forest_2020", "source": layer(folder, "forest", 1), "encoding": YES_NO}]
    for name, blocks in systems.items():
        entries.append({"role": name, "source": layer(folder, name, 0, *blocks), "encoding": {**LOSS_YEAR, "none": 0}, "years": [2001, 2025],
                        "theme": "detection"})  # fmt: skip
    return entries


def cocoa(folder: Path, *blocks: tuple[int, int, int, int], year: int | None = 2020) -> dict[str, Any]:
    """A cocoa layer that says yes in blocks (c0, r0, c1, r1)."""
    source = layer(folder, f"cocoa_{year}", 0, *((*block, 1) for block in blocks))
    return {"role": "cocoa", "source": source, "encoding": YES_NO, **({"year": year} if year else {})}


def store_with(folder: Path, *polygons: Any, **changes: Any) -> Store:
    """A store with one uploaded cocoa collection of these polygons."""
    store = Store(folder / "store.gpkg")
    rows = [plot(n, COLLECTION, polygon=multi(polygon), area=geodesic_ha(polygon)) for n, polygon in enumerate(polygons, 1)]
    add_collection(store, plots=rows, collection_id=COLLECTION, **{"crop_type": "cocoa", "status": "uploaded", **changes})
    return store


def multi(polygon: Any) -> bytes:
    """WKB MULTIPOLYGON of a polygon."""
    from shapely.geometry import MultiPolygon

    return wkb_of(MultiPolygon([polygon]))


def regions_file(folder: Path, *named: tuple[str, Any], field_name: str = "zone") -> str:
    """Write a layer of regions and return REGIONS."""
    return str(write_vector(folder / "regions.gpkg", [(polygon, {field_name: name}) for name, polygon in named]))


def run(store: Store, datasets: str, progress: Progress | None = None, **request: Any) -> BatchResult:
    """Run a deforestation check, anew unless asked otherwise."""
    asked = {"if_done": "recompute", "end_date": dt.date(2023, 12, 31), "datasets": datasets, **request}
    return run_batch(store, BatchRequest(collection=COLLECTION, **asked), progress or Listener())


def region_rows(store: Store) -> dict[tuple[str, str], dict[str, Any]]:
    """Rows of stat_supply_shed by kind and name, JSON parsed."""
    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute("SELECT * FROM stat_supply_shed")]
    for row in rows:
        for name in ("reasons", "annual_defor_ha", "centroid"):
            row[name] = json.loads(row[name]) if row[name] else row[name]
    return {(row["stat_type"], row["region_name"]): row for row in rows}


def features(answer: FetchResult) -> list[dict[str, Any]]:
    """Properties of a fetch's features, JSON parsed."""
    kinds = {field.name: field.type for field in answer.fields}
    return [
        {name: json.loads(value) if kinds[name] == "JSON" and value else value for name, value in feature.properties.items()}
        for feature in answer.features
    ]  # fmt: skip


def codes(row: dict[str, Any]) -> set[str]:
    """Reason codes of a region itself, not those of its statistics."""
    return {item["code"] for item in row["reasons"] if "statistic" not in item}
