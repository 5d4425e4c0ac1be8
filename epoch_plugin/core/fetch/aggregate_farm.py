"""Farm and supply-chain emissions of many plots in one row: the sum, per ha of all plots, per tonne of their harvest."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from epoch_plugin.core.store.farm_rows import NEWEST_JOB, job_of_plot
from epoch_plugin.core.store.schema import TABLES, Column

_SHED = TABLES["stat_supply_shed"].by_name
FARM_FIELDS: tuple[Column, ...] = tuple(_SHED[f"non_biomass_{name}"] for name in ("tco2eyear", "tco2ehayear", "tco2etonne"))


class FarmSums:
    """Sums over the plots that have rows in `stat_non_biomass`; of one job, or of each plot's newest."""

    def __init__(self, connection: sqlite3.Connection, job_id: str | None) -> None:
        job = "?" if job_id else NEWEST_JOB
        self.columns = (job_of_plot(job), f"(SELECT sum(n.tco2e_year) FROM stat_non_biomass n WHERE n.uuid = p.uuid AND n.job_id = {job})")  # nosec B608
        self.parameters = [job_id, job_id] if job_id else []
        self._connection = connection
        self._total = self._area = self._tonnes = 0.0
        self._plots = 0
        self._yields: dict[str, float | None] = {}

    def add(self, area: float, values: tuple[Any, ...]) -> None:
        """Add one plot: its area (ha), the job that counts and the sum of its rows (tCO2e/year; None without any)."""
        job_id, total = values
        if total is None:
            return
        self._plots += 1
        self._total += total
        self._area += area
        harvest = self._yield(job_id)
        self._tonnes += float("nan") if harvest is None else harvest * area

    def properties(self) -> dict[str, Any]:
        """Return the values of `FARM_FIELDS`; per tonne is null where a harvest is not known."""
        known = self._plots > 0
        return {
            "non_biomass_tco2eyear": self._total if known else None,
            "non_biomass_tco2ehayear": self._total / self._area if known and self._area > 0 else None,
            "non_biomass_tco2etonne": self._total / self._tonnes if known and self._tonnes > 0 else None,
        }

    def _yield(self, job_id: str) -> float | None:
        """Return the harvest (t/ha) that a job's payload names."""
        if job_id not in self._yields:
            row = self._connection.execute("SELECT provenance FROM batch_jobs WHERE job_id = ?", (job_id,)).fetchone()
            farm = (json.loads(row[0]) or {}).get("farm") if row and row[0] else None
            self._yields[job_id] = (farm or {}).get("yield_t_ha")
        return self._yields[job_id]
