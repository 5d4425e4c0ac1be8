"""Make the synthetic sample: `python3 scripts/make_sample.py [FOLDER]` (default: the plugin's own sample folder).

The landscape around Vavoua is invented. Every number that a check of it must return is known, because every forest, loss and layer was
planted: `truth*.json`. What the truth takes for granted is in docs/sample.md. Running it again gives the same files.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from anywhere without being installed

from scripts.sample.entries import COMPLETE, PARTIAL, binding  # noqa: E402
from scripts.sample.expect import disagreements  # noqa: E402
from scripts.sample.files import write_datasets, write_plots, write_protected_areas, write_rasters, write_truth  # noqa: E402
from scripts.sample.looks import Window  # noqa: E402
from scripts.sample.metrics.expected import truth_of  # noqa: E402
from scripts.sample.metrics.files import write_measured  # noqa: E402
from scripts.sample.metrics.plant import make_ground  # noqa: E402
from scripts.sample.metrics.runs import ALL, FEW  # noqa: E402
from scripts.sample.metrics.runs import RUNS as METRIC_RUNS  # noqa: E402
from scripts.sample.plan import Plan, make_plan, plots_with_ids  # noqa: E402
from scripts.sample.truth import Truth  # noqa: E402

START = dt.date(2020, 12, 31)
RUNS: tuple[tuple[str, str, list[dict[str, Any]], dt.date], ...] = (
    ("truth.json", "datasets.json", COMPLETE, dt.date(2025, 12, 31)),
    ("truth_partial.json", "datasets_partial.json", PARTIAL, dt.date(2025, 12, 31)),
    ("truth_2023.json", "datasets.json", COMPLETE, dt.date(2023, 6, 30)),
)


def make_sample(folder: Path) -> Path:
    """Write all files of the sample into a folder, which is emptied first; raise if the truth contradicts a hand-written expectation."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    plan = make_plan()
    write_rasters(plan, folder)
    write_protected_areas(plan, folder / "protected_areas.gpkg")
    write_plots(plan, folder / "plots.geojson")
    write_datasets(COMPLETE, folder / "datasets.json")
    write_datasets(PARTIAL, folder / "datasets_partial.json")
    for name, datasets, entries, end in RUNS:
        plots = expected(plan, entries, end, check=name == "truth.json")
        head = {"datasets": datasets, "monitoring_start": START.isoformat(), "monitoring_end": end.isoformat()}
        write_truth(head, plots, folder / name)
    make_measured(plan, folder)
    return folder


def make_measured(plan: Plan, folder: Path) -> None:
    """Write what the other statistics read, and their truth."""
    ground = make_ground(plan)
    write_measured(ground, folder)
    write_datasets(ALL, folder / "datasets_all.json")
    write_datasets(FEW, folder / "datasets_few.json")
    for run in METRIC_RUNS:
        head = {
            "datasets": run.datasets, "monitoring_start": START.isoformat(), "monitoring_end": run.end.isoformat(),
            "stats": list(run.statistics), "settings": run.changed,
        }  # fmt: skip
        write_truth(head, truth_of(ground, plan, run), folder / run.truth)


def expected(plan: Plan, entries: list[dict[str, Any]], end: dt.date, check: bool) -> dict[str, dict[str, Any]]:
    """Return {plot id: expected fields} for one datasets file and window; `check` holds them against cases.py."""
    truth = Truth(plan.scene, binding(entries), Window(START, end))
    plots, wrong = {}, []
    for plotid, shape, case in plots_with_ids(plan):
        plots[plotid] = {"case": case.name, **truth.of(shape)}
        wrong += disagreements(plotid, case, plots[plotid]) if check else []
    if wrong:
        raise AssertionError("The truth contradicts what was planted:\n" + "\n".join(wrong))
    return plots


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "epoch_plugin" / "resources" / "sample")
    made = make_sample(parser.parse_args().folder)
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    print(f"{made}: {size / 1e6:.2f} MB")
