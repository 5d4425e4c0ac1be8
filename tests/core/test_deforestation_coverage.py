"""What was seen and what was not: no data, records, gaps, missing layers. Every expectation is worked out beside its test."""

from __future__ import annotations

import datetime as dt

import pytest
from shapely.affinity import translate

from epoch_plugin.core.errors import DatasetError
from tests.core.deforestation_scene import (
    CONTEXT_MISSING,
    COVER,
    LOSS_YEAR,
    PLOT,
    X0,
    Y0,
    YES_NO,
    D,
    N,
    Scene,
    annual,
    block_ha,
    cells,
    codes,
    field,
    geodesic_ha,
    why,
)
from tests.core.raster_files import write_tif

YEARS = range(2021, 2026)
NEVER = {f"year_not_covered:{year}" for year in YEARS}


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def assert_nothing_known(row):
    """No claim of any kind: all statements and areas are null."""
    for name in (
        "deforestation_alert", "deforestation_confidence", "noncompliance_area", "noncompliance_area_perc", "detected_area",
        "uncertainty_rrmse", "deforestation_start", "deforestation_end",
    ):  # fmt: skip
        assert row[name] is None, name
    assert set(row["annual_defor"].values()) == {None}
    assert set(row["agreement"].values()) == {None}
    assert {area for system in row["system_defor"].values() for area in system.values()} <= {None}
    assert row["valid_fraction"] == 0
    assert "not_assessed:coverage" in codes(row)


@pytest.mark.parametrize("away", [0.05, 3.0, 60.0])
def test_outside_all_rasters(scene, away):
    scene.forest().loss("glad").yes("wdpa", (0, 0, N, N))
    row = scene.one(translate(PLOT, away, -away / 10))
    assert_nothing_known(row)
    assert row["assessed_end"] is None and row["forest_area"] is None
    assert set(row["overlap"].values()) == {None}
    assert row["coverage"] == {"forest_2020": 0.0, "glad": 0.0, "wdpa": 0.0}
    assert codes(row) >= {"not_assessed:coverage", *NEVER, *CONTEXT_MISSING}


def test_baseline_without_data(scene):
    # the systems looked, but nobody knows whether there was forest: no area is 0, all are unknown
    scene.forest((10, 10, 20, 20, 255)).loss("glad", (10, 10, 15, 20, 23)).loss("other")
    row = scene.one(PLOT)
    assert_nothing_known(row)
    assert row["forest_area"] is None and row["coverage"]["forest_2020"] == 0
    assert row["coverage"]["glad"] == pytest.approx(1, abs=1e-9)
    assert row["assessed_end"] == dt.date(2025, 12, 31)  # METHODS 2 asks for the systems' records only


def test_systems_without_data(scene):
    scene.forest().loss("glad", values=field(255), nodata=255)
    row = scene.one(PLOT)
    assert_nothing_known(row)
    assert row["assessed_end"] is None
    assert codes(row) >= NEVER
    assert row["forest_area"] == pytest.approx(block_ha(10, 10, 20, 20), rel=1e-7)  # areas seen are still reported


def test_baseline_and_systems_that_nowhere_overlap(scene):
    # left half has the baseline, right half the systems: nowhere could a loss of forest be seen
    scene.forest((15, 0, N, N, 255)).loss("glad", values=field(255, (15, 0, N, N, 0)), nodata=255)
    row = scene.one(PLOT)
    assert_nothing_known(row)
    assert row["forest_area"] == pytest.approx(block_ha(10, 10, 15, 20), rel=1e-7)


def test_sixty_percent_covered_and_no_detection(scene):
    # baseline on columns 10-15 of 10-19: 6 of 10
    scene.forest((16, 0, N, N, 255)).loss("glad").loss("other")
    row = scene.one(PLOT)
    assert row["valid_fraction"] == pytest.approx(0.6, abs=1e-9)
    assert why(row, "not_assessed:coverage") == {"valid_fraction": pytest.approx(0.6), "minimum": 0.95}
    assert row["deforestation_alert"] is None and row["deforestation_confidence"] is None and row["noncompliance_area"] is None
    assert row["noncompliance_area_perc"] is None
    assert row["detected_area"] == 0 and set(annual(row).values()) == {0.0}  # of what was seen: looked, found none
    assert row["forest_area"] == pytest.approx(block_ha(10, 10, 16, 20), rel=1e-7)
    assert row["assessed_end"] == dt.date(2025, 12, 31)


