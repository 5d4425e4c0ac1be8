"""What a caller asks for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.window import parse_date

STATISTICS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water", "extra")
NON_BIOMASS = "cft"


@dataclass(frozen=True)
class FetchRequest:
    """One fetch: a collection (id or name; None searches all), statistics, window, limit (None: default, 0: all), filters (query string).

    `prefixed` gives the fields that every statistic has the statistic's name in front, as `fetchplots` does. `stat_type` adds the
    references of the region of that kind in which at least `overlap_threshold` (0..1) of a plot lies; '' for none.
    """

    collection: str | None = None
    stats: tuple[str, ...] = ("eudr_deforestation",)
    start: dt.date | str | None = None
    end: dt.date | str | None = None
    limit: int | None = None
    aggregate: bool = False
    plots_only: bool = False
    filters: str = ""
    flatten: bool = False
    job_id: str | None = None
    prefixed: bool = False
    stat_type: str = ""
    overlap_threshold: float = 0.5

    def __post_init__(self) -> None:
        unknown = [name for name in self.stats if name not in (*STATISTICS, NON_BIOMASS)]
        if unknown:
            raise InputError(f"Unknown statistic '{unknown[0]}'. Known: {', '.join((*STATISTICS, NON_BIOMASS))}.")
        if self.limit is not None and self.limit < 0:
            raise InputError(f"LIMIT is {self.limit}: give 0 for all features, or how many at most.")
        if len(set(self.stats)) > 1 and not self.prefixed:
            raise InputError("Several statistics in one row need prefixed field names (epoch:fetchplots).")
        if self.aggregate and self.plots_only:
            raise InputError("AGGREGATE sums statistics and PLOTS_ONLY leaves them out: choose one.")
        if not self.collection and not self.filters.strip():
            raise InputError("Give a COLLECTION, or FILTERS to search all collections.")

    @property
    def statistics(self) -> tuple[str, ...]:
        """Statistics with one row per plot and window, each once; none with `plots_only`."""
        return () if self.plots_only else tuple(dict.fromkeys(name for name in self.stats if name != NON_BIOMASS))

    @property
    def non_biomass(self) -> bool:
        """Whether the plots' farm emissions (`cft`) are asked for."""
        return NON_BIOMASS in self.stats and not self.plots_only


def iso_date(value: dt.date | str | None, name: str) -> str | None:
    """Return a date as ISO text, None for none or an empty text; raise `InputError` naming the parameter."""
    if value is None or value == "":
        return None
    return (value if isinstance(value, dt.date) else parse_date(value, name)).isoformat()
