"""Charts by matplotlib, as pictures: no widgets here, so that a background task can draw; one chart at a time."""

from __future__ import annotations

import threading
import warnings
from typing import Any, NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from epoch_plugin.bridge.numbers import number, tick
from epoch_plugin.ui.charts.chart import LINES, PAIRS, STACKED, Chart, Series

MARKERS = ("o", "s", "^", "D")
BAR_WIDTH = 0.7
DPI = 100.0
PAPER_DPI = 200
_one_at_a_time = threading.Lock()  # matplotlib's caches are not made for threads

# That a squeezed dock leaves no room for axes is no news for the log.
warnings.filterwarnings("ignore", message="constrained_layout not applied", category=UserWarning)


class Look(NamedTuple):
    """Colours of paper and ink (#rrggbb), height of the font in pixels, and the marked category (-1: none)."""

    paper: str
    ink: str
    font_pixels: float
    focus: int = -1


class Picture(NamedTuple):
    """A drawn chart: RGBA bytes with their size, and where categories are: the centre of the first and the step to the next, in pixels."""

    pixels: bytes
    width: int
    height: int
    first: float = 0.0
    step: float = 0.0  # 0: categories cannot be chosen


def draw_picture(chart: Chart, look: Look, width: float, height: float, ratio: float) -> Picture:
    """Return a chart of width x height pixels on a screen with `ratio` device pixels per pixel."""
    with _one_at_a_time:
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI * ratio, constrained_layout=True)
        canvas = FigureCanvasAgg(figure)
        _paint(figure, chart, look, look.font_pixels * 72.0 / DPI)
        canvas.draw()
        columns, rows = canvas.get_width_height()
        first = step = 0.0
        if len(figure.axes) == 1 and chart.kind != PAIRS:
            first, after = (float(figure.axes[0].transData.transform((x, 0.0))[0]) / ratio for x in (0.0, 1.0))
            step = after - first
        return Picture(bytes(canvas.buffer_rgba()), columns, rows, first, step)


def save_picture(path: str, chart: Chart) -> None:
    """Write a chart in black on white as PNG or SVG; raises OSError where it cannot be written."""
    with _one_at_a_time:
        figure = Figure(figsize=(6.4, 3.6), constrained_layout=True)
        _paint(figure, chart, Look("#ffffff", "#000000", 0.0), 9.0)
        figure.suptitle(chart.title, fontsize=11)
        figure.savefig(path, dpi=PAPER_DPI)


def _paint(figure: Figure, chart: Chart, look: Look, points: float) -> None:
    figure.set_facecolor(look.paper)
    count, pairs, ink = len(chart.categories), chart.kind == PAIRS, look.ink
    axes = list(figure.subplots(count, 1, squeeze=False)[:, 0]) if pairs else [figure.add_subplot()]
    for position, axis in enumerate(axes):
        _style(axis, look.paper, ink, points)
        if pairs:
            _draw_pair(axis, chart, position, ink, points)
        elif chart.kind == LINES:
            _draw_lines(axis, chart)
        else:
            _draw_bars(axis, chart, ink, points)
        if not pairs:
            axis.set_xticks(range(count))
            axis.set_xticklabels(chart.categories)
            axis.set_xlim(-0.6, count - 0.4)
            axis.set_ylabel(chart.unit, color=ink, fontsize=points)
    if not pairs and look.focus >= 0:
        axes[0].axvspan(look.focus - 0.45, look.focus + 0.45, color=ink, alpha=0.12, linewidth=0)
    if len(chart.series) > 1 and not pairs:
        _legend(axes[0], chart, ink, points * 0.9, figure.get_figwidth() * 72.0)


def _legend(axis: Any, chart: Chart, ink: str, points: float, room: float) -> None:
    """Put the legend above the axes, where it hides neither line nor bar; side by side where `room` (points) allows it."""
    wanted = sum(points * (4.0 + 0.6 * len(series.name)) for series in chart.series) + 4.0 * points
    columns = len(chart.series) if wanted < room else 1
    axis.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncol=columns, fontsize=points, labelcolor=ink, frameon=False,
                borderaxespad=0.2, handlelength=1.5, columnspacing=1.2)  # fmt: skip


