"""The report's comparison on the sample: its figures are the planted ones added up, with the reference areas beside them."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import pytest

pytest.importorskip("osgeo.gdal")

from epoch_plugin.core.report.comparison import Comparison, Figure, _reference, comparison_lines
from epoch_plugin.core.report.html import page
from epoch_plugin.core.report.numbers import significant
from epoch_plugin.core.report.summary import Summary, summarise
from tests.core.sample_batch import SAMPLE, run_sample, staged_sample

LOOKS = {alert: (alert or "unknown", "#123456") for alert in ("critical", "non-critical", "no deforestation", "")}
STATISTICS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    store = staged_sample(tmp_path_factory.mktemp("comparison") / "store.gpkg")
    run_sample(store, datasets=SAMPLE / "datasets_all.json", stats=STATISTICS, end_date=dt.date(2025, 12, 31))
    return summarise(store, "vavoua")


@pytest.fixture(scope="module")
def truth() -> list[tuple[float, dict[str, Any]]]:
    """Area and planted rows of every plot."""
    areas, rows = (json.loads((SAMPLE / name).read_text(encoding="utf-8"))["plots"] for name in ("truth.json", "truth_all.json"))
    return [(areas[plotid]["area"], row) for plotid, row in rows.items()]


def _own(comparison: Comparison, label: str) -> str:
    return next(row.own for family in comparison.families for row in family.rows if row.label == label)


def test_emissions_are_the_planted_totals_over_the_assessed_area(summary: Summary, truth: list[tuple[float, dict[str, Any]]]) -> None:
    rows = [(area, row["luc_emissions"]) for area, row in truth if row["luc_emissions"]["luc_tco2eyear"] is not None]
    assessed = math.fsum(area * row["valid_fraction"] for area, row in rows)
    for part, label in (("luc", "land-use change"), ("biogenic", "other biomass"), ("removal", "removals therein")):
        total = math.fsum(row[f"{part}_tco2eyear"] for _, row in rows)
        assert _own(summary.comparison, f"{label}, tCO2e/ha/year") == significant(total / assessed)
    total, sd = (math.fsum(row[name] or 0.0 for _, row in rows) for name in ("luc_tco2eyear", "luc_uncertainty_sd"))
    assert _own(summary.comparison, "land-use change, tCO2e/year") == f"{significant(total)} (SD {significant(sd)})"


def test_biodiversity_and_water_are_area_weighted(summary: Summary, truth: list[tuple[float, dict[str, Any]]]) -> None:
    for statistic, field, label in (
        ("biodiversity", "diversity_score", "diversity score, 0 to 1"),
        ("water", "water_stress_index", "water stress, 0 to 5"),
        ("water", "precipitation_pet_ratio", "precipitation / evaporative demand"),
        ("water", "soil_moisture_percentile", "soil moisture, percentile"),
    ):
        known = [(area, row[statistic][field]) for area, row in truth if row[statistic][field] is not None]
        mean = math.fsum(area * value for area, value in known) / math.fsum(area for area, _ in known)
        assert _own(summary.comparison, label) == significant(mean), field


def test_lines_align_and_name_every_family_and_the_reference_area(summary: Summary) -> None:
    lines = comparison_lines(summary.comparison)
    assert [line for line in lines if line in ("Forest loss", "Biomass and emissions", "Biodiversity", "Water")] == [
        "Forest loss", "Biomass and emissions", "Biodiversity", "Water",
    ]  # fmt: skip
    head = lines[1]
    assert "other cocoa of 2020 between the plots" in head
    column = head.index("this collection")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines[1:] if len(line) > column)
    emissions = next(family for family in summary.comparison.families if family.statistic == "luc_emissions")
    assert emissions.notes[0] == "Losses of carbon are negative, gains positive. Stocks of 2020 and 2024."
    assert any(note.startswith("6 plots: Land was converted after the year of the last stock") for note in emissions.notes)


def test_the_page_has_a_section_per_family(summary: Summary) -> None:
    html = page(summary, LOOKS, "")
    for title in ("Forest loss", "Biomass and emissions", "Biodiversity", "Water"):
        assert f"<h2>{title}</h2>" in html
    assert "removals therein, tCO2e/ha/year" in html and "Aridity of the mean ratio: humid." in html


def test_what_a_reference_rests_on_is_said() -> None:
    figure = Figure("x", "score", 100.0)
    values: dict[str, Any] = {"score_ref": 0.0123, "score_ref_se": 0.001, "score_ref_n": 1200, "reasons": '[{"code": "reference_sampled"}]'}
    assert _reference(figure, values) == "1.23 ± 0.100 (1,200 squares)"
    assert _reference(figure, {**values, "score_ref_se": None}) == "1.23 (1,200 squares)"
    assert _reference(figure, {**values, "score_ref_se": 0.0, "reasons": "[]"}) == "1.23 (all 1,200 cells)"
    assert _reference(figure, {"score_ref": None}) == "–"
    assert comparison_lines(Comparison()) == []