def test_sixty_percent_covered_with_detection(scene):
    # a detection counts whatever was seen: 2 of the 6 columns seen, both systems
    scene.forest((16, 0, N, N, 255)).loss("glad", (10, 10, 12, 20, 22)).loss("other", (10, 10, 12, 20, 22))
    row = scene.one(PLOT)
    lost = block_ha(10, 10, 12, 20)
    assert (row["deforestation_confidence"], row["deforestation_alert"]) == ("medium", "critical")
    assert row["noncompliance_area"] == pytest.approx(lost, rel=1e-7)
    assert row["noncompliance_area_perc"] == pytest.approx(lost / geodesic_ha(PLOT), rel=1e-9)
    assert "not_assessed:coverage" in codes(row) and row["valid_fraction"] == pytest.approx(0.6, abs=1e-9)


def test_sixty_percent_covered_and_a_detection_that_is_not_critical(scene):
    # rotation on all of it: non-critical, but what lies in the rest is unknown, so the area is null and not 0
    scene.forest((16, 0, N, N, 255)).loss("glad", (10, 10, 12, 20, 22)).loss("other", (10, 10, 12, 20, 22)).yes("cocoa", (10, 10, 12, 20))
    row = scene.one(PLOT)
    assert row["deforestation_alert"] == "non-critical" and row["deforestation_confidence"] == "medium"
    assert row["noncompliance_area"] is None and row["noncompliance_area_perc"] is None
    assert row["detected_area"] == pytest.approx(block_ha(10, 10, 12, 20), rel=1e-7)


def test_valid_fraction_needs_some_system_each_year_not_the_same(scene):
    # glad knows all years on the left 6 columns, other on the right 5: together everywhere, with one column twice
    scene.forest().loss("glad", values=field(0, (16, 0, N, N, 255))).loss("other", values=field(0, (0, 0, 15, N, 255)))
    row = scene.one(PLOT)
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9)
    assert row["coverage"]["glad"] == pytest.approx(0.6, abs=1e-9) and row["coverage"]["other"] == pytest.approx(0.5, abs=1e-9)
    assert row["deforestation_alert"] == "no deforestation" and row["noncompliance_area"] == 0
    # neither covers 95 % of the plot in any year, so no error can be given
    assert set(annual(row, "defor_ha_rmse").values()) == {None} and row["uncertainty_rrmse"] is None


def test_valid_fraction_breaks_where_no_system_covers_one_year(scene):
    # glad ends 2023 everywhere; other covers 2024 and 2025 on 8 of 10 columns: the run reaches 2025, seen by 80 % in each year
    scene.forest().loss("glad", years=(2001, 2023)).loss("other", values=field(0, (18, 0, N, N, 255)), years=(2024, 2025))
    row = scene.one(PLOT)
    assert row["assessed_end"] == dt.date(2025, 12, 31)
    assert row["valid_fraction"] == pytest.approx(0.8, abs=1e-9)
    assert row["deforestation_alert"] is None


def test_years_beyond_a_record(scene):
    scene.forest().loss("glad", years=(2001, 2023)).loss("other", years=(2001, 2022))
    row = scene.one(PLOT)
    assert annual(row) == {2021: 0.0, 2022: 0.0, 2023: 0.0, 2024: None, 2025: None}
    assert annual(row, "defor_ha_rmse") == {2021: 0.0, 2022: 0.0, 2023: None, 2024: None, 2025: None}  # from 2023 on one system
    assert row["system_defor"]["other"] == {"2021": 0.0, "2022": 0.0, "2023": None, "2024": None, "2025": None}
    assert row["assessed_end"] == dt.date(2023, 12, 31)
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9)
    assert row["deforestation_alert"] == "no deforestation" and row["noncompliance_area"] == 0
    assert {"year_not_covered:2024", "year_not_covered:2025"} == {code for code in codes(row) if code.startswith("year_not")}


def test_unbroken_run_ends_at_the_first_year_that_nobody_covers(scene):
    scene.forest().loss("glad", years=(2001, 2022)).loss("other", years=(2024, 2025))
    row = scene.one(PLOT)
    assert row["assessed_end"] == dt.date(2022, 12, 31)
    assert annual(row) == {2021: 0.0, 2022: 0.0, 2023: None, 2024: 0.0, 2025: 0.0}


