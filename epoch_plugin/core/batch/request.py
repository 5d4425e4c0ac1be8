"""What a batch is asked for, and what it answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.executor_name import THREADS, check_executor
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import EUDR_CUTOFF, MonitoringWindow

REUSE, RECOMPUTE = "reuse", "recompute"


@dataclass(frozen=True)
class BatchRequest:
    """A batch over one collection; `collection` is an id or a name, `datasets` the path of a datasets file.

    `regions` is a vector layer (`file|layername=x`), `borders` QGIS's world_map.gpkg (None: no administrative areas but the user's).
    """

    collection: str
    end_date: dt.date
    datasets: str
    stats: tuple[str, ...] = ("eudr_deforestation",)
    start_date: dt.date = EUDR_CUTOFF
    settings: Settings = field(default_factory=Settings)
    regions: str = ""
    region_name_field: str = ""
    borders: str | None = None
    skip_on_low_confidence: bool = False
    if_done: str = REUSE
    executor: str = THREADS
    non_biomass: bool = False

    @property
    def window(self) -> MonitoringWindow:
        """Return the monitoring window; raise `InputError` if it is empty."""
        return MonitoringWindow(self.start_date, self.end_date)

    def check(self) -> None:
        """Raise `InputError` for anything that this version does not do, rather than leave it undone silently."""
        from epoch_plugin.core.batch.statistics import PLANNERS

        unknown = [name for name in self.stats if name not in PLANNERS]
        if unknown or not self.stats:
            raise InputError(f"STATS: unknown statistic {', '.join(unknown) or '(none)'}; available: {', '.join(PLANNERS)}.")
        if self.if_done not in (REUSE, RECOMPUTE):
            raise InputError(f"IF_DONE is '{self.if_done}': use '{REUSE}' or '{RECOMPUTE}'.")
        check_executor(self.executor)
        if not self.datasets:
            raise InputError("DATASETS: give the path of a datasets file (JSON); epoch:checkdatasets explains what belongs in it.")
        self.window.require_countable()


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch; counts are plots."""

    job_id: str
    status: str
    processed_count: int
    failed_count: int
    reused: bool = False
