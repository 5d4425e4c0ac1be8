"""The monitoring window and the calendar years that count in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from epoch_plugin.core.errors import InputError

EUDR_CUTOFF = dt.date(2020, 12, 31)


MOST_YEARS = 60  # that one batch can tell apart: the state of a cell holds them as bits of one whole number


@dataclass(frozen=True)
class MonitoringWindow:
    """The half-open window (start, end] of METHODS section 2; both ends are calendar dates."""

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InputError(f"The window ends on {self.end}, not after its start {self.start}: give an END_DATE later than START_DATE.")

    @property
    def years(self) -> tuple[int, ...]:
        """Counted years, ascending: every Y with start < Y-12-31 and Y-01-01 <= end."""
        first = self.start.year if self.start < dt.date(self.start.year, 12, 31) else self.start.year + 1
        return tuple(range(first, self.end.year + 1))

    def require_countable(self) -> None:
        """Raise `InputError` for a window of more years than a batch can tell apart."""
        if len(self.years) > MOST_YEARS:
            raise InputError(
                f"The window {self.start} to {self.end} counts {len(self.years)} years: give a START_DATE at most {MOST_YEARS} years before."
            )

    def contains(self, day: dt.date) -> bool:
        """Tell whether a dated event lies in the window: start < day <= end."""
        return self.start < day <= self.end


def parse_date(text: str, name: str) -> dt.date:
    """Parse `YYYY-MM-DD`; `name` is the parameter that the error names."""
    try:
        return dt.datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise InputError(f"{name} is '{text}': a date is written YYYY-MM-DD, for example 2020-12-31.") from None
