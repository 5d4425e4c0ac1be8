"""Dates and windows: which days and years count; every expectation is worked out beside its test."""

from __future__ import annotations

import datetime as dt

import pytest

from epoch_plugin.core.errors import InputError
from tests.core.deforestation_scene import PLOT, Scene, annual, block_ha, codes, near


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path).forest()


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
