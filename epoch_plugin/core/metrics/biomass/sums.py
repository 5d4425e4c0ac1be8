"""The engine's answers by name, in ha and tonnes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.biomass.kernel import STATE_COLUMNS
from epoch_plugin.core.metrics.shares import M2_PER_HA
from epoch_plugin.core.zonal.reduce import KeyedSums, StateAreas, Total, ValueSums

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Answer = Union[Total, tuple[Total, ...]]

AGB, BY_COVER, BY_SYSTEMS, YEAR = range(len(STATE_COLUMNS))


class BiomassSums:
    """Sums of n plots; what a kernel did not answer is None."""

    def __init__(self, names: Sequence[str], answer: Answer, n_plots: int) -> None:
        """Take a kernel's answers."""
        if not isinstance(answer, tuple):
            raise TypeError("a biomass kernel gives several answers")
        self._answers = dict(zip(names, answer))
        self.n_plots = n_plots

    def values(self, name: str) -> ValueSums | None:
        """Return the sums of a value."""
        found = self._answers.get(name)
        return found if isinstance(found, ValueSums) else None

    def by_cell(self, name: str) -> KeyedSums | None:
        """Return the sums of a value per biomass cell."""
        found = self._answers.get(name)
        return found if isinstance(found, KeyedSums) else None

    def states(self, name: str) -> StateAreas:
        """Return areas of states."""
        found = self._answers[name]
        if not isinstance(found, StateAreas):
            raise TypeError(f"'{name}' is answered in states")
        return found

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Return what the states of 'state' mean: one row each, columns AGB, BY_COVER, BY_SYSTEMS, YEAR."""
        return self.states("state").states.reshape(-1, len(STATE_COLUMNS))

    def ha(self, chosen: Bools) -> Floats:
        """Return per plot the area (ha) of the states where `chosen` (one per row of `rows`) is true."""
        areas = self.states("state")
        picked = np.where(chosen[areas.state], areas.area, 0.0) if len(areas.state) else np.zeros(0)
        return np.asarray(np.bincount(areas.plot, picked, minlength=self.n_plots), np.float64) / M2_PER_HA

    def total(self, name: str) -> Floats:
        """Return per plot the sum of area (ha) x value: tonnes of tonnes per ha."""
        found = self.values(name)
        return np.zeros(self.n_plots) if found is None else found.weighted / M2_PER_HA

    def known_ha(self, name: str) -> Floats:
        """Return per plot the area (ha) where a value is known."""
        found = self.values(name)
        return np.zeros(self.n_plots) if found is None else found.weight / M2_PER_HA

    def majority(self, name: str) -> list[int | None]:
        """Return per plot the class with the largest area, of equal ones the larger; None without data. Codes are class + 1, 0 no data."""
        areas = self.states(name)
        found: list[int | None] = [None] * self.n_plots
        largest = np.zeros(self.n_plots)
        for plot, state, area in zip(areas.plot.tolist(), areas.state.tolist(), areas.area.tolist()):
            code = int(areas.states[state, 0])
            if code > 0 and area >= largest[plot]:  # states ascend: the last of equals is the larger class
                found[plot], largest[plot] = code - 1, area
        return found
