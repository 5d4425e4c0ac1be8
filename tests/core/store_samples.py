"""Small collections for the tests of store and fetch: squares of 0.001 degrees in a row."""

from __future__ import annotations

import json
import struct

from epoch_plugin.core.store import collections
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.jobs import JobRow
from epoch_plugin.core.store.plots import PlotRow

SIDE = 0.001
INGESTED = "2025-11-18T13:38:23Z"


def square(west: float, south: float, side: float = SIDE) -> bytes:
    """WKB MULTIPOLYGON of one square, counter-clockwise."""
    ring = [(west, south), (west + side, south), (west + side, south + side), (west, south + side), (west, south)]
    return struct.pack("<BII", 1, 6, 1) + struct.pack("<BIII", 1, 3, 1, len(ring)) + b"".join(struct.pack("<2d", *point) for point in ring)


def plot(number: int, collection_id: str = "0xabc", **changes) -> PlotRow:
    """Plot `number` (from 1) of a collection: one degree-thousandth square, its own farmer."""
    values = {
        "uuid": f"{collection_id}-{number:06d}",
        "plotid": f"P{number}",
        "collection_id": collection_id,
        "area": 1.0 + number / 4,
        "soliditysha3_256_hash": f"0x{number:064x}",
        "polygon": square(-5.0 + 0.002 * (number % 500), 6.0 + 0.002 * (number // 500)),
        "ingestion_date": INGESTED,
        "metadata": json.dumps({"farmerName": f"Adjoua {number}", "clientid": "ABC" if number % 2 else "XYZ", "rank": number}),
    }
    return PlotRow(**{**values, **changes})


def add_collection(store, count: int = 3, collection_id: str = "0xabc", name: str = "Cocoa North", plots=None, **changes) -> str:
    """Add a collection of `count` sample plots and return its id."""
    row = CollectionRow(collection_id=collection_id, collection_name=name, ingestion_time=INGESTED, **changes)
    with store.writing() as connection:
        collections.add(connection, row, plots if plots is not None else (plot(number + 1, collection_id) for number in range(count)))
    return collection_id


def job(job_id: str = "job-1", collection_id: str = "0xabc", **changes) -> JobRow:
    """A queued deforestation job over the EUDR window."""
    values = {
        "job_id": job_id,
        "collection_id": collection_id,
        "stats": ["eudr_deforestation"],
        "start_date": "2020-12-31",
        "end_date": "2025-12-31",
        "inputs_key": f"key-{job_id}",
    }
    return JobRow(**{**values, **changes})


def result(number: int, job_id: str = "job-1", collection_id: str = "0xabc", start="2020-12-31", end="2025-12-31", **changes) -> dict:
    """A deforestation row without detections, with every nested object filled."""
    years = range(2021, int(end[:4]) + 1)
    annual = {key: 0.0 for year in years for key in (f"defor_ha_{year}", f"defor_ha_rmse_{year}")}
    values = {
        "uuid": f"{collection_id}-{number:06d}",
        "collection_id": collection_id,
        "monitoring_start": start,
        "monitoring_end": end,
        "assessed_end": end,
        "forest_area": 0.5,
        "noncompliance_area": 0.0,
        "noncompliance_area_perc": 0.0,
        "deforestation_start": None,
        "deforestation_end": None,
        "uncertainty_rrmse": 0.0,
        "deforestation_confidence": "no detection",
        "deforestation_alert": "no deforestation",
        "agreement": {"all": 0.0, "dynamic_world": None, "glad": 0.0, "tmf": 0.0},
        "overlap": {"jrc_forest": 0.5, "wdpa": None, "cocoa": 0.03118},
        "annual_defor": annual,
        "detected_area": 0.0,
        "system_defor": {"glad": {str(year): 0.0 for year in years}, "tmf": {str(year): 0.0 for year in years}},
        "tmf_degraded_ha": 0.0,
        "coverage": {"forest_2020": 1.0, "glad": 1.0},
        "valid_fraction": 1.0,
        "reasons": [],
        "job_id": job_id,
    }
    return {**values, **changes}