def test_first_year_not_covered(scene):
    # a series that starts with 2022 can speak for 2023 at the earliest
    scene.forest().series("tmf", {year: field(1) for year in (2022, 2023, 2024, 2025)})
    row = scene.one(PLOT)
    assert row["assessed_end"] is None and row["valid_fraction"] == 0
    assert annual(row) == {2021: None, 2022: None, 2023: 0.0, 2024: 0.0, 2025: 0.0}
    assert row["deforestation_alert"] is None


@pytest.mark.parametrize("years", [(2016, 2017), (2020,), (2025,)])
def test_series_that_covers_no_counted_year(scene, years):
    scene.forest().loss("glad").series("dynamic_world", {year: field(1) for year in years}, COVER, 255)
    row = scene.one(PLOT)
    assert row["agreement"]["dynamic_world"] is None and row["agreement"]["all"] is None and row["agreement"]["glad"] == 0
    assert set(row["system_defor"]["dynamic_world"].values()) == {None}
    assert "single_system" in codes(row)
    assert row["deforestation_alert"] == "no deforestation"


def test_assessed_end_is_never_later_than_the_window(scene):
    scene.forest().loss("glad", years=(2001, 2025))
    assert scene.one(PLOT, end="2023-06-30")["assessed_end"] == dt.date(2023, 6, 30)


# nodata tags that could mean "no"


@pytest.mark.parametrize(("role", "encoding", "keys"), [
    ("forest_2020", {"kind": "mask", "values": [1]}, {"year": 2020}),
    ("glad", LOSS_YEAR, {"years": [2001, 2025]}),
    ("wdpa", {"kind": "mask", "values": [1]}, {}),
])  # fmt: skip
def test_a_tag_of_zero_is_refused_until_decided(scene, role, encoding, keys):
    scene.forest().loss("glad").yes("wdpa")
    scene.entries = [entry for entry in scene.entries if entry["role"] != role]
    scene.layer(role, field(0), encoding, nodata=0, **keys)
    with pytest.raises(DatasetError, match=r'"nodata": null.*"nodata": 0'):
        scene.one(PLOT)


def test_a_tag_of_zero_that_means_no_loss(scene):
    scene.forest()
    write_tif(scene.folder / "glad.tif", field(0, (10, 10, 12, 12, 22)), X0, Y0, D, nodata=0)
    scene.entries.append({"role": "glad", "source": "glad.tif", "encoding": LOSS_YEAR, "years": [2001, 2025], "nodata": None})
    row = scene.one(PLOT)
    assert row["valid_fraction"] == pytest.approx(1, abs=1e-9) and row["coverage"]["glad"] == pytest.approx(1, abs=1e-9)
    assert row["detected_area"] == pytest.approx(block_ha(10, 10, 12, 12), rel=1e-7)


def test_a_tag_of_zero_that_means_not_seen(scene):
    scene.forest()
    write_tif(scene.folder / "glad.tif", field(0, (10, 10, 12, 12, 22)), X0, Y0, D, nodata=0)
    scene.entries.append({"role": "glad", "source": "glad.tif", "encoding": LOSS_YEAR, "years": [2001, 2025], "nodata": 0})
    row = scene.one(PLOT)
    assert row["valid_fraction"] == pytest.approx(0.04, abs=1e-6)  # 4 of 100 cells
    assert row["detected_area"] == pytest.approx(block_ha(10, 10, 12, 12), rel=1e-7)
    assert (row["deforestation_confidence"], row["deforestation_alert"]) == ("low", "non-critical")  # 0.3 ha by one system
    assert row["noncompliance_area"] is None


def test_a_profile_that_knows_that_zero_is_an_answer(scene):
    scene.forest()
    write_tif(scene.folder / "Hansen_GFC-2025-v1.13_lossyear_10N_010E.tif", field(0), X0, Y0, D, nodata=0)
    scene.entries.append({"role": "glad", "profile": "hansen_gfc", "source": "Hansen_GFC-2025-v1.13_lossyear_*.tif"})
    row = scene.one(PLOT)
    assert row["deforestation_alert"] == "no deforestation" and row["coverage"]["glad"] == pytest.approx(1, abs=1e-9)


# gaps, tiles, masks


