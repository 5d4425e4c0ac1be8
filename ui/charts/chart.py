"""What a chart shows, apart from who draws it: categories, series with units, errors and what is not known."""

from __future__ import annotations

from dataclasses import dataclass, field

BARS, STACKED, LINES, PAIRS = "bars", "stacked", "lines", "pairs"


@dataclass(frozen=True)
class Series:
    """Numbers over the chart's categories, None = not known; `errors` is half the length of each error bar."""

    name: str
    values: tuple[float | None, ...]
    colour: str
    errors: tuple[float | None, ...] = ()
    hatched: bool = False

    def error(self, position: int) -> float | None:
        """Return the error of one value, None where there is none."""
        return self.errors[position] if position < len(self.errors) else None


@dataclass(frozen=True)
class Chart:
    """One chart; `keys` are what a click on a category means, `empty` says why there is nothing to draw.

    `pairs`: every category has a scale of its own (its unit stands in `units`) and the series are compared within it.
    """

    title: str
    kind: str
    unit: str
    categories: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    keys: tuple[object, ...] = ()
    units: tuple[str, ...] = ()
    note: str = ""
    empty: str = ""
    texts: dict[tuple[int, int], str] = field(default_factory=dict)  # (series, category) -> what stands at the bar

    @property
    def drawable(self) -> bool:
        """Whether any value is known."""
        return any(value is not None for series in self.series for value in series.values)

    def text(self) -> str:
        """Return the numbers as text, for screen readers and tool tips."""
        lines = [self.title]
        for position, category in enumerate(self.categories):
            unit = self.units[position] if self.units else self.unit
            parts = [f"{series.name} {'?' if series.values[position] is None else f'{series.values[position]:g}'} {unit}" for series in self.series]
            lines.append(f"{category}: {', '.join(parts)}")
        return "\n".join([*lines, self.note] if self.note else lines)
