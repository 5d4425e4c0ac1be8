"""Read models of the desktop: columns, windows, figures, one plot's details, and a polygon checked without a store."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from epoch_plugin.core.batch import BatchRequest, run_batch
from epoch_plugin.core.check_plot import CheckRequest, check_plot
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.collections.shapes import multipolygon_wkb
from epoch_plugin.core.errors import InputError, NotFoundError
from epoch_plugin.core.monitoring import plot_columns, plot_pages
from epoch_plugin.core.monitoring.export import FIELDS, write_csv
from epoch_plugin.core.monitoring.overview import overview
from epoch_plugin.core.monitoring.plot_columns import SORTABLE, PlotColumns, natural_key
from epoch_plugin.core.monitoring.plot_details import plot_details
from epoch_plugin.core.monitoring.plot_pages import NUMBERS, pages
from epoch_plugin.core.monitoring.scope import (
    Region,
    Scope,
    Window,
    collection_choices,
    only_jobs,
    quick_query,
    regions,
    statistics_with_rows,
    windows,
)
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store import results
from epoch_plugin.core.store.store import Store

SAMPLE = Path(__file__).resolve().parents[2] / "epoch_plugin" / "resources" / "sample"
DATASETS = str(SAMPLE / "datasets.json")
END = dt.date(2025, 12, 31)


@pytest.fixture(scope="module")
def truth():
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["plots"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample, checked for deforestation: (store, scope of its one window)."""
    store = Store(tmp_path_factory.mktemp("monitoring") / "store.gpkg")
    stage_plots(store, open_source(str(SAMPLE / "plots.geojson")), StageRequest("sample", crop_type="cocoa", country="Côte d'Ivoire"), NoProgress())
    upload_plots(store, "sample", True, None, NoProgress())
    run_batch(store, BatchRequest("sample", END, DATASETS, ("eudr_deforestation",)), NoProgress())
    collection_id = collection_choices(store)[0].collection_id
    (window,) = windows(store, collection_id)
    return store, Scope(collection_id, window)


@pytest.fixture(scope="module")
def columns(sample):
    store, scope = sample
    found = PlotColumns()
    for page in pages(store, scope, size=70):
        found.append(page)
    found.finish()
    return found


def test_columns_are_the_truth(columns, truth):
    assert sorted(columns.plotid) == sorted(truth) and len(columns) == len(truth)
    for row, plotid in enumerate(columns.plotid):
        plot = truth[plotid]
        assert columns.value(row, "alert") == plot["deforestation_alert"] and columns.value(row, "confidence") == plot["deforestation_confidence"]
        assert columns.value(row, "detected_area") == pytest.approx(plot["detected_area"], rel=1e-5, abs=1e-9)
    for year, lost in columns.loss_by_year.items():
        assert {columns.plotid[row] for row in lost} == {name for name, plot in truth.items() if plot["annual_defor"][f"defor_ha_{year}"]}


def rows_of(store, query):
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query.sql("p.fid, s0.fid, s0.reasons", "ORDER BY p.fid"), query.parameters)]


def test_rows_of_one_job_are_found_quickly_and_those_of_several_by_the_rule(sample, tmp_path):
    store, scope = sample
    check = ("eudr_deforestation",)
    with store.reading() as connection:
        quick = quick_query(scope, check, only_jobs(connection, scope, check))
        other_window = Scope(scope.collection_id, Window("2020-12-31", "2023-12-31"))
        assert "LIMIT 1" not in quick.sql("1") and "LIMIT 1" in quick_query(other_window, check, only_jobs(connection, other_window, check)).sql("1")
    found = rows_of(store, quick)
    assert found == rows_of(store, scope.query(check)) and all(fid for _, fid, _ in found)
    (tmp_path / "copy.gpkg").write_bytes(b"")
    with store.reading() as connection, closing(sqlite3.connect(tmp_path / "copy.gpkg")) as target:
        connection.backup(target)
    copy = Store(tmp_path / "copy.gpkg")
    run_batch(copy, BatchRequest("sample", END, DATASETS, check, if_done="recompute"), NoProgress())
    with copy.reading() as connection:
        both = quick_query(scope, check, only_jobs(connection, scope, check))
    assert "LIMIT 1" in both.sql("1") and {fid for _, fid, _ in rows_of(copy, both)}.isdisjoint(fid for _, fid, _ in found)


