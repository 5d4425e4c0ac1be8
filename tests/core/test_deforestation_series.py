"""Yearly series: loss, persistence, forest and degradation classes, beside loss years; every expectation is worked out beside its test."""

from __future__ import annotations

import datetime as dt

import pytest

from epoch_plugin.core.errors import DatasetError
from tests.core.deforestation_scene import COVER, PLOT, X0, Y0, D, Scene, annual, block_ha, field, near, verdict
from tests.core.raster_files import write_tif


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path).forest()


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