def test_gap_between_tiles(scene):
    scene.forest()
    write_tif(scene.folder / "glad_1.tif", field(0)[:, :14], X0, Y0, D)
    write_tif(scene.folder / "glad_2.tif", field(0)[:, :20], X0 + 16 * D, Y0, D)
    scene.entries.append({"role": "glad", "source": "glad_*.tif", "encoding": LOSS_YEAR, "years": [2001, 2025]})
    inside, over = scene.check(cells(2, 2, 12, 12), PLOT)
    assert inside["deforestation_alert"] == "no deforestation" and inside["valid_fraction"] == pytest.approx(1, abs=1e-9)
    assert over["valid_fraction"] == pytest.approx(0.8, abs=1e-9)  # columns 14 and 15 of 10-19 are in no file
    assert over["deforestation_alert"] is None and over["noncompliance_area"] is None and over["detected_area"] == 0


@pytest.mark.parametrize("kind", ["mask", "alpha"])
def test_cells_that_the_file_masks(scene, kind):
    scene.forest().loss("glad", (10, 10, 11, 20, 22), **{kind: field(1, (10, 10, 13, 20, 0))}, nodata=None)
    row = scene.one(PLOT)
    assert row["valid_fraction"] == pytest.approx(0.7, abs=1e-9) and row["detected_area"] == 0  # the loss itself is masked


def with_treecover(scene, treecover, **keys):
    write_tif(scene.folder / "treecover.tif", treecover, X0, Y0, D, nodata=255)
    scene.entries[-1]["mask"] = {"source": "treecover.tif", "min": 10, **keys}
    return scene


def test_mask_of_the_entry(scene):
    # tree cover under 10 % on columns 10-11: no loss there; no data on column 12: nobody looked there
    scene.forest().loss("glad", (10, 10, 14, 20, 22))
    with_treecover(scene, field(80, (10, 0, 12, N, 9), (12, 0, 13, N, 255)))
    row = scene.one(PLOT)
    assert row["detected_area"] == pytest.approx(block_ha(13, 10, 14, 20), rel=1e-7)
    assert row["valid_fraction"] == pytest.approx(0.9, abs=1e-9)


# layers that are not there


def test_no_baseline(scene):
    scene.loss("glad", (10, 10, 20, 20, 22)).yes("wdpa", (10, 10, 15, 20))
    row = scene.one(PLOT)
    assert_nothing_known(row)
    assert "missing_layer:forest_2020" in codes(row)
    assert row["forest_area"] is None and row["overlap"]["wdpa"] == pytest.approx(block_ha(10, 10, 15, 20), rel=1e-7)


def test_no_detection_system(scene):
    scene.forest().yes("wdpa", (10, 10, 15, 20))
    row = scene.one(PLOT)
    assert_nothing_known(row)
    assert "missing_layer:detection" in codes(row) and codes(row) >= NEVER
    assert row["system_defor"] == {} and row["assessed_end"] is None
    assert row["forest_area"] == pytest.approx(block_ha(10, 10, 20, 20), rel=1e-7)
    assert row["overlap"]["wdpa"] == pytest.approx(block_ha(10, 10, 15, 20), rel=1e-7)


def test_neither_baseline_nor_system(scene):
    scene.yes("cocoa", (10, 10, 15, 20))
    row = scene.one(PLOT)
    assert_nothing_known(row)
    assert codes(row) >= {"missing_layer:forest_2020", "missing_layer:detection"}
    assert row["overlap"]["cocoa"] == pytest.approx(block_ha(10, 10, 15, 20), rel=1e-7)


def test_missing_context(scene):
    # wdpa is bound, but has no data in the plot; natural_forest is not bound: neither column applies, both say so
    scene.forest().loss("glad", (10, 10, 12, 12, 22)).layer("wdpa", field(255), YES_NO)
    row = scene.one(PLOT)
    assert codes(row) >= CONTEXT_MISSING
    assert row["overlap"]["wdpa"] is None and row["overlap"]["natural_forest"] is None and row["overlap"]["cocoa"] is None
    assert row["coverage"]["wdpa"] == 0 and "natural_forest" not in row["coverage"]
    full = Scene(scene.folder).forest().loss("glad").yes("wdpa").yes("natural_forest").one(PLOT)
    assert not codes(full) & CONTEXT_MISSING
    assert full["overlap"]["wdpa"] == 0 and full["overlap"]["natural_forest"] == 0