def in_pages(store, scope, size):
    found = PlotColumns()
    for page in pages(store, scope, size):
        found.append(page)
    return found


def values(columns):
    """Everything that columns hold of each plot."""
    names = ("fid", "uuid", "plotid", "alert", "confidence", "since", "until", "assessed_end", "reasons", "stored", *NUMBERS)
    return [[columns.value(row, name) for name in names] for row in range(len(columns))], columns.loss_by_year


def test_a_page_is_the_same_however_it_is_read(sample, columns, monkeypatch, tmp_path):
    """Row by row beside each plot, or matched after reading the results through, also where some plots or a whole statistic have no rows."""
    store, scope = sample
    beside, through = in_pages(store, scope, 10_000), in_pages(store, scope, 70)
    assert values(beside) == values(through) and len(beside) == len(columns) and any(beside.stored) and beside.loss_by_year
    monkeypatch.setattr(plot_pages, "MOST_AT_ONCE", 0)
    assert values(in_pages(store, scope, 70)) == values(beside)
    monkeypatch.undo()
    (tmp_path / "copy.gpkg").write_bytes(Path(store.path).read_bytes())
    copy = Store(tmp_path / "copy.gpkg")
    with copy.writing() as connection:
        connection.execute("DELETE FROM stat_eudr_deforestation WHERE fid % 3 = 0")
    some = in_pages(copy, scope, 70)
    assert values(some) == values(in_pages(copy, scope, 10_000)) and 0 < some.counts().not_processed < len(some)
    with copy.writing() as connection:
        keys = dict(connection.execute("SELECT collection_id, job_id, monitoring_start, monitoring_end FROM stat_eudr_deforestation").fetchone())
        emissions = [{**keys, "uuid": uuid, "luc_tco2ehayear": 1 / n if n % 3 else None} for n, uuid in enumerate(some.uuid[::-2], start=1)]
        results.insert(connection, "luc_emissions", emissions)
    two = in_pages(copy, scope, 70)
    assert values(two) == values(in_pages(copy, scope, 10_000))
    assert {two.uuid[row]: two.value(row, "luc_tco2ehayear") for row in range(len(two)) if two.value(row, "luc_tco2ehayear") is not None} == {
        row["uuid"]: row["luc_tco2ehayear"] for row in emissions if row["luc_tco2ehayear"] is not None
    }
    assert sorted(two.known("luc_tco2ehayear")) == sorted(row["luc_tco2ehayear"] for row in emissions if row["luc_tco2ehayear"] is not None)
    with copy.writing() as connection:
        connection.execute("DELETE FROM stat_eudr_deforestation")
    none = in_pages(copy, scope, 70)
    assert none.uuid == columns.uuid and none.counts().not_processed == len(none)


def test_years_with_loss_are_those_with_an_area(sample, columns, tmp_path):
    store, scope = sample
    (tmp_path / "copy.gpkg").write_bytes(Path(store.path).read_bytes())
    copy, lost = Store(tmp_path / "copy.gpkg"), columns.alert.index(0)
    annual = '{"defor_ha_2021": 0, "defor_ha_rmse_2021":0.3,"defor_ha_2022":1e-05,"defor_ha_2023" : 0.5, "defor_ha_2024":null,"defor_ha_2025":0.0}'
    with copy.writing() as connection:
        connection.execute("UPDATE stat_eudr_deforestation SET annual_defor = ? WHERE uuid = ?", (annual, columns.uuid[lost]))
    found = in_pages(copy, scope, 70).loss_by_year
    assert [year for year in range(2021, 2026) if lost in found.get(year, ())] == [2022, 2023]


