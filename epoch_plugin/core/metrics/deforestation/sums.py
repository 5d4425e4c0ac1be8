"""Adding up states by plot: every quantity of METHODS section 3 that is an area, in ha."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.deforestation.states import Bools, StateMeaning
from epoch_plugin.core.zonal.reduce import StateAreas

Floats = npt.NDArray[np.float64]

M2_PER_HA = 10_000.0
NOTHING_HA = 1e-6  # a union below counts as 0


class StateSums:
    """Sums over the states of each plot, always in the same order."""

    def __init__(self, areas: StateAreas, n_plots: int) -> None:
        """Take the engine's table."""
        self._areas = areas
        self._n = n_plots

    def ha(self, chosen: npt.NDArray[np.generic]) -> Floats:
        """Return per plot the area (ha) of the states where `chosen` (one per state) is true."""
        picked = chosen[self._areas.state] if len(self._areas.state) else np.zeros(0, bool)
        weights = np.where(picked, self._areas.area, 0.0)
        return np.asarray(np.bincount(self._areas.plot, weights, minlength=self._n), np.float64) / M2_PER_HA


@dataclass(frozen=True)
class PlotSums:
    """Areas per plot in ha; with a system axis or a year axis where named so (plots first)."""

    judged_year: Floats  # (plots, years): baseline has data and some system could speak for the year
    system_seen: Floats  # (plots, systems): could speak for at least one counted year
    system_year_seen: Floats  # (plots, systems, years)
    year_seen: Floats  # (plots, years): by any system
    prefix_seen: Floats  # (plots, years): baseline has data and some system could speak for each year up to this one
    union: Floats
    union_year: Floats  # (plots, years)
    system_year: Floats  # (plots, systems, years)
    consensus: Floats
    agreed: Floats
    agreed_high: Floats
    protected: Floats  # (plots, 2): of the union, of the consensus; likewise the next two
    rotation: Floats
    inside: Floats
    degraded: Floats


def sum_states(areas: StateAreas, meaning: StateMeaning, n_plots: int) -> PlotSums:
    """Add up the states; where the union is below 1e-6 ha all that is part of it is 0."""
    sums = StateSums(areas, n_plots)
    n_systems, n_years = meaning.available.shape[1:]
    years, systems = range(n_years), range(n_systems)
    by_any = meaning.available.any(axis=1)
    prefix = np.logical_and.accumulate(by_any, axis=1) & meaning.seen[:, None]
    union = meaning.union_year > 0
    kept = sums.ha(union) >= NOTHING_HA

    def flagged(chosen: Bools) -> Floats:
        return np.where(kept, sums.ha(chosen & union), 0.0)

    def of_union_and_consensus(flag: Bools) -> Floats:
        return np.stack([flagged(flag), flagged(flag & meaning.consensus)], axis=1)

    return PlotSums(
        judged_year=_stack([sums.ha(by_any[:, k] & meaning.seen) for k in years], n_plots),
        system_seen=_stack([sums.ha(meaning.available[:, s].any(axis=1)) for s in systems], n_plots),
        system_year_seen=_stack([_stack([sums.ha(meaning.available[:, s, k]) for k in years], n_plots) for s in systems], n_plots, (n_years,)),
        year_seen=_stack([sums.ha(by_any[:, k]) for k in years], n_plots),
        prefix_seen=_stack([sums.ha(prefix[:, k]) for k in years], n_plots),
        union=flagged(union),
        union_year=_stack([flagged(meaning.union_year == k + 1) for k in years], n_plots),
        system_year=_stack([_stack([flagged(meaning.loss[:, s] == k + 1) for k in years], n_plots) for s in systems], n_plots, (n_years,)),
        consensus=flagged(meaning.consensus),
        agreed=flagged(meaning.agreed),
        agreed_high=flagged(meaning.agreed_high),
        protected=of_union_and_consensus(meaning.protected),
        rotation=of_union_and_consensus(meaning.rotation),
        inside=of_union_and_consensus(meaning.inside),
        degraded=sums.ha(meaning.degraded),
    )


def _stack(columns: list[Floats], n_plots: int, rest: tuple[int, ...] = ()) -> Floats:
    return np.stack(columns, axis=1) if columns else np.zeros((n_plots, 0, *rest))
