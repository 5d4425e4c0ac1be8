"""The table: every run's figures, and the issue's targets beside what was reached; wall and CPU always together."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.rounds import LIMIT_MB, Results
from bench.scale import Cache

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
ENGINE_RUNS = ["statistics", "deforestation", "four", "statistics_large", "deforestation_large", "before_new_year", "new_year", "huge"]


def names(cache: Cache, results: Results) -> dict[str, str]:
    """Return what each run is, in words."""
    small, large, huge = (f"{count:,}" for count in cache.scale.plots)
    subset = cache.scale.subset
    return {
        "statistics": f"this engine, statistics of 40 layers, {small} plots",
        "exactextract": f"exactextract, the same (one thread, first run), {small} plots",
        "exactextract_frame": f"exactextract with the plots as a GeoDataFrame, {small} plots",
        "floor": f"read floor: touched blocks decoded once, two threads, {small} plots",
        "rasterstats": f"rasterstats, the same by cell centre, EXTRAPOLATED from {subset} plots x one layer per grid",
        "qgis": f"QGIS zonal histogram / statistics, by cell centre, EXTRAPOLATED from {subset} plots x one layer per grid",
        "deforestation": f"deforestation batch, 10 m and 30 m grids, rows and store commit, {small} plots",
        "four": f"all four statistics, five grids, rows and store commit, {small} plots",
        "exactextract_four": f"exactextract, means or class areas of the {_layers(results)}layers which that batch reads, {small} plots",
        "exactextract_four_frame": f"the same with the plots as a GeoDataFrame, {small} plots",
        "statistics_large": f"this engine, statistics of 40 layers, {large} plots",
        "deforestation_large": f"deforestation batch with store commit, {large} plots",
        "commit": f"committing one statistic's rows, {large} plots",
        "fetch": f"fetch to NDJSON, {large} plots",
        "ids": f"ids and hashes, {large} plots",
        "before_new_year": f"statistics of 39 layers, {large} plots, empty plan cache",
        "new_year": f"then one new annual layer, a new process, {large} plots",
        "gui": f"deforestation batch started in the Collections dock, both docks open, {small} plots",
        "table_view": f"the Monitoring dock's table: opening it and sorting it by every column, {large} plots",
        "agreement": f"agreement, {cache.scale.compared:,} plots x 40 layers",
        "huge": f"statistics of 12 layers, {huge} plots, process data limited to {LIMIT_MB // 1024} GB",
    }


def run_rows(cache: Cache, results: Results) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yield name, rounds, wall (median, range), CPU, memory above start, peak."""
    for key, name in names(cache, results).items():
        figures = results.figures.get(key)
        if not figures:
            yield name, "0", f"not measured: {results.errors.get(key, 'left out')}", "", "", ""
            continue
        walls = [one["wall"] for one in figures]
        spread = f" ({min(walls):.2f} to {max(walls):.2f})" if len(walls) > 1 else ""
        median = {figure: results.median(key, figure) or 0.0 for figure in ("wall", "cpu", "memory", "peak")}
        yield name, str(len(walls)), f"{median['wall']:.2f}{spread}", f"{median['cpu']:.2f}", f"{median['memory']:.0f}", f"{median['peak']:.0f}"


@dataclass(frozen=True)
class Target:
    """One line of the issue's table; `text` is what was measured."""

    measure: str
    text: str
    value: float | None
    least: float
    stretch: float
    at_least: bool = False  # larger is better
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Say whether the target is met."""
        if self.value is None:
            return "not measured"
        better = (lambda bound: self.value >= bound) if self.at_least else (lambda bound: self.value <= bound)
        return "stretch" if better(self.stretch) else "met" if better(self.least) else "missed"

    def bound(self, value: float) -> str:
        """Write a bound."""
        if value == float("inf"):
            return "completes"
        return f"{'≥' if self.at_least else '≤'} {value:g}{self.unit}"


def targets(cache: Cache, results: Results) -> list[Target]:
    """Return the issue's measures."""
    small, large, huge = (f"{count:,}" for count in cache.scale.plots)
    own = "statistics"
    memory = results.largest(ENGINE_RUNS, "memory")
    gap = results.median("gui", "gap_ms")
    rate = _ratio(results.median("fetch", "plots"), results.median("fetch", "wall"))
    huge_wall = results.median("huge", "wall")
    return [
        *_both(results, f"40 layers x {small} plots, statistics only: wall", ("exactextract_frame", "exactextract"), own, "wall", 12, 16),
        *_both(results, "the same: CPU", ("exactextract_frame", "exactextract"), own, "cpu", 7, 8.5),
        Target("40 layers: wall, this / read floor", *_ratios(results, own, "floor"), 2.5, 1.9),
        *_both(results, f"deforestation batch with store commit, {small} plots, against the 40 layers' statistics: wall",
               ("exactextract_frame", "exactextract"), "deforestation", "wall", 4, 8),
        *_both(results, f"all four statistics with store commit, {small} plots, against means or class areas of the same layers: wall",
               ("exactextract_four_frame", "exactextract_four"), "four", "wall", 2, 2),
        Target("memory above start, largest of all engine and batch runs", _number(memory, " MB"), memory, 400, 250, unit=" MB"),
        Target(f"growth {small} → {large} plots, statistics only", *_ratios(results, "statistics_large", own), 9, 7, unit="×"),
        Target("the same, deforestation batch", *_ratios(results, "deforestation_large", "deforestation"), 9, 7, unit="×"),
        Target(f"{huge} plots x 12 layers, {LIMIT_MB // 1024} GB limit",
               _with_cpu(huge_wall, results.median("huge", "cpu")), huge_wall, float("inf"), 180, unit=" s"),
        Target(f"second run with one new annual layer / first run, {large} plots", *_ratios(results, "new_year", "before_new_year"), 0.25, 0.1),
        Target(f"committing {large} plots of one statistic", *_seconds(results, "commit"), 5, 2, unit=" s"),
        Target("longest gap of the GUI's event loop during a batch, both docks open", _number(gap, " ms"), gap, 30, 15, unit=" ms"),
        Target(f"opening the table of {large} plots: all rows there, sortable", *_table(results, "open_s"), 1, 0.5, unit=" s"),
        Target(f"sorting the table of {large} plots: the slowest column, painted", *_table(results, "sort_s"), 1, 0.1, unit=" s"),
        *_agreement(results),
        Target(f"ids and hashes of {large} plots", *_seconds(results, "ids"), 4, 2, unit=" s"),
        Target(f"fetch {large} plots to NDJSON", _number(rate, " features/s"), rate, 20_000, 30_000, True, "/s"),
    ]  # fmt: skip


