"""Layers of one's own over many plots in one row: what adds up is that of the whole, what does not is null with a reason."""

from __future__ import annotations

import json

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from epoch_plugin.core.fetch.aggregate_extra import ExtraSums
from epoch_plugin.core.fetch.supply_shed import SupplyShedRequest, fetch_supply_shed
from epoch_plugin.core.store.store import Store
from tests.core.raster_files import write_tif
from tests.core.statistic_scene import as_shapes, run_statistics
from tests.core.test_fetch_aggregate_metrics import ask, fill

STATS = ["count", "mean", "std", "min", "max", "sum", "median", "p10", "majority", "minority", "variety", "classes", "area==3", "area>2"]
TOLD = {"mean", "std", "min", "max", "sum", "classes", "area==3", "area>2"}  # the same for a whole as for the sum of its parts
NOT_TOLD = {"median", "p10", "majority", "minority", "variety"}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.gpkg")


def test_the_sum_of_the_parts_is_the_whole(tmp_path):
    random = np.random.default_rng(4)
    values = random.integers(0, 6, (60, 60)).astype("float32")
    values[10:20, 10:20] = np.nan
    write_tif(tmp_path / "own.tif", values, 5.0, 8.0, 0.001, nodata=np.nan)
    whole = Polygon([(5.0052, 7.9951), (5.0521, 7.9921), (5.0471, 7.9503), (5.0093, 7.9481)])
    parts = [whole.intersection(box(*bounds)) for bounds in ((5, 7.9, 5.0213, 8), (5.0213, 7.9, 5.06, 7.9717), (5.0213, 7.9717, 5.06, 8))]
    shapes = as_shapes([whole, *parts])
    entry = {"role": "own", "source": "own.tif", "stats": STATS}
    first, *rest = run_statistics(["extra"], tmp_path, [entry], [whole, *parts])["extra"]
    sums = ExtraSums()
    for shape, row in zip(shapes[1:], rest):
        sums.add(shape.area, True, (None, None, None, *(json.dumps(row[name]) if name != "valid_fraction" else row[name] for name in sums.columns)))
    found, expected = sums.properties(), first["extra"]["own"]
    assert set(found["extra"]["own"]) == set(expected) == TOLD | NOT_TOLD | {"count"}
    for name in TOLD:
        assert found["extra"]["own"][name] == pytest.approx(expected[name], rel=1e-6), name
    assert found["valid_fraction"] == pytest.approx(first["valid_fraction"], rel=1e-5) and 0.5 < found["valid_fraction"] < 0.99
    assert found["extra"]["own"]["count"] == sum(row["extra"]["own"]["count"] for row in rest) > expected["count"]  # cut cells twice
    assert all(found["extra"]["own"][name] is None for name in NOT_TOLD)
    assert found["reasons"] == [{"code": f"not_additive:own.{name}", "plots": 3} for name in sorted(NOT_TOLD)]


def row(extra, share=1.0, reasons=()):
    return {"extra": {"own": extra}, "coverage": {"own": share}, "valid_fraction": share, "reasons": [{"code": code} for code in reasons]}


def test_one_row_from_the_store_by_hand(store):
    rows = [
        row({"mean": 2.0, "std": 1.0, "sum": 10.0, "classes": {"2": 1.0, "10": 3.0}}),
        row({"mean": 5.0, "std": 0.0, "sum": 4.5, "classes": {"2": 0.5}}, 0.5),
        row({"mean": None, "std": None, "sum": None, "classes": None}, 0.0, ["no_data:own"]),
    ]
    fill(store, "extra", [4.0, 4.0, 7.0, 1.0], rows)
    (found,) = ask(store, "extra", aggregate=True)
    # 4 ha of mean 2 and 2 ha of mean 5: 18 / 6; (4 (1 + 4) + 2 x 25) / 6 - 3^2 = 70 / 6 - 9
    assert found["extra"] == {"own": {"mean": 3.0, "std": pytest.approx((70 / 6 - 9) ** 0.5), "sum": 14.5, "classes": {"2": 1.5, "10": 3.0}}}
    assert found["reasons"] == [{"code": "no_data:own", "plots": 1}, {"code": "not_processed", "plots": 1}]
    assert found["valid_fraction"] == pytest.approx((4 + 2) / 16) and found["aggregate_plot_count"] == 4


def test_a_deviation_without_its_mean_is_not_told_and_nothing_known_is_null(store):
    fill(store, "extra", [4.0, 4.0], [row({"std": 1.0}), row({"std": 2.0})])
    (found,) = ask(store, "extra", aggregate=True)
    assert found["extra"] == {"own": {"std": None}} and found["reasons"] == [{"code": "not_additive:own.std", "plots": 2}]
    fill_nothing, sums = (4.0, False, ()), ExtraSums()
    sums.add(*fill_nothing)
    assert sums.properties() == {"extra": None, "valid_fraction": 0.0, "reasons": [{"code": "not_processed", "plots": 1}]}


def test_beside_other_statistics_it_says_nothing_of_when(store):
    fill(store, "water", [4.0], [{"water_stress_index": 2.0, "valid_fraction": 1.0, "assessed_end": "2023-12-31", "reasons": []}])
    (found,) = ask(store, "water", "extra", aggregate=True, prefixed=True)
    assert found["assessed_end"].startswith("2023-12-31") and found["extra"] is None
    assert found["extra_reasons"] == [{"code": "not_processed", "plots": 1}]


def test_a_supply_base_has_them_too(store):
    fill(store, "extra", [4.0, 4.0], [row({"sum": 1.5}), row({"sum": 2.0})])
    with fetch_supply_shed(store, SupplyShedRequest("0xabc", stats=("extra",))) as answer:
        (feature,) = answer.features
    assert json.loads(feature.properties["extra"]) == {"own": {"sum": 3.5}}