def test_text_ranks_are_those_of_a_sort(monkeypatch):
    monkeypatch.setattr(plot_columns, "PIECE", 3)
    texts = ["b", None, "a", "d", "b", "c", "e", None, "aa"]
    assert plot_columns._ranks(texts).tolist() == pytest.approx([2, np.nan, 0, 4, 2, 3, 5, np.nan, 1], nan_ok=True)


def test_every_column_sorts_both_ways_with_the_unknown_last(columns):
    rows = np.arange(len(columns))
    for name in SORTABLE:
        up, down = columns.order(rows, name, False), columns.order(rows, name, True)
        assert sorted(up) == sorted(down) == list(rows)
    since = [columns.since[row] for row in columns.order(rows, "since", True)]
    known = [value for value in since if value]
    assert since[: len(known)] == sorted(known, reverse=True) and set(since[len(known) :]) == {None}
    urgency = [columns.value(row, "alert") for row in columns.order(rows, "alert", False)]
    assert urgency[0] == "critical" and urgency[-1] is None


def test_conditions_combine(columns, truth):
    rows = columns.matching(alerts=["critical"], confidences=["low"], year=2022, text="vav-0")
    wanted = {
        plotid for plotid, plot in truth.items()
        if (plot["deforestation_alert"], plot["deforestation_confidence"]) == ("critical", "low") and plot["annual_defor"]["defor_ha_2022"]
    }  # fmt: skip
    assert {columns.plotid[row] for row in rows} == wanted and wanted
    assert len(columns.matching(known="diversity_score")) == 0 and len(columns.matching(alerts=[None])) == columns.counts().of(None)


def test_plot_ids_sort_as_people_count():
    assert sorted(["P10", "p9", "P1-2", "P1-10", "Ä3"], key=natural_key) == ["P1-2", "P1-10", "p9", "P10", "Ä3"]


def test_overview_counts_and_says_why_not(sample, columns, truth):
    store, scope = sample
    seen = overview(store, scope, columns)
    critical = [plot for plot in truth.values() if plot["deforestation_alert"] == "critical"]
    assert seen.counts.of("critical") == len(critical)
    assert seen.noncompliance_area == pytest.approx(sum(plot["noncompliance_area"] for plot in critical))
    assert seen.counts.total == len(truth) and seen.counts.not_processed == 0
    assert seen.figures["diversity_score"].value is None and seen.figures["diversity_score"].why == "not_processed"
    assert seen.figures["diversity_score"].reference is None
    for year, (loss, _) in seen.annual.items():
        assert loss == pytest.approx(sum(plot["annual_defor"][f"defor_ha_{year}"] or 0.0 for plot in truth.values()))


