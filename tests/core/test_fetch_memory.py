"""100,000 plots with the results of two statistics come out as NDJSON, and as one row, within 300 MB, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from epoch_plugin.core.store import jobs, results
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, job, result

ROOT = Path(__file__).resolve().parents[2]
PLOTS = 100_000
STATS = ("eudr_deforestation", "luc_emissions")

FETCH = """
import json, sys
from epoch_plugin.core.fetch import FetchRequest, fetch, ndjson
from epoch_plugin.core.store.store import Store
store, stats = Store(sys.argv[1]), ("eudr_deforestation", "luc_emissions", "cft")
with fetch(store, FetchRequest("0xabc", stats, limit=0, prefixed=True, stat_type="admin_area")) as plots:
    number = ndjson.write(sys.argv[2], plots)
with fetch(store, FetchRequest("0xabc", stats, aggregate=True, prefixed=True)) as whole:
    (row,) = whole.features
# VmHWM, not getrusage: that one remembers how large the parent was when it started this process
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"plots": number, "whole": row.properties["aggregate_plot_count"], "peak_mb": int(peak.split()[1]) / 1024}))
"""


def rows(statistic):
    """A row per plot, nested fields filled as batches fill them."""
    years = {str(year): 100.0 for year in range(2015, 2026)}
    emissions = {"luc_tco2eyear": -1.5, "annual_agb": years, "annual_bgb": years, "annual_soc": years, "annual_lc": years}
    own = ("uuid", "collection_id", "monitoring_start", "monitoring_end", "assessed_end", "coverage", "valid_fraction", "reasons", "job_id")
    for number in range(1, PLOTS + 1):
        row = result(number)
        yield row if statistic == "eudr_deforestation" else {**{name: row[name] for name in own}, **emissions}


@pytest.mark.slow
def test_100000_plots_are_fetched_within_300_mb(tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process's memory is read from /proc")
    store = Store(tmp_path / "store.gpkg")
    add_collection(store, PLOTS)
    with store.writing() as connection:
        jobs.create(connection, job(stats=list(STATS)))
        jobs.claim(connection, "job-1", "me")
        for statistic in STATS:
            results.insert(connection, statistic, rows(statistic))
        jobs.finish(connection, "job-1", "me", "completed")
    command = [sys.executable, "-c", FETCH, str(store.path), str(tmp_path / "out.ndjson")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert (found["plots"], found["whole"]) == (PLOTS, PLOTS)
    assert found["peak_mb"] < 300, found
    with open(tmp_path / "out.ndjson", encoding="utf-8") as file:
        parsed = [json.loads(line)["properties"]["luc_tco2eyear"] if number % 10 == 0 else line[0] for number, line in enumerate(file)]
    assert parsed[::10] == [-1.5] * (PLOTS // 10) and len(parsed) == PLOTS and set(parsed) == {-1.5, "{"}
