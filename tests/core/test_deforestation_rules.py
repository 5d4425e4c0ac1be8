"""Systems, union, consensus, confidence, alert and reasons of METHODS section 3; every expectation is worked out beside its test."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, Point, Polygon, box

from epoch_plugin.core.errors import DatasetError, InputError
from tests.core.deforestation_scene import (
    COVER,
    LOSS_YEAR,
    X0,
    Y0,
    D,
    N,
    Scene,
    annual,
    block_ha,
    cells,
    codes,
    field,
    geodesic_ha,
    ha,
    why,
)
from tests.core.raster_files import write_tif

PLOT = cells(10, 10, 20, 20)  # 100 whole cells, about 7.65 ha


def near(value):
    return pytest.approx(value, rel=1e-7, abs=1e-12)


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path).forest()


def verdict(row):
    return row["deforestation_confidence"], row["deforestation_alert"]


# union, consensus, years


def test_two_systems_that_disagree_by_three_years(scene):
    # glad says 2021, other 2024, on the same 3 x 4 cells. The union's year is the lower median: 2021. Both are available in 2021 and both
    # flag the cells: consensus and agreement are complete; with two systems there is no A3, so medium.
    scene.loss("glad", (10, 10, 13, 14, 21)).loss("other", (10, 10, 13, 14, 24))
    row = scene.one(PLOT)
    a = block_ha(10, 10, 13, 14)
    assert verdict(row) == ("medium", "critical")
    assert annual(row) == {2021: near(a), 2022: 0, 2023: 0, 2024: 0, 2025: 0}
    assert row["system_defor"]["glad"]["2021"] == near(a) and row["system_defor"]["glad"]["2024"] == 0
    assert row["system_defor"]["other"]["2021"] == 0 and row["system_defor"]["other"]["2024"] == near(a)
    # 2021: errors 0 and -a; 2024: 0 and a
    assert annual(row, "defor_ha_rmse") == {2021: near(a / math.sqrt(2)), 2022: 0, 2023: 0, 2024: near(a / math.sqrt(2)), 2025: 0}
    assert row["uncertainty_rrmse"] == near(0)  # both totals are the union's
    assert row["agreement"] == {"all": near(1), "glad": near(1), "other": near(1), "tmf": None, "dynamic_world": None, "radd": None}
    assert (row["deforestation_start"], row["deforestation_end"]) == (dt.date(2021, 1, 1), dt.date(2021, 12, 31))
    assert "boundary_year" in codes(row)
    assert row["noncompliance_area"] == row["detected_area"] == near(a)


@pytest.mark.parametrize(
    ("years", "median"), [((21, 22, 23), 2022), ((25, 21, 23), 2023), ((24, 24, 21), 2024), ((21, 25), 2021), ((23, 22, 25, 24), 2023)]
)
def test_union_year_is_the_lower_median(scene, years, median):
    for number, year in enumerate(years):
        scene.loss(f"s{number}", (10, 10, 12, 12, year))
    row = scene.one(PLOT)
    assert {year for year, area in annual(row).items() if area} == {median}


def test_one_system_only(scene):
    # U = 8 cells, C = 0, so low; 0.61 ha is more than 0.5: critical. No error and no agreement of all.
    scene.loss("glad", (10, 10, 14, 12, 23))
    row = scene.one(PLOT)
    assert verdict(row) == ("low", "critical")
    assert row["noncompliance_area"] == near(block_ha(10, 10, 14, 12))
    assert row["uncertainty_rrmse"] is None and set(annual(row, "defor_ha_rmse").values()) == {None}
    assert row["agreement"] == {"all": None, "glad": near(1), "tmf": None, "dynamic_world": None, "radd": None}
    assert "single_system" in codes(row)


def test_one_system_and_no_loss(scene):
    row = scene.loss("glad").one(PLOT)
    assert verdict(row) == ("no detection", "no deforestation")
    assert row["uncertainty_rrmse"] is None and set(annual(row, "defor_ha_rmse").values()) == {None} and row["agreement"]["all"] is None
    assert row["agreement"]["glad"] == 0 and row["noncompliance_area"] == 0 and row["noncompliance_area_perc"] == 0
    assert (row["deforestation_start"], row["deforestation_end"]) == (None, None)
    assert "single_system" in codes(row) and not codes(row) & {"edge_only", "boundary_year", "below_min_area"}


def test_two_systems_and_no_loss(scene):
    row = scene.loss("glad").loss("other").one(PLOT)
    assert verdict(row) == ("no detection", "no deforestation")
    assert row["uncertainty_rrmse"] == 0 and set(annual(row, "defor_ha_rmse").values()) == {0.0}
    assert row["agreement"]["all"] == 0 and "single_system" not in codes(row)


def test_loss_outside_the_baseline_is_no_flag(scene, tmp_path):
    other = Scene(tmp_path).forest((10, 10, 12, 20, 0)).loss("glad", (11, 10, 13, 20, 22)).loss("other", (11, 10, 12, 20, 22))
    row = other.one(PLOT)
    # column 11 is no forest; column 12 only glad flags
    assert row["detected_area"] == near(block_ha(12, 10, 13, 20))
    assert row["agreement"]["glad"] == near(1) and row["agreement"]["other"] == 0 and row["agreement"]["all"] == 0
    assert row["forest_area"] == near(block_ha(12, 10, 20, 20))


def test_errors_and_agreement_of_three_systems(scene):
    # a: columns 10-15, b: 10-13, c: 10-11 of rows 10-11 in 2022: areas 6, 4, 2 pairs of cells; U = 6, C (two or more) = 4, all three = 2
    scene.loss("glad", (10, 10, 16, 12, 22)).loss("b", (10, 10, 14, 12, 22)).loss("c", (10, 10, 12, 12, 22))
    row = scene.one(PLOT)
    pair = ha(10) + ha(11)
    assert row["detected_area"] == near(6 * pair)
    assert annual(row, "defor_ha_rmse")[2022] == near(pair * math.sqrt((0 + 4 + 16) / 3))
    assert row["uncertainty_rrmse"] == near(math.sqrt((0 + 4 + 16) / 3) / 6)
    assert row["agreement"]["glad"] == near(1) and row["agreement"]["b"] == near(4 / 6) and row["agreement"]["c"] == near(2 / 6)
    assert row["agreement"]["all"] == near(2 / 6)
    assert row["deforestation_confidence"] == "medium"  # C/U = 4/6, A3/U = 1/3
    assert row["noncompliance_area"] == near(4 * pair)  # D = C


def test_rmse_over_the_systems_that_cover_the_plot_in_that_year(scene):
    # glad flags 4 cells in 2024; b nothing; c has data on 9 of 10 columns only (90 %), d's record ends 2023
    scene.loss("glad", (10, 10, 12, 12, 24)).loss("b").loss("c", values=field(0, (19, 0, N, N, 255))).loss("d", years=(2001, 2023))
    row = scene.one(PLOT)
    u = block_ha(10, 10, 12, 12)
    rmse = annual(row, "defor_ha_rmse")
    assert rmse[2024] == near(math.sqrt((0 + u * u) / 2))  # glad and b
    assert rmse[2023] == near(0)
    assert row["agreement"]["c"] == 0 and row["agreement"]["d"] == 0
    # of the total too: glad and b are the only ones that cover 95 % in all assessed years
    assert row["uncertainty_rrmse"] == near(math.sqrt(1 / 2))


@pytest.mark.parametrize(("columns", "counts"), [(9, False), (10, True)])
def test_share_that_makes_a_system_count(scene, columns, counts):
    scene.loss("glad", (10, 10, 12, 12, 24)).loss("b").loss("c", values=field(0, (10 + columns, 0, N, N, 255)))
    rmse = annual(scene.one(PLOT), "defor_ha_rmse")[2024]
    u = block_ha(10, 10, 12, 12)
    assert rmse == near(u * math.sqrt(2 / 3) if counts else u * math.sqrt(1 / 2))


@pytest.mark.parametrize(
    ("second", "third", "confidence"),
    [
        # U = 16 columns x 1 row; glad flags all of it. C = what the second flags too, A3 = what all three flag
        (3, 0, "low"),  # C/U = 3/16
        (4, 0, "medium"),  # C/U = 4/16: not below 0.25
        (8, 7, "medium"),  # A3/U = 7/16
        (8, 8, "high"),  # A3/U = 8/16
        (16, 16, "high"),
    ],
)
def test_bands_of_confidence(scene, second, third, confidence):
    scene.loss("glad", (10, 10, 26, 11, 22)).loss("b", (10, 10, 10 + second, 11, 22)).loss("c", (10, 10, 10 + third, 11, 22))
    row = scene.one(cells(8, 8, 28, 28))
    assert row["deforestation_confidence"] == confidence
    deciding = 16 if confidence == "low" else second
    assert row["noncompliance_area"] == near(deciding * ha(10))


def test_systems_without_data_or_record_are_not_asked(scene):
    # b has no data under the loss, c's record ends before 2024: glad and d are all that is available there, and they agree; A3 is empty
    scene.loss("glad", (10, 10, 12, 12, 24)).loss("d", (10, 10, 12, 12, 25))
    scene.loss("b", values=field(0, (10, 10, 13, 13, 255))).loss("c", years=(2001, 2023))
    row = scene.one(PLOT)
    assert row["agreement"]["all"] == near(1)
    assert row["deforestation_confidence"] == "medium"
    # with c's record to 2024 it is available in the union's year 2024, and does not flag: nobody agrees
    scene.entries[-1]["years"] = [2001, 2024]
    assert scene.one(PLOT)["agreement"]["all"] == 0


def test_availability_is_judged_at_the_union_year(scene):
    # three systems, years 22, 23, 25: union year 2023. One whose record ends 2022 is not available then, although it flagged in 2022
    scene.loss("glad", (10, 10, 12, 12, 22), years=(2001, 2022)).loss("b", (10, 10, 12, 12, 23)).loss("c", (10, 10, 12, 12, 25))
    row = scene.one(PLOT)
    assert row["agreement"]["all"] == near(1) and row["agreement"]["glad"] == near(1)
    assert row["deforestation_confidence"] == "medium"  # two available, high needs three
    assert scene.one(PLOT, high_systems=2)["deforestation_confidence"] == "high"


def test_settings_of_consensus(scene):
    scene.loss("glad", (10, 10, 14, 14, 22)).loss("b", (10, 10, 14, 14, 22)).loss("c")
    assert verdict(scene.one(PLOT)) == ("medium", "critical")
    row = scene.one(PLOT, min_systems=3)
    assert verdict(row) == ("low", "critical") and row["noncompliance_area"] == near(block_ha(10, 10, 14, 14))
    assert scene.one(PLOT, min_systems=1)["deforestation_confidence"] == "medium"


def test_less_than_a_hundredth_of_a_square_metre_is_nothing(scene):
    # the plot reaches 1e-9 degrees (0.1 mm) into a lost cell of 27.6 m: 3e-7 ha; ten times as much is a detection
    scene.loss("glad", (20, 10, 21, 11, 22)).loss("b", (20, 10, 21, 11, 22))
    row = scene.one(box(X0 + 10 * D, Y0 - 11 * D, X0 + 20 * D + 1e-9, Y0 - 10 * D))
    assert row["detected_area"] == 0 and verdict(row) == ("no detection", "no deforestation")
    assert row["system_defor"]["glad"]["2022"] == 0 and row["deforestation_start"] is None and row["agreement"]["all"] == 0
    row = scene.one(box(X0 + 10 * D, Y0 - 11 * D, X0 + 20 * D + 1e-8, Y0 - 10 * D))
    assert row["detected_area"] == pytest.approx(ha(10) * 1e-8 / D, rel=1e-6)
    assert row["deforestation_alert"] == "non-critical"


# shapes


def test_plot_smaller_than_a_cell(scene):
    scene.loss("glad", (10, 10, 11, 11, 22)).loss("b", (10, 10, 11, 11, 22))
    plot = cells(10.2, 10.3, 10.9, 10.8)  # 0.7 x 0.5 of a lost cell
    row = scene.one(plot)
    assert row["detected_area"] == near(0.35 * ha(10)) and row["noncompliance_area_perc"] == pytest.approx(1, abs=1e-6)
    assert verdict(row) == ("medium", "critical") and row["valid_fraction"] == pytest.approx(1, abs=1e-9)


def test_plot_across_tile_edges(tmp_path):
    # tiles of 16 x 16 in the file, and two files side by side: the plot lies on all of them
    scene = Scene(tmp_path).forest(tile=16)
    for number, part in enumerate((field(0, (15, 15, 17, 17, 22))[:, :16], field(0, (15, 15, 17, 17, 22))[:, 16:])):
        write_tif(tmp_path / f"glad_{number}.tif", part, X0 + 16 * number * D, Y0, D, nodata=255)
    scene.entries.append({"role": "glad", "source": "glad_*.tif", "encoding": LOSS_YEAR, "years": [2001, 2025]})
    row = scene.one(cells(12.5, 12.5, 20.5, 20.5))
    assert row["detected_area"] == near(block_ha(15, 15, 17, 17))
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9)


def test_horizontal_edges_inside_cells(scene):
    # rows 10.3 to 12.8: row 10 counts 0.7, row 12 counts 0.8; the interior of those rows is crossed by no other edge
    scene.loss("glad", (0, 0, N, N, 22))
    row = scene.one(cells(5.5, 10.3, 25.25, 12.8))
    assert row["detected_area"] == near(19.75 * (0.7 * ha(10) + ha(11) + 0.8 * ha(12)))
    assert row["forest_area"] == near(row["detected_area"])


def test_hole(scene):
    # the loss lies in the hole but for its left half column: 0.5 x 4 cells
    scene.loss("glad", (14, 14, 18, 18, 22)).loss("b", (14, 14, 18, 18, 22))
    row = scene.one(Polygon(PLOT.exterior.coords, [cells(14.5, 13, 19, 19).exterior.coords]))
    assert row["detected_area"] == near(0.5 * block_ha(14, 14, 15, 18))
    assert row["forest_area"] == near(block_ha(10, 10, 20, 20) - 4.5 * block_ha(0, 13, 1, 19))


def test_antimeridian(tmp_path):
    # a mosaic on both sides of 180: lost on the eastern half (west longitudes) only
    scene = Scene(tmp_path)
    for side, x0 in (("e", 180 - 10 * D), ("w", -180.0)):
        write_tif(tmp_path / f"forest_{side}.tif", np.ones((10, 10), "uint8"), x0, Y0, D)
        write_tif(tmp_path / f"glad_{side}.tif", np.full((10, 10), 22 if side == "w" else 0, "uint8"), x0, Y0, D)
    scene.entries += [
        {"role": "forest_2020", "source": "forest_*.tif", "encoding": {"kind": "mask", "values": [1], "none": [0]}, "year": 2020},
        {"role": "glad", "source": "glad_*.tif", "encoding": LOSS_YEAR, "years": [2001, 2025]},
    ]
    plot = MultiPolygon([box(180 - 5 * D, Y0 - 8 * D, 180, Y0 - 2 * D), box(-180, Y0 - 8 * D, -180 + 5 * D, Y0 - 2 * D)])
    row = scene.one(plot)
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9)
    assert row["detected_area"] == near(block_ha(0, 2, 5, 8)) and row["forest_area"] == near(2 * row["detected_area"])


@pytest.mark.parametrize("flags", [(), ("area_assumed",)])
def test_point_with_and_without_an_area(scene, flags):
    # staging makes the circle and says whether its area was declared; the check hands the assumption on
    plot = Point(X0 + 15 * D, Y0 - 15 * D).buffer(4 * D, 16)
    row = scene.loss("glad").one(plot, flags=flags)
    assert ("area_assumed" in codes(row)) == bool(flags)
    if flags:
        assert why(row, "area_assumed") == {"area_ha": pytest.approx(geodesic_ha(plot))}


# yearly series


def covers(*values):
    """Yearly landscapes from 2020 on, the block (10..14, 10..14) holding one class per year on undisturbed forest."""
    return {2020 + k: field(1, (10, 10, 14, 14, value)) for k, value in enumerate(values)}


@pytest.mark.parametrize(
    ("classes", "year"),
    [
        ((1, 3, 3, 3, 3, 3), 2021),
        ((1, 1, 1, 3, 3, 3), 2023),
        ((1, 1, 1, 1, 1, 3), 2025),  # the last year: no later one to ask
        ((1, 3, 1, 1, 1, 1), None),  # flickers: forest again the year after
        ((1, 3, 1, 3, 3, 1), 2023),  # the first loss that lasts two years
        ((1, 2, 3, 3, 3, 3), 2022),  # degraded forest is forest
        ((1, 4, 4, 4, 4, 4), 2021),  # regrowth is not forest
        ((1, 3, 4, 4, 4, 4), 2021),
        ((4, 3, 3, 3, 3, 3), None),  # was no forest
        ((1, 3, 2, 3, 3, 3), 2023),
        ((1, 1, 0, 3, 3, 3), None),  # nobody knows 2022: in 2023 the year before is unknown
        ((1, 3, 0, 1, 1, 1), 2021),  # the next bound year has no data: nothing speaks against the loss
        ((2, 2, 2, 2, 5, 5), 2024),
        ((1, 6, 6, 6, 6, 6), 2021),
    ],
)
def test_loss_of_a_series(scene, classes, year):
    row = scene.series("tmf", covers(*classes)).one(PLOT)
    lost = {y: area for y, area in annual(row).items() if area}
    assert lost == ({} if year is None else {year: near(block_ha(10, 10, 14, 14))})


@pytest.mark.parametrize(("persistence", "year"), [(1, 2021), (2, None), (3, None)])
def test_persistence_setting(scene, persistence, year):
    scene.series("tmf", covers(1, 3, 1, 1, 1, 1))
    assert {y for y, area in annual(scene.one(PLOT, persistence_years=persistence)).items() if area} == ({year} if year else set())


def test_persistence_of_three_years(scene):
    scene.series("tmf", covers(1, 3, 3, 1, 1, 1))
    assert {y for y, area in annual(scene.one(PLOT)).items() if area} == {2021}
    assert scene.one(PLOT, persistence_years=3)["detected_area"] == 0


def test_persistence_asks_only_within_the_window(scene):
    # forest again in 2023, after the window's end: not known in the window
    scene.series("tmf", covers(1, 1, 3, 1, 1, 1))
    assert {y for y, area in annual(scene.one(PLOT, end="2022-12-31")).items() if area} == {2022}
    assert scene.one(PLOT, end="2023-03-01")["detected_area"] == 0


def test_series_with_a_year_left_out(scene):
    # 2022 is not bound: 2022 and 2023 are not covered; the loss of 2021 lasts in the next bound year, 2023
    years = covers(1, 3, 1, 3, 3, 3)
    del years[2022]
    row = scene.series("tmf", years).one(PLOT)
    assert annual(row) == {2021: near(block_ha(10, 10, 14, 14)), 2022: None, 2023: None, 2024: 0.0, 2025: 0.0}
    assert row["assessed_end"] == dt.date(2021, 12, 31)


def test_dynamic_world_forest_is_class_one(scene):
    # Dynamic World numbers trees 1, flooded vegetation 3; 0 is water, an answer
    scene.series("dynamic_world", covers(1, 0, 0, 0, 0, 0), COVER, 255)
    row = scene.one(PLOT)
    assert annual(row)[2021] == near(block_ha(10, 10, 14, 14)) and row["tmf_degraded_ha"] is None


def test_degradation_is_no_deforestation(scene):
    scene.series("tmf", covers(1, 1, 2, 2, 2, 2)).loss("glad")
    row = scene.one(PLOT)
    assert row["tmf_degraded_ha"] == near(block_ha(10, 10, 14, 14))
    assert verdict(row) == ("no detection", "no deforestation") and row["detected_area"] == 0
    assert row["overlap"]["tmf_forest"] == near(block_ha(10, 10, 20, 20))  # classes 1 and 2 of 2020


def test_degradation_before_the_window_or_of_another_kind(scene):
    scene.series("tmf", {**covers(2, 2, 2, 2, 2, 2), 2019: field(1)})
    assert scene.one(PLOT)["tmf_degraded_ha"] == 0  # degraded in 2020
    assert scene.one(PLOT, start="2019-12-31")["tmf_degraded_ha"] == near(block_ha(10, 10, 14, 14))


def test_forest_classes_of_the_entry_are_followed(scene):
    # an entry that calls only undisturbed forest forest: class 2 is a loss then, and nothing is called degraded
    scene.series("tmf", covers(1, 1, 2, 2, 2, 2), {"kind": "classes", "forest": [1]})
    row = scene.one(PLOT)
    assert annual(row)[2022] == near(block_ha(10, 10, 14, 14)) and row["tmf_degraded_ha"] is None


def test_tmf_forest_of_2020(scene):
    scene.series("tmf", covers(3, 3, 3, 3, 3, 3))
    assert scene.one(PLOT)["overlap"]["tmf_forest"] == near(block_ha(10, 10, 20, 20) - block_ha(10, 10, 14, 14))


def test_jrc_forest_is_the_baseline_only_where_that_is_a_jrc_layer(tmp_path):
    scene = Scene(tmp_path).forest((10, 10, 12, 20, 0)).loss("glad")
    assert scene.one(PLOT)["overlap"]["jrc_forest"] is None
    del scene.entries[0]["encoding"]
    scene.entries[0]["profile"] = "jrc_gfc2020_v3"
    row = scene.one(PLOT)
    assert row["overlap"]["jrc_forest"] == row["forest_area"] == near(block_ha(12, 10, 20, 20))


# dates and windows


def yyddd(day):
    day = dt.date.fromisoformat(day)
    return (day.year - 2000) * 1000 + day.timetuple().tm_yday


@pytest.mark.parametrize(
    ("day", "year"),
    [("2020-12-31", None), ("2021-01-01", 2021), ("2021-12-31", 2021), ("2023-06-30", 2023), ("2023-07-01", None), ("2024-02-29", None)],
)
def test_alerts_at_the_ends_of_the_window(scene, day, year):
    scene.alerts((10, 10, 12, 12, yyddd(day)))
    row = scene.one(PLOT, end="2023-06-30")
    assert {y for y, area in annual(row).items() if area} == ({year} if year else set())
    assert sorted(annual(row)) == [2021, 2022, 2023]


def test_window_that_starts_inside_a_year(scene):
    # 2021-06-30 .. 2023-12-31: 2021 counts as a year; an alert of June 2021 lies outside, one of July inside; Hansen's 2021 counts
    scene.alerts((10, 10, 12, 12, yyddd("2021-06-30")), (14, 10, 16, 12, yyddd("2021-07-01"))).loss("glad", (17, 10, 18, 12, 21))
    row = scene.one(PLOT, start="2021-06-30", end="2023-12-31")
    assert row["system_defor"]["radd"]["2021"] == near(block_ha(14, 10, 16, 12))
    assert row["system_defor"]["glad"]["2021"] == near(block_ha(17, 10, 18, 12))
    assert sorted(annual(row)) == [2021, 2022, 2023]


@pytest.mark.parametrize(("start", "end", "years"), [
    ("2020-12-31", "2025-12-31", [2021, 2022, 2023, 2024, 2025]),
    ("2020-12-30", "2021-01-01", [2020, 2021]),
    ("2021-12-31", "2022-01-01", [2022]),
    ("2017-12-31", "2019-05-01", [2018, 2019]),
])  # fmt: skip
def test_counted_years_of_other_windows(scene, start, end, years):
    scene.loss("glad", (10, 10, 12, 12, 18), (13, 10, 15, 12, 22))
    row = scene.one(PLOT, start=start, end=end)
    assert sorted(annual(row)) == years
    wanted = {18: block_ha(10, 10, 12, 12), 22: block_ha(13, 10, 15, 12)}
    assert row["detected_area"] == near(sum(area for year, area in wanted.items() if 2000 + year in years))
    assert row["monitoring_start"].isoformat() == start and row["monitoring_end"].isoformat() == end


def test_window_before_the_cut_off_and_boundary_year(scene):
    scene.loss("glad", (10, 10, 12, 12, 20), (13, 10, 15, 12, 21))
    assert "boundary_year" in codes(scene.one(PLOT))  # 2021 alone counts
    assert "boundary_year" not in codes(scene.one(PLOT, start="2018-12-31"))  # 2020 and 2021


def test_until_inside_a_year(scene):
    scene.alerts(until="2024-04-30")
    row = scene.one(PLOT)
    assert row["assessed_end"] == dt.date(2024, 4, 30)
    assert annual(row) == {2021: 0.0, 2022: 0.0, 2023: 0.0, 2024: 0.0, 2025: None}
    assert {"year_partly_covered:2024", "year_not_covered:2025"} <= codes(row)
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9)
    # a yearly system that covers 2024 to its end takes over
    row = scene.loss("glad", years=(2001, 2024)).one(PLOT)
    assert row["assessed_end"] == dt.date(2024, 12, 31) and "year_partly_covered:2024" not in codes(row)


def test_until_after_the_windows_end(scene):
    row = scene.alerts(until="2024-04-30").one(PLOT, end="2024-03-31")
    assert row["assessed_end"] == dt.date(2024, 3, 31) and not {c for c in codes(row) if c.startswith("year_")}


def test_long_windows(scene):
    scene.loss("glad", (10, 10, 12, 12, 1), (13, 10, 15, 12, 22))
    row = scene.one(PLOT, start="1965-12-31")  # 1966 to 2025: 60 years
    assert {y for y, area in annual(row).items() if area} == {2001, 2022}
    assert annual(row)[1990] is None and row["assessed_end"] is None
    with pytest.raises(InputError, match="61 years"):
        scene.one(PLOT, start="1964-12-31")


# reasons and the deciding area


def test_below_min_area(scene):
    # 0.1 x 1 of a lost cell: 0.0077 ha, under 0.01, whatever the columns say
    scene.loss("glad", (20, 10, 21, 11, 22)).loss("b", (20, 10, 21, 11, 22)).yes("wdpa", (0, 0, N, N))
    row = scene.one(cells(10, 10, 20.1, 11))
    assert verdict(row) == ("medium", "non-critical") and row["noncompliance_area"] == 0
    assert why(row, "below_min_area") == {"deciding_ha": near(0.1 * ha(10)), "minimum_ha": 0.01}
    assert verdict(scene.one(cells(10, 10, 20.15, 11))) == ("medium", "critical")  # 0.0115 ha


def test_edge_only(scene):
    # columns up to 20.4: the centre of the lost cell, 20.5, is outside
    scene.loss("glad", (20, 10, 21, 12, 22)).loss("b", (20, 10, 21, 12, 22))
    plot = cells(10, 10, 20.4, 12)
    row = scene.one(plot)
    lost = 0.4 * block_ha(20, 10, 21, 12)
    assert verdict(row) == ("medium", "critical") and row["noncompliance_area"] == near(lost)
    assert why(row, "edge_only") == {"share": pytest.approx(lost / geodesic_ha(plot), rel=1e-6)}
    assert "edge_only" not in codes(scene.one(cells(10, 10, 20.6, 12)))


def test_edge_only_asks_for_the_deciding_area(scene):
    # the consensus lies at the edge, what one system alone sees lies inside: D is the consensus
    scene.loss("glad", (20, 10, 21, 12, 22), (12, 10, 13, 11, 22)).loss("b", (20, 10, 21, 12, 22))
    row = scene.one(cells(10, 10, 20.4, 12))
    assert row["deforestation_confidence"] == "medium" and "edge_only" in codes(row)


def test_long_edges(tmp_path):
    # 2 degrees along a parallel at 50 north: the straight line in degrees and the geodesic enclose different areas
    scene = Scene(tmp_path)
    for role, value, keys in (("forest_2020", 1, {"year": 2020}), ("glad", 0, {"years": [2001, 2025]})):
        write_tif(tmp_path / f"{role}.tif", np.full((400, 400), value, "uint8"), 20.0, 52.0, 0.01)
        encoding = {"kind": "mask", "values": [1]} if role == "forest_2020" else LOSS_YEAR
        scene.entries.append({"role": role, "source": f"{role}.tif", "encoding": encoding, **keys})
    long, short = scene.check(Polygon([(20.5, 50), (22.5, 50), (22.5, 50.2)]), box(20.5, 50, 20.501, 50.001))
    assert abs(why(long, "long_edges")["ratio"] - 1) > 1e-4
    assert "long_edges" not in codes(short)


def test_commodity_of_2024_never_excuses_a_clearing_of_2021(scene):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21)).yes("cocoa", (10, 10, 20, 20), year=2024)
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "critical") and row["noncompliance_area"] == near(block_ha(10, 10, 14, 14))
    assert "commodity_undated:cocoa" in codes(row)
    assert row["overlap"]["cocoa"] == near(block_ha(10, 10, 20, 20))
    assert scene.one(PLOT, end="2023-12-31")["overlap"]["cocoa"] is None  # newer than the window


def test_commodity_of_2020_is_rotation(scene):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21)).yes("cocoa", (10, 10, 20, 20), year=2020)
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "non-critical") and row["noncompliance_area"] == 0
    assert "commodity_undated:cocoa" not in codes(row)


def test_commodity_without_a_year(scene):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21)).yes("cocoa", (10, 10, 20, 20), year=None)
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "critical") and "commodity_undated:cocoa" in codes(row)


def test_older_layer_beside_a_newer_one(scene):
    # cocoa of 2020 under the clearing excuses; the overlap is that of the newest not later than the window's end
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21))
    for year, block in ((2020, (10, 10, 14, 14, 1)), (2023, (10, 10, 16, 16, 1)), (2026, (10, 10, 18, 18, 1))):
        write_tif(scene.folder / f"cocoa_{year}.tif", field(0, block), X0, Y0, D)
    sources = {str(year): f"cocoa_{year}.tif" for year in (2020, 2023, 2026)}
    scene.entries.append({"role": "cocoa", "sources": sources, "encoding": {"kind": "mask", "values": [1]}})
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "non-critical") and row["overlap"]["cocoa"] == near(block_ha(10, 10, 16, 16))
    assert "commodity_undated:cocoa" not in codes(row)


@pytest.mark.parametrize(
    ("crops", "alert"),
    [
        ({"cocoa": (10, 10, 12, 14)}, "critical"),  # half of D is not more than half
        ({"cocoa": (10, 10, 13, 14)}, "non-critical"),
        ({"cocoa": (10, 10, 12, 14), "palm": (12, 10, 13, 14)}, "non-critical"),  # together, in their union
        ({"cocoa": (10, 10, 12, 14), "palm": (10, 10, 12, 14)}, "critical"),  # the same cells count once
        ({"soy": (10, 10, 14, 14), "cattle": (10, 10, 14, 14)}, "critical"),  # never excuse
        ({"rubber": (10, 10, 14, 14)}, "non-critical"),
        ({"coffee": (10, 10, 14, 14)}, "non-critical"),
        ({"timber": (10, 10, 14, 14)}, "non-critical"),
    ],
)
def test_rotation(scene, crops, alert):
    scene.loss("glad", (10, 10, 14, 14, 21)).loss("b", (10, 10, 14, 14, 21))
    for role, block in crops.items():
        scene.yes(role, block)
    row = scene.one(PLOT)
    assert row["deforestation_alert"] == alert
    for role, block in crops.items():
        assert row["overlap"][role] == near(block_ha(*block))


def test_rotation_is_a_share_of_the_deciding_area(scene):
    # D = C = columns 10-11; glad alone sees 12-15 too, all of it in cocoa: that does not make the consensus rotation
    scene.loss("glad", (10, 10, 16, 14, 22)).loss("b", (10, 10, 12, 14, 22)).yes("cocoa", (12, 10, 16, 14))
    assert verdict(scene.one(PLOT)) == ("medium", "critical")


@pytest.mark.parametrize("role", ["wdpa", "natural_forest"])
@pytest.mark.parametrize(("columns", "alert"), [(0.1, "non-critical"), (0.2, "critical")])
def test_protected_area_beats_rotation(tmp_path, role, columns, alert):
    # the lost column 20 reaches `columns` into the plot and is protected, 10-13 are rotation: 0.0077 or 0.0153 ha of D are protected
    scene = Scene(tmp_path).forest().loss("glad", (10, 10, 14, 11, 22), (20, 10, 21, 11, 22)).loss("b", (10, 10, 14, 11, 22), (20, 10, 21, 11, 22))
    scene.yes("cocoa", (0, 0, N, N)).yes(role, (20, 10, 21, 11))
    row = scene.one(cells(10, 10, 20 + columns, 11))
    assert row["deforestation_alert"] == alert
    assert row["noncompliance_area"] == near((4 + columns) * ha(10) if alert == "critical" else 0)
    assert row["overlap"][role] == near(columns * ha(10))


@pytest.mark.parametrize("role", ["wdpa_mandate", "jrc_forest", "tmf_forest", "cattle"])
def test_layers_that_do_not_decide(scene, role):
    scene.loss("glad", (10, 10, 14, 14, 22)).loss("b", (10, 10, 14, 14, 22)).yes("cocoa", (0, 0, N, N)).yes(role, (0, 0, N, N))
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "non-critical") and row["overlap"][role] == near(block_ha(10, 10, 20, 20))


# every cell of the alert matrix

CELL = ha(12)  # 0.0765 ha; seven cells are 0.536 ha, six 0.459 ha
# block of D, and the plot around it: 6 cells in 100 (below both limits), 7 cells in 100 (above 0.5 ha), 6 cells in 11 (above half of the plot)
SMALL, LARGE, SHARE = ((10, 12, 16, 13), PLOT), ((10, 12, 17, 13), PLOT), ((10, 12, 16, 13), cells(10, 12, 21, 13))
MATRIX = [
    # confidence, column that applies, D, alert
    ("high", "protected", SMALL, "critical"),
    ("high", "rotation", SMALL, "non-critical"),
    ("high", "otherwise", SMALL, "critical"),
    ("high", "protected and rotation", SMALL, "critical"),
    ("medium", "protected", SMALL, "critical"),
    ("medium", "rotation", LARGE, "non-critical"),
    ("medium", "otherwise", SMALL, "critical"),
    ("medium", "protected and rotation", LARGE, "critical"),
    ("low", "protected", SMALL, "critical"),
    ("low", "rotation", SMALL, "non-critical"),
    ("low", "rotation", LARGE, "non-critical"),
    ("low", "rotation", SHARE, "non-critical"),
    ("low", "protected and rotation", SMALL, "critical"),
    ("low", "otherwise", SMALL, "non-critical"),
    ("low", "otherwise", LARGE, "critical"),
    ("low", "otherwise", SHARE, "critical"),
]


@pytest.mark.parametrize(("confidence", "column", "size", "alert"), MATRIX)
def test_alert_matrix(scene, confidence, column, size, alert):
    (c0, r0, c1, r1), plot = size
    flagging = {"high": ("glad", "b", "c"), "medium": ("glad", "b"), "low": ("glad",)}[confidence]
    for role in ("glad", "b", "c"):
        scene.loss(role, *(((c0, r0, c1, r1, 23),) if role in flagging else ()))
    scene.yes("natural_forest").yes("wdpa", *(((c0, r0, c1, r1),) if "protected" in column else ()))
    scene.yes("coffee", *(((c0, r0, c1, r1),) if "rotation" in column else ()))
    row = scene.one(plot)
    area = (c1 - c0) * CELL
    assert verdict(row) == (confidence, alert)
    assert row["noncompliance_area"] == near(area if alert == "critical" else 0)
    assert row["noncompliance_area_perc"] == near(area / geodesic_ha(plot) if alert == "critical" else 0)
    assert row["detected_area"] == near(area) and row["valid_fraction"] == pytest.approx(1, abs=1e-9)
    assert codes(row) == set()


@pytest.mark.parametrize(
    ("setting", "alert"),
    [
        ({"low_critical_ha": 0.53}, "critical"),
        ({"low_critical_ha": 0.54}, "non-critical"),
        ({"low_critical_ha": 0.54, "low_critical_share": 0.069}, "critical"),
        ({"low_critical_ha": 0.54, "low_critical_share": 0.071}, "non-critical"),
    ],
)
def test_limits_of_low_confidence(scene, setting, alert):
    # 7 cells: 0.5356 ha, 7 % of the plot
    scene.loss("glad", (10, 12, 17, 13, 23)).loss("b")
    assert verdict(scene.one(PLOT, **setting)) == ("low", alert)


def test_column_order_of_three_kinds_of_cells(scene):
    # low confidence, D = U = 12 cells: 1 protected (0.0765 ha) is enough, although 11 of 12 are rotation
    scene.loss("glad", (10, 10, 16, 12, 22)).loss("b").yes("wdpa", (10, 10, 11, 11)).yes("palm", (11, 10, 16, 12), (10, 11, 11, 12))
    assert verdict(scene.one(PLOT)) == ("low", "critical")


def test_tmf_role_with_classes_or_with_loss_years(scene):
    scene.loss("tmf", (10, 10, 12, 12, 22)).loss("glad", (10, 10, 12, 12, 22))
    row = scene.one(PLOT)
    assert row["agreement"]["tmf"] == near(1) and row["tmf_degraded_ha"] is None and row["overlap"]["tmf_forest"] is None


@pytest.mark.parametrize("role", ["forest_2020", "tmf", "cocoa"])
def test_a_mask_that_would_be_passed_over_is_refused(scene, role):
    scene.loss("glad").series("tmf", covers(1, 1)).yes("cocoa")
    write_tif(scene.folder / "mask.tif", field(1), X0, Y0, D)
    next(entry for entry in scene.entries if entry["role"] == role)["mask"] = {"source": "mask.tif", "min": 1}
    with pytest.raises(DatasetError, match="'mask'"):
        scene.one(PLOT)


def test_a_series_and_a_loss_year_layer_agree(scene):
    scene.series("tmf", covers(1, 3, 3, 3, 3, 3)).loss("glad", (10, 10, 14, 14, 21))
    row = scene.one(PLOT)
    assert verdict(row) == ("medium", "critical") and row["agreement"]["all"] == near(1)
