"""What every planned statistic hands on from its plan, as the batch asks for it."""

from __future__ import annotations

from typing import Any

from epoch_plugin.core.datasets.entries import Entry
from epoch_plugin.core.datasets.raster import RasterLayer
from epoch_plugin.core.zonal.engine import GridTask


class Planned:
    """Base of the statistics: `plan` is the statistic's own, with `tasks` and `layers`."""

    plan: Any

    @property
    def tasks(self) -> tuple[GridTask, ...]:
        """Return kernels by grid."""
        tasks: tuple[GridTask, ...] = self.plan.tasks
        return tasks

    @property
    def layers(self) -> tuple[tuple[Entry, str, RasterLayer], ...]:
        """Return entry, key and layer of everything that is read."""
        layers: tuple[tuple[Entry, str, RasterLayer], ...] = self.plan.layers
        return layers
