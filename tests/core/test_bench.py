"""`make bench QUICK=1` goes through: data, every run of this engine, the table. No time is judged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("osgeo.gdal")
pytest.importorskip("exactextract")

ROOT = Path(__file__).resolve().parents[2]
# peers of `make bench`, or QGIS itself
OPTIONAL = ("rasterstats", "qgis", "gui", "exactextract", "exactextract_frame", "exactextract_four", "exactextract_four_frame")


@pytest.mark.slow
def test_the_small_benchmark_runs_and_fills_its_table(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nAfter.\n", encoding="utf-8")
    command = [sys.executable, "-m", "bench", "--quick", "--page", str(page)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "BENCH_DIR": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before.\n<!-- bench: begin -->\n") and text.endswith("<!-- bench: end -->\nAfter.\n") and "old" not in text
    failed = re.findall(r"^  (\w+): (.*)$", done.stdout, re.MULTILINE)
    assert [one for one in failed if one[0] not in OPTIONAL] == []
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    rows = {cells[0]: cells[1:] for cells in lines if len(cells) == 5}  # the measures; the runs have six columns
    for measure in ("agreement: covered area against shapely", "agreement: class areas / plot area against exactextract",
                    "agreement: means and deviations against exactextract"):  # fmt: skip
        assert rows[measure][-1] in ("met", "stretch"), rows[measure]  # right is right, however small
    for measure, (result, *_, verdict) in rows.items():
        if measure.startswith(("memory above start", "growth", "second run", "committing", "ids and hashes", "fetch")):
            assert result and verdict in ("missed", "met", "stretch"), measure
    assert "wall" in rows["second run with one new annual layer / first run, 900 plots"][0]
    four = "all four statistics with store commit, 300 plots, against means or class areas of the same layers: wall"
    assert all(rows[f"{four}, exactextract {plots} / this"][0] for plots in ("as the targets were set", "with its fastest source"))
    assert "exactextract, means or class areas of the 63 layers which that batch reads, 300 plots" in text
    assert str(tmp_path) not in text


def test_medians_ratios_and_verdicts():
    from bench.rounds import Results
    from bench.scale import FULL, Cache
    from bench.table import targets

    def rounds_of(*walls: float, **further: float) -> list[dict[str, float]]:
        return [{"wall": wall, "cpu": 2 * wall, "memory": 100 * wall, **further} for wall in walls]

    results = Results({"exactextract": rounds_of(20, 26, 14), "statistics": rounds_of(1.5, 2.0, 1.6), "fetch": rounds_of(5, plots=100_000.0)})
    found = {one.measure: (one.text, one.verdict) for one in targets(Cache(Path("nowhere"), FULL), results)}
    assert found["40 layers x 10,000 plots, statistics only: wall, exactextract with its fastest source / this"] == ("wall 12.50, CPU 12.50", "met")
    assert found["the same: CPU, exactextract with its fastest source / this"] == ("wall 12.50, CPU 12.50", "stretch")
    assert found["40 layers: wall, this / read floor"] == ("", "not measured")
    assert found["memory above start, largest of all engine and batch runs"] == ("200 MB", "stretch")
    assert found["fetch 100,000 plots to NDJSON"] == ("20,000 features/s", "met")


def test_only_some_runs_bring_those_that_they_need():
    from bench.rounds import only, runs
    from bench.scale import FULL, Cache

    every, said = runs(Cache(Path("nowhere"), FULL)), []
    chosen = only(every, {"fetch", "commit", "ids"}, said.append)
    assert [(run.key, run.once) for run in chosen] == [("deforestation_large", True), ("commit", False), ("fetch", False), ("ids", False)]
    assert said == ["deforestation_large runs once as well: commit, fetch read what it leaves"]
    assert [(run.key, run.once) for run in only(every, {"new_year"}, said.append)] == [("before_new_year", False), ("new_year", False)]
    assert only(every, {run.key for run in every}, said.append) == every and len(said) == 2
    assert {run.needs for run in every} <= {"", *(run.key for run in every)}


def test_a_run_is_left_out_when_the_one_that_it_needs_failed(tmp_path):
    from bench.rounds import Run, measure
    from bench.scale import QUICK, Cache

    wanted = [Run("first", "no_such_run", {}), Run("second", "ids", {}, needs="first")]
    errors = measure(Cache(tmp_path, QUICK), wanted, 1, lambda text: None).errors
    assert "no_such_run" in errors["first"]
    assert errors["second"] == "left out, because it reads what first leaves, which failed"


def test_the_page_lists_every_layer_and_role():
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    from bench.stack import BESIDE, FORTY, by_grid

    assert [len(layers) for layers in by_grid().values()] == [6, 22, 8, 2, 2] and len(FORTY) == 40
    for layer in (*FORTY, *BESIDE):
        assert re.sub(r"_\d{4}$", "", layer.name) in page, layer.name
    for layers in by_grid().values():
        assert len({layer.categorical for layer in layers}) == 1


def test_exactextract_gets_the_layers_that_the_batch_of_all_statistics_reads(tmp_path):
    """What is bound but lies outside the window, or is no layer of the four statistics, does not count."""
    import numpy as np

    from bench import bindings
    from bench.make_layers import write_layer
    from bench.rounds import ALL_FOUR
    from bench.runs.exactextract_peer import read_by
    from bench.scale import Cache, Scale
    from bench.stack import BESIDE, FORTY

    cache = Cache(tmp_path, Scale("tiny", 0.02, (1, 1, 1), 1, 1, 1))
    cache.layers.mkdir(parents=True)
    for layer in (*FORTY, *BESIDE):
        write_layer(layer, cache.scale.degrees, cache.layer(layer.name))
    bindings.write_all(cache.layers)
    read = read_by(cache, ALL_FOUR["datasets"], ALL_FOUR["stats"].split(","), np.array([[-7.49, 7.49, -7.485, 7.495]]))
    by_role: dict[str, list[int | None]] = {}
    for layer in read:
        by_role.setdefault(layer.role, []).append(layer.year)
    assert by_role["tmf"] == list(range(2020, 2026)) and by_role["chm"] == [2020] and by_role["lc"] == [2021]
    assert by_role["agb"] == [2010, *range(2015, 2022)]
    assert by_role["precipitation"] == by_role["pet"] == list(range(2021, 2026))
    assert by_role["soil_moisture"] == by_role["et"] == list(range(2014, 2026))
    assert {"mask of glad", "glad", "national_monitor (detection)", "soc", "water_stress", "timber", "wdpa"} <= set(by_role) and "" not in by_role
    assert len(read) == 63


def test_plots_are_as_described():
    from bench.make_plots import plots

    made, fewer = list(plots(2000, 1.5)), list(plots(50, 1.5))
    assert all((a[0][0] == b[0][0]).all() for a, b in zip(made, fewer))
    parts, rings = [len(plot) for plot in made], [len(polygon) for plot in made for polygon in plot]
    assert 0.01 < parts.count(2) / 2000 < 0.03 and 0.005 < rings.count(2) / 2000 < 0.02
    corners = [len(plot[0][0]) - 1 for plot in made]
    assert min(corners) >= 6 and max(corners) <= 400