def _both(results: Results, measure: str, peers: tuple[str, str], own: str, figure: str, least: float, stretch: float) -> Iterator[Target]:
    """Yield the ratio to exactextract with plots as a GeoDataFrame, as the targets were set, and as the OGR layer that it takes fastest."""
    for peer, plots in zip(peers, ("as the targets were set", "with its fastest source")):
        text, value = _ratios(results, peer, own, figure)
        yield Target(f"{measure}, exactextract {plots} / this", text, value, least, stretch, True, "×")


def _layers(results: Results) -> str:
    count = results.median("exactextract_four", "layers")
    return "" if count is None else f"{count:.0f} "


def _agreement(results: Results) -> Iterator[Target]:
    for figure, words, bound in (
        ("classes", "class areas / plot area against exactextract", 5e-7),
        ("moments", "means and deviations against exactextract", 5e-7),
        ("areas", "covered area against shapely", 1e-9),
    ):
        value = results.median("agreement", figure)
        yield Target(f"agreement: {words}", "" if value is None else f"{value:.1e}", value, bound, bound)


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _ratios(results: Results, above: str, below: str, figure: str = "wall") -> tuple[str, float | None]:
    """Return the ratios of wall and CPU time in words, and the one that the target is about."""
    wall, cpu = (_ratio(results.median(above, name), results.median(below, name)) for name in ("wall", "cpu"))
    text = "" if wall is None or cpu is None else f"wall {wall:.2f}, CPU {cpu:.2f}"
    return text, wall if figure == "wall" else cpu


def _seconds(results: Results, key: str) -> tuple[str, float | None]:
    wall = results.median(key, "wall")
    return _with_cpu(wall, results.median(key, "cpu")), wall


def _with_cpu(wall: float | None, cpu: float | None) -> str:
    return "" if wall is None else f"wall {wall:.2f} s, CPU {cpu:.2f} s"


def _table(results: Results, figure: str) -> tuple[str, float | None]:
    value = results.median("table_view", figure)
    first = results.median("table_view", "first_s")
    note = f" (first rows after {first:.2f} s)" if figure == "open_s" and first is not None else ""
    return "" if value is None else f"wall {value:.2f} s{note}", value


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.0f}{unit}"


def machine(results: Results) -> str:
    """Describe date, machine and versions, without any name of the machine."""
    import numpy
    from osgeo import gdal

    model = "unknown processor"
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = f"Python {platform.python_version()}, numpy {numpy.__version__}, GDAL {gdal.VersionInfo('RELEASE_NAME')}"
    loads = ", ".join(f"{load:.1f}" for load in results.loads)
    return f"{dt.date.today()}; {os.cpu_count()} cores of {model}, {memory:.0f} GB, {platform.system()}; {versions}; load before each round: {loads}."


def markdown(cache: Cache, results: Results) -> str:
    """Return the whole table."""
    scale = cache.scale
    lines = [machine(results), ""]
    if scale.name != "full":
        lines += [f"Size '{scale.name}': shows that the benchmark works; its figures mean nothing.", ""]
    lines += _rows("run", "rounds", "wall s", "CPU s", "memory above start, MB", "peak, MB")
    lines += ["|---|---|---|---|---|---|", *(_rows(*row)[0] for row in run_rows(cache, results)), ""]
    lines += [*_rows("measure", "result", "at least", "stretch", ""), "|---|---|---|---|---|"]
    for one in targets(cache, results):
        lines += _rows(one.measure, one.text, one.bound(one.least), one.bound(one.stretch), one.verdict)
    return "\n".join(lines) + "\n"


def _rows(*cells: str) -> list[str]:
    return [f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"]


def write(path: Path, text: str) -> None:
    """Put the table between the marks of a document."""
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")
