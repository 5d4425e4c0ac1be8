"""Union, consensus, confidence and years of METHODS section 3; every expectation is worked out beside its test."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from shapely.geometry import box

from tests.core.deforestation_scene import PLOT, X0, Y0, D, N, Scene, annual, block_ha, cells, codes, field, ha, near, verdict


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path).forest()


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