def _style(axis: Any, paper: str, ink: str, points: float) -> None:
    axis.set_facecolor(paper)
    axis.tick_params(colors=ink, labelsize=points)
    for side, spine in axis.spines.items():
        spine.set_color(ink)
        spine.set_visible(side in ("left", "bottom"))
    axis.yaxis.set_major_formatter(lambda value, _: tick(value))
    axis.locator_params(axis="y", nbins=5)


def _draw_bars(axis: Any, chart: Chart, ink: str, points: float) -> None:
    stacked, many = chart.kind == STACKED, len(chart.series)
    width = BAR_WIDTH if stacked else BAR_WIDTH / max(1, many)
    floor = [0.0] * len(chart.categories)
    for place, series in enumerate(chart.series):
        shift = 0.0 if stacked else (place - (many - 1) / 2) * width
        for position, value in enumerate(series.values):
            if value is None:
                axis.text(position + shift, 0, "?", ha="center", va="bottom", color=ink, fontsize=points)
                continue
            _bar(axis, position + shift, value, width, floor[position] if stacked else 0.0, series, position, ink)
            if stacked:
                floor[position] += value
        axis.bar([0], [0], color=_face(series), edgecolor=series.colour, hatch=_hatch(series), label=series.name)
    axis.margins(y=0.15)
    for (place, position), text in chart.texts.items():
        value = chart.series[place].values[position] or 0.0
        height = floor[position] if stacked else value + (chart.series[place].error(position) or 0.0)
        axis.annotate(text, (position, height), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", color=ink, fontsize=points * 0.9)


def _bar(axis: Any, x: float, value: float, width: float, bottom: float, series: Series, position: int, ink: str) -> None:
    axis.bar(x, value, width, bottom=bottom, color=_face(series), edgecolor=series.colour, hatch=_hatch(series))
    error = series.error(position)
    if error:
        axis.errorbar(x, value, yerr=[[min(error, value) if value >= 0 else error], [error]], color=ink, capsize=3, linewidth=1)


def _face(series: Series) -> str:
    return "none" if series.hatched else series.colour


def _hatch(series: Series) -> str | None:
    return "////" if series.hatched else None


def _draw_lines(axis: Any, chart: Chart) -> None:
    for place, series in enumerate(chart.series):
        known = [(position, value) for position, value in enumerate(series.values) if value is not None]
        axis.plot([x for x, _ in known], [y for _, y in known], color=series.colour, marker=MARKERS[place % len(MARKERS)], label=series.name)
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    axis.margins(y=0.1)


def _draw_pair(axis: Any, chart: Chart, position: int, ink: str, points: float) -> None:
    """Draw one figure as lying bars, one per series, with its numbers beside them instead of an axis."""
    rows = len(chart.series)
    known = [abs(series.values[position] or 0.0) + (series.error(position) or 0.0) for series in chart.series]
    lowest = min(0.0, *(series.values[position] or 0.0 for series in chart.series))
    for place, series in enumerate(chart.series):
        value, row = series.values[position], rows - 1 - place
        if value is not None:
            axis.barh(row, value, BAR_WIDTH, color=_face(series), edgecolor=series.colour, hatch=_hatch(series))
            if series.error(position):
                axis.errorbar(value, row, xerr=series.error(position), color=ink, capsize=3, linewidth=1)
        end = max(value or 0.0, 0.0) + (series.error(position) or 0.0 if (value or 0.0) >= 0 else 0.0)
        text = "?" if value is None else number(value)
        axis.annotate(text, (end, row), xytext=(4, 0), textcoords="offset points", va="center", color=ink, fontsize=points * 0.9)
    axis.axvline(0, color=ink, linewidth=0.8)
    axis.set_yticks(range(rows))
    axis.set_yticklabels([series.name for series in reversed(chart.series)], fontsize=points * 0.9)
    axis.tick_params(axis="y", length=0)
    axis.set_xticks([])
    reach = max(known) or 1.0
    axis.set_xlim(-reach * 1.05 if lowest < 0 else 0.0, reach * 1.3)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.set_title(f"{chart.categories[position]} ({chart.units[position]})", color=ink, fontsize=points * 0.9, loc="left", pad=2)
