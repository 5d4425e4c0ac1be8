"""The sample as a staged collection, a batch over it, and its rows in a form that shows every bit."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from epoch_plugin.core.batch import BatchRequest, BatchResult, run_batch
from epoch_plugin.core.collections.plots import StageOptions
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.progress import NoProgress, Progress
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store.store import Store

SAMPLE = Path(__file__).resolve().parents[2] / "epoch_plugin" / "resources" / "sample"
PLOTS = 301
OF_THE_JOB = ("fid", "job_id")


def staged_sample(path: Path) -> Store:
    """A store with the sample staged and uploaded as `vavoua`."""
    store = Store(str(path))
    request = StageRequest(collection_name="vavoua", crop_type="cocoa", country="Côte d'Ivoire", options=StageOptions(plot_id_field="plotId"))
    stage_plots(store, open_source(str(SAMPLE / "plots.geojson")), request, NoProgress())
    upload_plots(store, "vavoua", False, None, NoProgress())
    return store


def run_sample(store: Store, progress: Progress | None = None, datasets: Path = SAMPLE / "datasets.json", **request: Any) -> BatchResult:
    """Run the deforestation check over the sample, anew unless asked otherwise."""
    asked = {"if_done": "recompute", "end_date": dt.date(2025, 12, 31), **request}
    return run_batch(store, BatchRequest(collection="vavoua", datasets=str(datasets), **asked), progress or NoProgress())


def stored_text(store: Store, job_id: str) -> str:
    """All rows of a job as JSON, sorted by plot: equal texts are equal to the last bit of every number."""
    with store.reading() as connection:
        rows = connection.execute("SELECT * FROM stat_eudr_deforestation WHERE job_id = ? ORDER BY uuid", (job_id,)).fetchall()
    assert len(rows) == PLOTS
    return json.dumps([{name: value for name, value in dict(row).items() if name not in OF_THE_JOB} for row in rows], indent=0)


class Listener(NoProgress):
    """Keeps what it is told, and calls `at_step` with the fraction."""

    def __init__(self, at_step: Any = None) -> None:
        self.fractions: list[float] = []
        self.stages: list[str] = []
        self.warnings: list[str] = []
        self.stop = False
        self._at_step = at_step

    def step(self, fraction: float, stage: str) -> None:
        self.fractions.append(fraction)
        self.stages.append(stage)
        if self._at_step is not None:
            self._at_step(fraction)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def cancelled(self) -> bool:
        return self.stop
