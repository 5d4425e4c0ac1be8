"""General zonal statistics: by hand on a 3 x 3 raster, for every word of the grammar."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely.geometry import box

from epoch_plugin.core.errors import DatasetError, InputError
from epoch_plugin.core.zonal.cell_area import area_below
from tests.core.raster_files import write_tif, write_vector
from tests.core.statistic_scene import codes, run_statistics

D = 0.001  # degrees; the raster covers 0..0.003 in both directions, row 0 in the north
# value:  5 2 2
#         7 -1 9      (-1 is no data)
#         4 4 8
VALUES = np.array([[5, 2, 2], [7, -1, 9], [4, 4, 8]], "float32")
STATS = ["count", "mean", "std", "min", "max", "sum", "median", "p10", "p90", "p100", "majority", "minority", "variety", "classes",
         "area==2", "area>4", "area>=4", "area<4"]  # fmt: skip


def cell_ha(row: int) -> float:
    """True area of a cell of one row of the raster, ha: rows count from the north, latitude 0.003."""
    north, south = 0.003 - row * D, 0.003 - (row + 1) * D
    return float(area_below(np.array([north]))[0] - area_below(np.array([south]))[0]) * math.radians(D) / 1e4


@pytest.fixture
def raster(tmp_path):
    return write_tif(tmp_path / "values.tif", VALUES, 0, 0.003, D, nodata=-1)


def extra(tmp_path, entries, polygons, **settings):
    return run_statistics(["extra"], tmp_path, entries, polygons, **settings)["extra"]


def test_every_statistic_by_hand(tmp_path, raster):
    # The plot covers column 0 by half, column 1 wholly, column 2 by a quarter; all three rows wholly.
    plot = box(0.0005, 0, 0.00225, 0.003)
    row = extra(tmp_path, [{"role": "mine", "source": "values.tif", "stats": STATS}], [plot])[0]
    found = row["extra"]["mine"]
    a = [cell_ha(r) for r in range(3)]  # ha of one whole cell in each row
    # value: weight (ha)
    weights = {5: 0.5 * a[0], 2: a[0] + 0.25 * a[0], 7: 0.5 * a[1], 9: 0.25 * a[1], 4: 0.5 * a[2] + a[2], 8: 0.25 * a[2]}
    total = sum(weights.values())
    mean = sum(v * w for v, w in weights.items()) / total
    assert found["count"] == 8  # nine touched cells, one without data
    assert found["mean"] == pytest.approx(mean, rel=1e-9)
    assert found["std"] == pytest.approx(math.sqrt(sum(w * (v - mean) ** 2 for v, w in weights.items()) / total), rel=1e-9)
    assert (found["min"], found["max"]) == (2, 9)
    # sum of fraction x value, without areas: 5/2 + 2 + 2/4 + 7/2 + 9/4 + 4/2 + 4 + 8/4 = 18.75
    assert found["sum"] == pytest.approx(18.75, rel=1e-12)
    # cumulative shares (rows are equally large to 1e-9): 2: 1.25, 4: 2.75, 5: 3.25, 7: 3.75, 8: 4.0, 9: 4.25 of 4.25
    assert found["median"] == 4  # half of 4.25 is 2.125
    assert found["p10"] == 2
    assert found["p90"] == 8  # 3.825 is past 7's 3.75
    assert found["p100"] == 9
    assert found["majority"] == 4  # 1.5 cells
    assert found["minority"] in (8, 9)  # both a quarter of a cell; the rows' areas differ in the tenth digit
    assert found["variety"] == 6
    assert set(found["classes"]) == {"2", "4", "5", "7", "8", "9"}
    for value, weight in weights.items():
        assert found["classes"][str(value)] == pytest.approx(weight, rel=1e-9)
    assert found["area==2"] == pytest.approx(weights[2], rel=1e-9)
    assert found["area>4"] == pytest.approx(weights[5] + weights[7] + weights[8] + weights[9], rel=1e-9)
    assert found["area>=4"] == pytest.approx(weights[4] + weights[5] + weights[7] + weights[8] + weights[9], rel=1e-9)
    assert found["area<4"] == pytest.approx(weights[2], rel=1e-9)
    # the centre cell (1 of 5.25 cells) has no data
    assert row["coverage"] == {"mine": pytest.approx(1 - a[1] / (total + a[1]), rel=1e-9)}
    assert row["valid_fraction"] == row["coverage"]["mine"] and codes(row) == []


def test_ties_majority_takes_the_larger_minority_the_smaller(tmp_path):
    # One row of four equal cells: 3 and 8 twice each, in two runs of the same row.
    write_tif(tmp_path / "ties.tif", np.array([[3, 8, 3, 8]], "uint8"), 0, 0.001, D)
    row = extra(tmp_path, [{"role": "mine", "source": "ties.tif", "stats": ["majority", "minority", "median"]}], [box(0, 0, 0.004, 0.001)])[0]
    assert row["extra"]["mine"] == {"majority": 8, "minority": 3, "median": 3}  # the smallest value that reaches half


def test_negative_and_fractional_values_are_sorted_as_numbers(tmp_path):
    write_tif(tmp_path / "signed.tif", np.array([[-2.5, -0.0, 0.0, 1e-300, -1e9]], "float64"), 0, 0.001, D)
    entry = {"role": "m", "source": "signed.tif", "stats": ["p0", "median", "p100", "variety", "majority"]}
    row = extra(tmp_path, [entry], [box(0, 0, 0.005, 0.001)])
    # ascending: -1e9, -2.5, 0 (twice), 1e-300: minus zero is zero
    assert row[0]["extra"]["m"] == {"p0": -1e9, "median": 0.0, "p100": 1e-300, "variety": 4, "majority": 0.0}


def test_no_data_is_null_with_a_reason_not_zero(tmp_path, raster):
    outside, on_the_hole = box(1, 1, 1.001, 1.001), box(0.0012, 0.0012, 0.0018, 0.0018)
    found = extra(tmp_path, [{"role": "mine", "source": "values.tif", "stats": ["count", "sum", "area>4", "classes"]}], [outside, on_the_hole])
    for row in found:
        assert row["extra"]["mine"] == {"count": None, "sum": None, "area>4": None, "classes": None}
        assert row["valid_fraction"] == 0 and codes(row) == ["no_data:mine"]


def test_a_threshold_is_taken_in_the_precision_of_the_cells(tmp_path):
    write_tif(tmp_path / "f.tif", np.array([[0.38, 0.5]], "float32"), 0, 0.001, D)
    row = extra(tmp_path, [{"role": "m", "source": "f.tif", "stats": ["area>=0.38", "area==0.38", "area>0.38"]}], [box(0, 0, 0.002, 0.001)])[0]
    one = cell_ha(2)
    assert list(row["extra"]["m"].values()) == pytest.approx([2 * one, one, one], rel=1e-9)


def test_several_years_are_named_by_role_and_year_and_months_are_combined(tmp_path):
    for name, value in (("a", 1), ("b", 2), ("c", 30)):
        write_tif(tmp_path / f"{name}.tif", np.array([[value, value, 255 if name == "b" else value]], "uint8"), 0, 0.001, D, nodata=255)
    entries = [
        {"role": "rain", "sources": {"2018": ["a.tif", "b.tif"], "2019": ["c.tif"]}, "combine": "sum", "stats": ["mean", "count"]},
        {"role": "warmth", "source": ["a.tif", "c.tif"], "combine": "mean", "stats": ["max"]},
    ]
    row = extra(tmp_path, entries, [box(0, 0, 0.003, 0.001)])[0]
    # the third cell misses a month in 2018: no data, not a smaller sum
    found = {name: list(values.values()) for name, values in row["extra"].items()}
    assert found == {"rain_2018": pytest.approx([3, 2]), "rain_2019": pytest.approx([30, 3]), "warmth": [15.5]}
    assert row["coverage"]["rain_2018"] == pytest.approx(2 / 3)
    assert row["valid_fraction"] == pytest.approx(2 / 3)


def test_masks_and_classes_are_numbers_too(tmp_path):
    write_tif(tmp_path / "v.tif", np.array([[1, 7, 0]], "uint8"), 0, 0.001, D)
    entries = [
        {"role": "mask", "source": "v.tif", "encoding": {"kind": "mask", "values": [7]}, "year": 2020, "stats": ["mean"]},
        {"role": "codes", "source": "v.tif", "encoding": {"kind": "classes", "sentinels": [0]}, "stats": ["variety", "classes"]},
    ]
    row = extra(tmp_path, entries, [box(0, 0, 0.003, 0.001)])[0]
    assert row["extra"]["mask"]["mean"] == pytest.approx(1 / 3)  # no, yes, no
    assert row["extra"]["codes"]["variety"] == 2 and set(row["extra"]["codes"]["classes"]) == {"1", "7"}


def test_a_vector_is_burnt_on_the_finest_raster_and_refused_without_one(tmp_path, raster):
    write_vector(tmp_path / "areas.gpkg", [(box(0, 0, 0.0015001, 0.003), {"score": 4}), (box(0.0016, 0, 0.003, 0.003), {"score": 9})])
    vector = {"role": "score", "source": "areas.gpkg", "value_field": "score", "stats": ["classes"]}
    row = extra(tmp_path, [{"role": "mine", "source": "values.tif", "stats": ["count"]}, vector], [box(0, 0, 0.003, 0.003)])[0]
    whole = sum(cell_ha(r) for r in range(3))
    # centres at 0.0005, 0.0015 | 0.0025: two columns in the first area, one in the second
    assert row["extra"]["score"]["classes"] == {"4": pytest.approx(2 * whole, rel=1e-9), "9": pytest.approx(whole, rel=1e-9)}
    with pytest.raises(DatasetError, match="needs the analysis grid of a raster"):
        extra(tmp_path, [vector], [box(0, 0, 0.003, 0.003)])


def test_extra_without_an_entry_says_what_is_missing(tmp_path, raster):
    with pytest.raises(InputError, match=r"no entry of .* has a role of its own"):
        extra(tmp_path, [{"role": "soc", "source": "values.tif", "unit": "MgC/ha"}], [box(0, 0, 0.001, 0.001)])


def test_threads_and_company_change_no_digit(tmp_path, raster):
    rng = np.random.default_rng(5)
    write_tif(tmp_path / "large.tif", rng.normal(100, 30, (400, 400)).astype("float32"), 0, 0.4, 0.001, tile=64)
    entries = [{"role": "m", "source": "large.tif", "stats": STATS}]
    corners = rng.uniform(0, 0.3, (20, 2))
    plots = [box(x, y, x + 0.0633, y + 0.0711) for x, y in corners]
    together = extra(tmp_path, entries, plots, threads=1)
    assert together == [{**row, "uuid": f"plot-{i}"} for i, plot in enumerate(plots) for row in extra(tmp_path, entries, [plot], threads=3)]
