"""What a state means for the plot: who flagged it, in which year, who could have (METHODS section 3, union and consensus)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.deforestation.kernel import DEGRADED, LOSS, YEARS, StateColumns
from epoch_plugin.core.metrics.deforestation.systems import MASK_NO_DATA, MASK_YES, States
from epoch_plugin.core.settings import Settings

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class StateMeaning:
    """One row per state; system arrays have one column per system, year arrays one per counted year."""

    seen: Bools  # the baseline has data
    forest: Bools
    loss: States  # per system: 0 none, k + 1 = loss in the k-th counted year
    available: npt.NDArray[np.bool_]  # (states, systems, years)
    degraded: Bools
    protected: Bools
    rotation: Bools
    inside: Bools
    union_year: States  # 0 none, k + 1
    consensus: Bools
    agreed: Bools  # flagged by every system available there, at least two
    agreed_high: Bools  # of those, where at least `high_systems` are available


def meaning_of(states: States, n_systems: int, n_years: int, settings: Settings) -> StateMeaning:
    """Interpret the kernel's states."""
    columns = StateColumns(n_systems)
    loss = states[:, [columns.system(s, LOSS) for s in range(n_systems)]].reshape(len(states), n_systems)
    bits = states[:, [columns.system(s, YEARS) for s in range(n_systems)]].reshape(len(states), n_systems)
    available = (bits[:, :, None] >> np.arange(n_years)) & 1 == 1
    flags = loss > 0
    n_flags = flags.sum(axis=1)
    union_year = lower_median(loss)
    there = _available_at(available, union_year)
    n_there = there.sum(axis=1)
    agreed = (n_flags >= 2) & (n_there >= 2) & ~(there & ~flags).any(axis=1)
    return StateMeaning(
        seen=states[:, columns.baseline] != MASK_NO_DATA,
        forest=states[:, columns.baseline] == MASK_YES,
        loss=loss,
        available=available,
        degraded=states[:, [columns.system(s, DEGRADED) for s in range(n_systems)]].reshape(len(states), n_systems).any(axis=1),
        protected=states[:, columns.protected] == 1,
        rotation=states[:, columns.rotation] == 1,
        inside=states[:, columns.inside] == 1,
        union_year=union_year,
        consensus=(n_flags >= settings.min_systems) & (n_flags > 0),
        agreed=agreed,
        agreed_high=agreed & (n_there >= settings.high_systems),
    )


def lower_median(loss: States) -> States:
    """Return per row the lower median of the positive numbers, 0 where there is none: always a year that a system reported."""
    if loss.shape[1] == 0:
        return np.zeros(len(loss), np.int64)
    ordered = np.sort(np.where(loss > 0, loss, np.iinfo(np.int64).max), axis=1)
    middle = np.maximum((loss > 0).sum(axis=1) - 1, 0) // 2
    year = ordered[np.arange(len(loss)), middle]
    return np.where((loss > 0).any(axis=1), year, 0)


def _available_at(available: npt.NDArray[np.bool_], union_year: States) -> Bools:
    """Return (states, systems): which systems are available in each state's union year."""
    year = np.maximum(union_year - 1, 0)
    there = available[np.arange(len(available)), :, year]
    return np.asarray(there & (union_year > 0)[:, None])
