"""The summary of a collection, its lines and its page, on the sample: counted anew from the planted truth."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("osgeo.gdal")

from epoch_plugin.core.batch.request import BatchRequest
from epoch_plugin.core.batch.runner import run_batch
from epoch_plugin.core.collections.plots import StageOptions
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.errors import NotFoundError
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.report.html import page
from epoch_plugin.core.report.lines import lines
from epoch_plugin.core.report.numbers import hectares, significant
from epoch_plugin.core.report.summary import Summary, summarise
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store.store import Store

SAMPLE = Path(__file__).resolve().parents[2] / "epoch_plugin" / "resources" / "sample"
LABELS = {"critical": "Loss", "non-critical": "Signal", "no deforestation": "None", "": "Unknown"}
NAME = "<Vavoua> & sons"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(str(tmp_path_factory.mktemp("report") / "store.gpkg"))
    request = StageRequest(collection_name=NAME, crop_type="cocoa", country="Côte d'Ivoire", options=StageOptions(plot_id_field="plotId"))
    stage_plots(made, open_source(str(SAMPLE / "plots.geojson")), request, NoProgress())
    upload_plots(made, NAME, True, None, NoProgress())
    return made


@pytest.fixture(scope="module")
def summary(store: Store) -> Summary:
    run_batch(store, BatchRequest(collection=NAME, end_date=dt.date(2025, 12, 31), datasets=str(SAMPLE / "datasets.json")), NoProgress())
    return summarise(store, NAME)


@pytest.fixture(scope="module")
def truth() -> list[dict]:
    return list(json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["plots"].values())


def test_counts_and_areas_are_those_of_the_truth(summary: Summary, truth: list[dict]) -> None:
    assert summary.alerts == Counter(t["deforestation_alert"] or "" for t in truth)
    assert summary.critical_ha == pytest.approx(sum(t["noncompliance_area"] or 0 for t in truth), rel=1e-6)
    assert summary.detected_ha == pytest.approx(sum(t["detected_area"] or 0 for t in truth), rel=1e-6)
    for year in range(2021, 2026):
        assert summary.annual[year] == pytest.approx(sum(t["annual_defor"][f"defor_ha_{year}"] or 0 for t in truth), rel=1e-6)
    ends = Counter(t["assessed_end"] for t in truth if t["deforestation_alert"] is not None)
    assert summary.assessed_ends == ends and len(ends) == 2
    worst = max((t for t in truth if t["deforestation_alert"] == "critical"), key=lambda t: t["noncompliance_area"])
    assert summary.worst()[0].noncompliance_ha == pytest.approx(worst["noncompliance_area"], rel=1e-6)
    assert {s.role for s in summary.sources} >= {"forest_2020", "glad", "tmf", "wdpa", "national_monitor"}


def test_ten_lines_say_what_was_seen_and_what_not(summary: Summary, truth: list[dict]) -> None:
    text = lines(summary, LABELS)
    assert len(text) == 10
    critical = sum(t["deforestation_alert"] == "critical" for t in truth)
    assert any(line.startswith("Loss ") and f" {critical} plots, " in line for line in text)
    assert any("assessed to 2025-12-31 (2 plots only to 2023-12-31)" in line for line in text)
    unknown = sum(t["deforestation_alert"] is None for t in truth)
    assert any(line.strip().startswith("because") and f"({unknown} plots)" in line for line in text)


def test_the_page_is_whole_escaped_and_holds_no_personal_data(summary: Summary) -> None:
    html = page(summary, {alert: (label, "#123456") for alert, label in LABELS.items()}, "map.png")
    assert "&lt;Vavoua&gt; &amp; sons" in html and "<Vavoua>" not in html
    checker = _Balance()
    checker.feed(html)
    assert not checker.open and not checker.wrong
    farmers = {f["properties"]["farmerName"] for f in json.loads((SAMPLE / "plots.geojson").read_text(encoding="utf-8"))["features"]}
    assert not any(name in html for name in farmers)
    assert "compliant" not in html.lower() and "http" not in html
    assert "no year given" in html and "map.png" in html


def test_a_window_without_results_is_not_assessed_and_says_so(store: Store, summary: Summary) -> None:
    empty = summarise(store, NAME, "2020-12-31", "2022-12-31")
    assert empty.assessed == 0 and empty.alerts[""] == 301 and empty.warnings
    text = "\n".join(lines(empty, LABELS))
    assert "no result" in text.lower() and "0 ha" in text
    assert "No plot could be assessed." in page(empty, {alert: (label, "#123456") for alert, label in LABELS.items()}, "")


def test_an_unknown_collection_is_refused(store: Store) -> None:
    with pytest.raises(NotFoundError):
        summarise(store, "nobody")


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.0123456, "0.0123"), (1.005, "1.00"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")])
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_an_unknown_area_is_no_zero() -> None:
    assert hectares(None) == "–" and hectares(0.0) == "0 ha"


class _Balance(HTMLParser):
    """Counts tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)
