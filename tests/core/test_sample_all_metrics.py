"""Biomass, biodiversity, water and layers of one's own, from plots.geojson to stored rows, against the planted truth: every plot and field."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("osgeo.gdal")
pytest.importorskip("pyproj")

from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.batch.runner import run_batch
from epoch_plugin.core.collections.plots import StageOptions
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store.store import Store
from scripts.sample.metrics.biodiversity import rao_q, rao_q_of_counts
from scripts.sample.metrics.runs import RUNS

SAMPLE = Path(__file__).resolve().parents[2] / "epoch_plugin" / "resources" / "sample"
RELATIVE, NOTHING, SHARE = 1e-6, 1e-8, 1e-5  # values; what counts as 0; shares (of the area or of the sum of weights: METHODS says both)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the sample's plots."""
    made = Store(str(tmp_path_factory.mktemp("sample") / "store.gpkg"))
    request = StageRequest(collection_name="vavoua", crop_type="cocoa", country="Côte d'Ivoire", options=StageOptions(plot_id_field="plotId"))
    stage_plots(made, open_source(str(SAMPLE / "plots.geojson")), request, NoProgress())
    upload_plots(made, "vavoua", True, None, NoProgress())
    return made


def _rows(store: Store, truth: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Run a truth file's batch; return {statistic: {plot id: row}}."""
    request = BatchRequest(
        collection="vavoua", end_date=dt.date.fromisoformat(truth["monitoring_end"]), datasets=str(SAMPLE / truth["datasets"]),
        stats=tuple(truth["stats"]), settings=Settings.from_dict(truth["settings"]),
    )  # fmt: skip
    result = run_batch(store, request, NoProgress())
    assert (result.status, result.processed_count, result.failed_count) == ("completed", 301, 0)
    found = {}
    with store.reading() as connection:
        for statistic in truth["stats"]:
            query = f"SELECT s.*, p.plotid FROM stat_{statistic} s JOIN plots p ON p.uuid = s.uuid WHERE s.job_id = ?"
            found[statistic] = {row["plotid"]: _decoded(dict(row)) for row in connection.execute(query, (result.job_id,))}
    return found


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    """Return JSON columns as objects, and reasons as their sorted codes."""
    for name, value in row.items():
        if isinstance(value, str) and value[:1] in "{[":
            row[name] = json.loads(value)
    row["reasons"] = sorted(reason["code"] for reason in row["reasons"])
    row["assessed_end"] = row["assessed_end"] and row["assessed_end"][:10]
    return row


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _same(path: tuple[str, ...], wanted: Any, found: Any) -> bool:
    numbers = isinstance(wanted, (int, float)) and isinstance(found, (int, float))
    if not numbers or isinstance(wanted, bool):
        return bool(wanted == found)
    share = path[0] in ("coverage", "valid_fraction")
    return abs(wanted - found) <= (SHARE if share else max(NOTHING, RELATIVE * abs(wanted)))


def _differences(expected: dict[str, Any], row: dict[str, Any]) -> Iterator[str]:
    """Name each leaf of either side that the other has not, or has otherwise; of the row, only the fields that the truth knows."""
    wanted = dict(_leaves(expected))
    found = dict(_leaves({field: row.get(field, "absent") for field in expected}))
    for path in sorted({*wanted, *found}):
        one, other = wanted.get(path, "absent"), found.get(path, "absent")
        if not _same(path, one, other):
            yield f"{'.'.join(path)} is {other}, planted {one}"


@pytest.mark.slow
@pytest.mark.parametrize("name", [run.truth for run in RUNS])
def test_every_plot_equals_the_planted_truth(store: Store, name: str) -> None:
    truth = json.loads((SAMPLE / name).read_text(encoding="utf-8"))
    rows = _rows(store, truth)
    wrong = []
    for plotid, expected in truth["plots"].items():
        for statistic in truth["stats"]:
            lines = _differences(expected[statistic], rows[statistic][plotid])
            wrong += [f"{plotid} ({expected['case']}): {statistic}.{line}" for line in lines]
    assert not wrong, f"{len(wrong)} differences\n" + "\n".join(wrong[:40])


def test_a_planted_truth_that_is_off_by_little_is_noticed() -> None:
    assert not list(_differences({"a": {"x": 1.0, "y": None}}, {"a": {"x": 1.0 + 5e-7, "y": None}, "other": 3}))
    assert len(list(_differences({"a": {"x": 1.0, "y": None}}, {"a": {"x": 1.0 + 2e-6, "y": 0.0, "z": 1}}))) == 3
    assert list(_differences({"reasons": ["no_data:agb"]}, {"reasons": []})) == ["reasons is [], planted ['no_data:agb']"]


def test_the_truth_of_rao_is_a_double_loop_over_cells() -> None:
    """METHODS section 5: what the sample counts by height equals the loop over all ordered pairs; and the identities."""
    draw = random.Random(3)
    for alpha in (1.0, 2.0, 3.5):
        heights = [float(draw.choice((1, 2, 14, 17, 23, 60))) for _ in range(draw.randrange(41, 82))]
        assert rao_q_of_counts(tuple(sorted(Counter(heights).items())), alpha) == pytest.approx(rao_q(heights, alpha), rel=1e-12)
    heights = [float(draw.randrange(60)) for _ in range(81)]
    mean = sum(heights) / 81
    assert rao_q(heights, 2) == pytest.approx(math.sqrt(2 * sum((h - mean) ** 2 for h in heights) / 81), rel=1e-12)
    assert rao_q([7.0] * 81, 2) == 0
    assert rao_q([0.0] * 8 + [1.0] * 8, 1) == 0.5
