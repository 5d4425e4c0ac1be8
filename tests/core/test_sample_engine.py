"""The whole core, from plots.geojson to stored rows, against the planted truth: every plot, every field, every reason."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("osgeo.gdal")

from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.batch.runner import run_batch
from epoch_plugin.core.collections.plots import StageOptions
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store.store import Store

SAMPLE = Path(__file__).resolve().parents[2] / "epoch_plugin" / "resources" / "sample"
TRUTHS = ("truth.json", "truth_partial.json", "truth_2023.json")
RELATIVE, HECTARES, SHARE = 1e-6, 1e-8, 1e-5  # areas; what counts as nothing; shares (of the area or of the sum of weights: METHODS says both)
OBJECTS = ("annual_defor", "agreement", "overlap", "system_defor", "coverage", "reasons")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the sample staged and uploaded."""
    made = Store(str(tmp_path_factory.mktemp("sample") / "store.gpkg"))
    request = StageRequest(collection_name="vavoua", crop_type="cocoa", country="Côte d'Ivoire", options=StageOptions(plot_id_field="plotId"))
    staged = stage_plots(made, open_source(str(SAMPLE / "plots.geojson")), request, NoProgress())
    assert (staged.plot_count, staged.invalid) == (301, [])
    upload_plots(made, "vavoua", True, None, NoProgress())
    return made


def _rows(store: Store, truth: dict[str, Any]) -> dict[str, dict[str, Any]]:
    request = BatchRequest(
        collection="vavoua", end_date=dt.date.fromisoformat(truth["monitoring_end"]), datasets=str(SAMPLE / truth["datasets"])
    )  # fmt: skip
    result = run_batch(store, request, NoProgress())
    assert (result.status, result.processed_count, result.failed_count) == ("completed", 301, 0)
    query = "SELECT s.*, p.plotid, p.area FROM stat_eudr_deforestation s JOIN plots p ON p.uuid = s.uuid WHERE s.job_id = ?"
    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute(query, (result.job_id,))]
    for row in rows:
        row.update({name: json.loads(row[name]) for name in OBJECTS})
        row["reasons"] = sorted(reason["code"] for reason in row["reasons"])
    return {row["plotid"]: row for row in rows}


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _found(row: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = row
    for key in path:
        value = value[key] if isinstance(value, dict) and key in value else "absent"
    return value[:10] if isinstance(value, str) and path[0] in ("assessed_end", "deforestation_start", "deforestation_end") else value


def _same(path: tuple[str, ...], wanted: Any, found: Any) -> bool:
    if not isinstance(wanted, float) or not isinstance(found, float):
        return bool(wanted == found)
    share = path[0] in ("coverage", "valid_fraction")
    return abs(wanted - found) <= (SHARE if share else max(HECTARES, RELATIVE * abs(wanted)))


@pytest.mark.parametrize("name", TRUTHS)
def test_every_plot_equals_the_planted_truth(store: Store, name: str) -> None:
    truth = json.loads((SAMPLE / name).read_text(encoding="utf-8"))
    rows = _rows(store, truth)
    assert set(rows) == set(truth["plots"])
    wrong = []
    for plotid, expected in truth["plots"].items():
        case = expected.pop("case")
        for path, wanted in _leaves(expected):
            found = _found(rows[plotid], path)
            if not _same(path, wanted, found):
                wrong.append(f"{plotid} ({case}): {'.'.join(path)} is {found}, planted {wanted}")
    assert not wrong, f"{len(wrong)} differences\n" + "\n".join(wrong[:40])


def test_a_planted_truth_that_is_off_by_little_is_noticed() -> None:
    """The comparison itself: 2e-6 of an area, a null for a 0, another word."""
    assert _same(("detected_area",), 1.0, 1.0 + 5e-7) and not _same(("detected_area",), 1.0, 1.0 + 2e-6)
    assert not _same(("detected_area",), None, 0.0) and not _same(("overlap", "wdpa"), 0.0, None)
    assert not _same(("deforestation_alert",), "critical", None)
