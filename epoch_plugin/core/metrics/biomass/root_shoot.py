"""Below-ground from above-ground biomass: one ratio, a raster of ratios, or IPCC's table by ecological zone and biomass class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.metrics.quantities import Floats, Quantity
from epoch_plugin.core.zonal.kernel import Cells, LayerRead

# IPCC 2006 vol. 4, table 4.4: zone -> (above-ground biomass up to which the ratio holds, t d.m./ha; ratio). A value on a limit belongs
# to the class below it: the table leaves that open.
INF = float("inf")
ON_THE_LIMIT = 1 + 1e-9  # biomass went to CO2 and back: 125 may have become 125.00000000000001
IPCC_2006: dict[str, tuple[tuple[float, float], ...]] = {
    "tropical rainforest": ((INF, 0.37),),
    "tropical moist deciduous forest": ((125.0, 0.20), (INF, 0.24)),
    "tropical dry forest": ((20.0, 0.56), (INF, 0.28)),
    "tropical shrubland": ((INF, 0.40),),
    "tropical mountain systems": ((INF, 0.27),),
    "temperate conifers": ((50.0, 0.40), (150.0, 0.29), (INF, 0.20)),
    "temperate broadleaf": ((75.0, 0.46), (150.0, 0.23), (INF, 0.24)),
}


@dataclass(frozen=True)
class RootShoot:
    """The ratio R at every cell: BGB = R x AGB (IPCC 2006 vol. 4, table 4.4).

    `number` holds wherever neither `raster` nor `zones` is bound. Where a bound layer has no data, R and the biomass below ground are
    unknown. `zones` reads ecological zones as class values; `zone_names` says which of IPCC's zones each class is.
    """

    number: float
    raster: Quantity | None = None
    zones: LayerRead | None = None
    zone_names: tuple[tuple[int, str], ...] = ()

    @property
    def constant(self) -> bool:
        """Tell whether R is the same everywhere."""
        return self.raster is None and self.zones is None

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the layers that R depends on."""
        if self.raster is not None:
            return self.raster.reads
        return () if self.zones is None else (self.zones,)

    def ratio(self, cells: Cells, dry_matter: Floats) -> Floats:
        """Return R at cells with the given above-ground biomass (t d.m./ha)."""
        if self.raster is not None:
            return self.raster.values(cells)
        if self.zones is None:
            return np.full(len(cells), self.number)
        found = np.full(len(cells), np.nan)
        classes = cells.values[self.zones.key]
        for value, name in self.zone_names:
            here = classes == value
            limits, ratios = zip(*IPCC_2006[name])
            found[here] = np.array(ratios)[np.searchsorted(np.array(limits) * ON_THE_LIMIT, np.nan_to_num(dry_matter[here]))]
        return found