def test_a_regions_row_gives_its_plots_and_references(sample, tmp_path):
    store = Store(tmp_path / "copy.gpkg")
    original, scope = sample
    with original.reading() as source, store.writing() as target:
        for table in ("collections", "plots", "stat_eudr_deforestation", "batch_jobs"):
            for row in source.execute(f"SELECT * FROM {table}"):
                target.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(tuple(row)))})", tuple(row))
        uuids = [row[0] for row in target.execute("SELECT uuid FROM plots ORDER BY fid LIMIT 4")]
        of_north = {"stat_type": "region", "region_uuid": "north", "job_id": "j"}
        shares = ({**of_north, "uuid": uuid, "share": share} for uuid, share in zip(uuids, (1, 0.5, 0.4, 0)))
        results.insert(target, "plot_regions", shares)
        square = multipolygon_wkb([[np.array([[0.0, 0], [1, 0], [1, 1], [0, 0]])]])
        row = {"uuid": "north", "stat_type": "region", "collection_id": scope.collection_id, "job_id": "j"}
        row.update(monitoring_start="2020-12-31", monitoring_end="2025-12-31")
        row.update( geom=square, metadata={"name": "North"}, noncompliance_area_perc=0.2, noncompliance_area_perc_ref=0.1)
        results.insert(target, "supply_shed", [{**row, "noncompliance_area_perc_ref_se": 0.01, "noncompliance_area_perc_ref_n": 1000}])
    (region,) = regions(store, scope.collection_id)
    assert region == Region("north", "region", "North")
    inside, found = Scope(scope.collection_id, scope.window, region), PlotColumns()
    for page in pages(store, inside):
        found.append(page)
    found.finish()
    assert found.uuid == uuids[:2], "a plot belongs to a region from half of its area on"
    figure = overview(store, inside, found).figures["noncompliance_area_perc"]
    assert (figure.value, figure.reference.value, figure.reference.error, figure.reference.cells) == (0.2, 0.1, 0.01, 1000)


def test_csv_has_full_precision_and_leaves_no_torso(columns, tmp_path):
    path = tmp_path / "plots.csv"
    assert write_csv(str(path), columns, [3, 1], NoProgress()) == 2
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(FIELDS) and [row["plotid"] for row in rows] == [columns.plotid[3], columns.plotid[1]]
    assert float(rows[0]["area_ha"]) == columns.numbers["area"][3] and rows[0]["diversity_score"] == ""
    with pytest.raises(OSError):
        write_csv(str(tmp_path / "missing" / "plots.csv"), columns, [0], NoProgress())
    assert [item.name for item in tmp_path.iterdir()] == ["plots.csv"]


def test_a_plot_that_is_gone_is_named(sample):
    store, scope = sample
    with pytest.raises(NotFoundError, match="no plot nobody"):
        plot_details(store, scope, "nobody")
    assert statistics_with_rows(store, scope.collection_id) == ["eudr_deforestation"]


def test_a_polygon_without_a_store_gets_the_batchs_very_row(sample, columns):
    store, scope = sample
    for row in (columns.alert.index(0), columns.alert.index(2), columns.alert.index(3)):
        stored = plot_details(store, scope, columns.uuid[row])
        drawn = check_plot(CheckRequest(stored.polygon, DATASETS, END, stats=("eudr_deforestation",)), NoProgress())
        skipped = ("uuid", "collection_id", "job_id")
        if stored.area != pytest.approx(drawn.area, rel=1e-12):
            continue  # a point with a declared area
        for name, value in drawn.deforestation.items():
            assert name in skipped or value == stored.deforestation[name], name
        assert [use.role for use in drawn.layers] == [use.role for use in stored.layers] and drawn.fid is None


def test_check_plot_answers_for_every_statistic(sample, columns):
    store, scope = sample
    polygon = plot_details(store, scope, columns.uuid[0]).polygon
    details = check_plot(CheckRequest(polygon, DATASETS, END), NoProgress())
    assert {"eudr_deforestation", "luc_emissions", "biodiversity", "water"} <= set(details.statistics)
    assert all(row["monitoring_end"] == "2025-12-31" for row in details.statistics.values())


@pytest.mark.parametrize(("ring", "words"), [
    ([(0, 0), (1e-4, 0), (2e-4, 0), (0, 0)], "encloses no area"),
    ([(-8, 6), (-5, 6), (-5, 9), (-8, 6)], "single plots"),
])  # fmt: skip
def test_shapes_that_cannot_be_checked_are_refused_in_words(ring, words):
    with pytest.raises(InputError, match=words):
        check_plot(CheckRequest(multipolygon_wkb([[np.array(ring, float)]]), DATASETS, END), NoProgress())
    with pytest.raises(InputError, match="cannot be read"):
        check_plot(CheckRequest(b"\x01\x06", DATASETS, END), NoProgress())
