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
OPTIONAL = ("rasterstats", "qgis", "gui", "exactextract")  # peers that `make bench` installs, or QGIS itself


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
    assert str(tmp_path) not in text


def test_the_page_lists_every_layer_and_role():
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    from bench.stack import BESIDE, FORTY, by_grid

    assert [len(layers) for layers in by_grid().values()] == [6, 22, 8, 2, 2] and len(FORTY) == 40
    for layer in (*FORTY, *BESIDE):
        assert re.sub(r"_\d{4}$", "", layer.name) in page, layer.name
    for layers in by_grid().values():
        assert len({layer.categorical for layer in layers}) == 1


def test_plots_are_as_described():
    from bench.make_plots import plots

    made, fewer = list(plots(2000, 1.5)), list(plots(50, 1.5))
    assert all((a[0][0] == b[0][0]).all() for a, b in zip(made, fewer))
    parts, rings = [len(plot) for plot in made], [len(polygon) for plot in made for polygon in plot]
    assert 0.01 < parts.count(2) / 2000 < 0.03 and 0.005 < rings.count(2) / 2000 < 0.02
    corners = [len(plot[0][0]) - 1 for plot in made]
    assert min(corners) >= 6 and max(corners) <= 400
