"""How far the locations of a collection can be believed (METHODS section 8): checks per plot, a score, a confidence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.collections import location_rules as rules
from epoch_plugin.core.collections.attributes import declared_area_ha
from epoch_plugin.core.collections.crop_types import LATITUDES
from epoch_plugin.core.collections.overlaps import OverlapFinder
from epoch_plugin.core.collections.shapes import Polygons, Shape, parse_wkb
from epoch_plugin.core.progress import Progress, stop_if_cancelled

WEIGHTS = {"country": 0.25, "commodity": 0.20, "land": 0.15, "area": 0.15, "overlap": 0.15, "latitude": 0.05, "not_synthetic": 0.05}
HARD = ("geometry", "range")
HIGH, MEDIUM, ENOUGH_WEIGHT = 0.7, 0.45, 0.5
_LISTED = 1000
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Hits(Protocol):
    """What borders say of points: alpha-2 codes ('' for none), near another country's border, well inside, at sea."""

    codes: list[str]
    near_border: Flags
    well_inside: Flags
    at_sea: Flags


class CountryBorders(Protocol):
    """Finds the country of points; `core.regions.countries.Borders` does."""

    def locate(self, lons: Floats, lats: Floats) -> Any:
        """Return `Hits` for points in degrees."""

    def same(self, one: str, other: str) -> bool:
        """Tell whether two codes mean the same country."""


@dataclass(frozen=True)
class CheckedPlot:
    """A stored plot: WKB polygon and (if it differs) uploaded shape in EPSG:4326, area in ha, metadata as JSON."""

    uuid: str
    plotid: str
    polygon: bytes
    source_geometry: bytes | None
    area: float
    metadata: str


@dataclass(frozen=True)
class LocationContext:
    """What the plots are compared with; `others` are name, plot id and WKB of other collections' plots nearby."""

    country: str = ""  # declared, alpha-2
    crop: str | None = None
    system_type: str | None = None
    borders: CountryBorders | None = None
    others: Iterable[tuple[str, str, bytes]] = ()


@dataclass(frozen=True)
class PlotLocation:
    """One plot's result: score 0..1 (None: nothing could be checked), checks True / False / None (not run), flags, country, problems in words."""

    uuid: str
    plotid: str
    score: float | None
    checks: dict[str, bool | None]
    flags: tuple[str, ...]
    country: str
    problems: tuple[str, ...]


@dataclass
class LocationReport:
    """Results of a collection: area-weighted score, confidence high / medium / low / invalid, what did not run and why."""

    confidence: str
    score: float | None
    weight_run: float
    plots: list[PlotLocation]
    not_run: dict[str, str]
    hits: Hits | None = None
    located: Flags = field(default_factory=lambda: np.zeros(0, bool))
    points: Floats = field(default_factory=lambda: np.zeros((0, 2)))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: counts per check and flag, and the plots with problems (the first 1,000)."""
        checks = {
            name: {
                "weight": WEIGHTS.get(name, "hard"),
                "passed": sum(p.checks[name] is True for p in self.plots),
                "failed": sum(p.checks[name] is False for p in self.plots),
                "not_run": sum(p.checks[name] is None for p in self.plots),
            }
            for name in (*HARD, *WEIGHTS)
        }
        troubled = [p for p in self.plots if p.problems]
        return {
            "confidence": self.confidence, "score": self.score, "weight_run": self.weight_run, "plots": len(self.plots), "checks": checks,
            "not_run": self.not_run, "flags": dict(sorted(Counter(f for p in self.plots for f in p.flags).items())), "problem_count": len(troubled),
            "problems": [{"uuid": p.uuid, "plotid": p.plotid, "score": p.score, "problems": list(p.problems)} for p in troubled[:_LISTED]],
        }  # fmt: skip


@dataclass
class _Facts:
    """The plots as arrays."""

    shapes: list[Polygons]
    uploaded: list[Shape]
    geometries: list[Any]
    centres: Floats
    areas: Floats
    declared: Floats
    points: Flags
    estates: Flags
    assumed: Flags


def check_locations(plots: Sequence[CheckedPlot], context: LocationContext, progress: Progress) -> LocationReport:
    """Run every check that needs no raster; the others' weight is spread over those that ran, and they are listed."""
    if not plots:
        return LocationReport("invalid", None, 0.0, [], {"all": "there is no plot with a valid geometry"})
    facts = _facts(plots, context, progress)
    problems: list[list[str]] = [[] for _ in plots]
    not_run = {"commodity": "needs the commodity's layer of a datasets file (epoch:validatelocations)"}
    values = {"geometry": _geometry(facts, problems), "range": _in_range(facts, problems), "commodity": np.full(len(plots), np.nan)}
    progress.step(0.3, "Comparing plots with countries")
    hits = context.borders.locate(facts.centres[:, 0], facts.centres[:, 1]) if context.borders else None
    values["country"] = _country(facts, context, hits, values["range"], problems, not_run)
    values["land"] = _land(hits, len(plots), problems, not_run)
    values["area"] = _area(facts, problems)
    progress.step(0.5, "Looking for overlaps")
    values["overlap"] = _overlap(plots, facts, context, problems, progress)
    values["latitude"] = _latitude(facts, context, problems, not_run)
    values["not_synthetic"] = rules.not_synthetic(facts.shapes, facts.areas, facts.points)
    _explain(values["not_synthetic"], problems, "the shape looks generated: a circle, or one of at least five equal ones")
    return _report(plots, facts, values, hits, problems, not_run)


def _facts(plots: Sequence[CheckedPlot], context: LocationContext, progress: Progress) -> _Facts:
    import shapely.wkb

    shapes, uploaded, geometries, centres, declared, kinds = [], [], [], [], [], []
    for number, plot in enumerate(plots):
        if number % 1000 == 0:
            stop_if_cancelled(progress)
        shape = parse_wkb(plot.polygon)
        source = parse_wkb(plot.source_geometry) if plot.source_geometry else shape
        shapes.append(shape.polygons)
        uploaded.append(source)
        geometries.append(shapely.wkb.loads(plot.polygon))
        centres.append(source.points[0] if len(source.points) and not source.polygons else _centre(shape.polygons))
        attributes = json.loads(plot.metadata)
        declared.append(declared_area_ha(attributes) or np.nan)
        kinds.append(str(attributes.get("system_type") or context.system_type or "").strip().lower())
    points = np.array([bool(len(s.points)) and not s.polygons for s in uploaded], bool)
    told = np.array(declared, np.float64)
    return _Facts(shapes, uploaded, geometries, np.array(centres, np.float64), np.array([p.area for p in plots], np.float64), told,
                  points, np.array([k == "estate" for k in kinds], bool), points & np.isnan(told))  # fmt: skip


def _centre(polygons: Polygons) -> Floats:
    """Return the centre of the largest part's box: exact enough for borders that are a kilometre off."""
    boxes = [(rings[0].min(axis=0), rings[0].max(axis=0)) for rings in polygons]
    low, high = max(boxes, key=lambda box: float(np.prod(box[1] - box[0])))
    return np.asarray((low + high) / 2)


def _explain(values: Floats, problems: list[list[str]], text: str) -> None:
    for number in np.flatnonzero(values == 0).tolist():
        problems[number].append(text)


def _geometry(facts: _Facts, problems: list[list[str]]) -> Floats:
    values = np.array([float(g.is_valid and not g.is_empty) for g in facts.geometries])
    _explain(values, problems, "the geometry is invalid or empty")
    return values


def _in_range(facts: _Facts, problems: list[list[str]]) -> Floats:
    inside = [all(bool((np.abs(r[:, 0]) <= 180).all() and (np.abs(r[:, 1]) <= 90).all()) for rings in p for r in rings) for p in facts.shapes]
    values = np.array(inside, np.float64)
    _explain(values, problems, "longitude or latitude is out of range")
    return values


def _country(
    facts: _Facts, context: LocationContext, hits: Hits | None, in_range: Floats, problems: list[list[str]], not_run: dict[str, str]
) -> Floats:
    """Compare with the declared country; a plot whose swapped coordinates fall into it fails the range check."""
    nothing = np.full(len(facts.shapes), np.nan)
    if hits is None or context.borders is None or not context.country:
        not_run["country"] = "there are no country borders" if hits is None else "no country was declared, or its name is unknown"
        return nothing
    same = np.array([bool(c) and context.borders.same(c, context.country) for c in hits.codes], bool)
    clear = ~hits.near_border & (np.array([bool(c) for c in hits.codes]) | hits.at_sea)
    values = rules.verdict(same, clear)
    wrong = np.flatnonzero((values == 0) & (np.abs(facts.centres[:, 0]) <= 90))
    swapped = context.borders.locate(facts.centres[wrong, 1], facts.centres[wrong, 0])
    is_swapped = {n for n, c, w in zip(wrong.tolist(), swapped.codes, swapped.well_inside) if w and context.borders.same(c, context.country)}
    for number in np.flatnonzero(values == 0).tolist():
        if number in is_swapped:
            in_range[number] = 0.0
            problems[number].append(f"longitude and latitude are swapped: exchanged, the plot lies in the declared country {context.country}")
        else:
            problems[number].append(f"lies in {hits.codes[number] or 'no country'}, not in the declared country {context.country}")
    return values


def _land(hits: Hits | None, count: int, problems: list[list[str]], not_run: dict[str, str]) -> Floats:
    """Pass well inside a country, fail far out at sea; the coarse coast between decides nothing."""
    if hits is None:
        not_run["land"] = "there are no country borders"
        return np.full(count, np.nan)
    values = rules.verdict(hits.well_inside, hits.well_inside | hits.at_sea)
    _explain(values, problems, "lies in the sea, far from any coast")
    return values


def _area(facts: _Facts, problems: list[list[str]]) -> Floats:
    values = rules.area_plausible(facts.areas, facts.estates, facts.declared, facts.assumed)
    for number in np.flatnonzero(values == 0).tolist():
        declared = facts.declared[number]
        known = f"; declared are {declared:g} ha" if np.isfinite(declared) else ""
        problems[number].append(f"an area of {facts.areas[number]:.4g} ha is not plausible{known}")
    return values


def _overlap(plots: Sequence[CheckedPlot], facts: _Facts, context: LocationContext, problems: list[list[str]], progress: Progress) -> Floats:
    finder = OverlapFinder(facts.geometries, facts.areas.tolist(), facts.points.tolist(), [p.plotid for p in plots])
    finder.inside(progress)
    finder.across(context.others, progress)
    for own, found in zip(problems, finder.found):
        own.extend(found[:5])
    return np.array([float(not found) for found in finder.found])


def _latitude(facts: _Facts, context: LocationContext, problems: list[list[str]], not_run: dict[str, str]) -> Floats:
    if context.crop is None:
        not_run["latitude"] = "the commodity is not known"
    values = rules.latitude_plausible(facts.centres[:, 1], LATITUDES.get(context.crop) if context.crop else None)
    _explain(values, problems, f"{context.crop} does not grow at this latitude")
    return values


def _report(
    plots: Sequence[CheckedPlot], facts: _Facts, values: dict[str, Floats], hits: Hits | None, problems: list[list[str]], not_run: dict[str, str]
) -> LocationReport:
    weights = np.array(list(WEIGHTS.values()))
    table = np.stack([values[name] for name in WEIGHTS])
    ran = np.isfinite(table)
    run = (weights[:, None] * ran).sum(axis=0)
    scores = (weights[:, None] * np.where(ran, table, 0)).sum(axis=0) / np.where(run > 0, run, 1)
    located = (values["geometry"] == 1) & (values["range"] == 1)
    scores = np.where(located, scores, 0.0)
    score = float(np.average(scores, weights=facts.areas))
    weight_run = float(np.average(run, weights=facts.areas))
    repeated = Counter(p.plotid for p in plots)
    results = []
    for number, plot in enumerate(plots):
        checks = {name: None if np.isnan(v[number]) else bool(v[number]) for name, v in ((n, values[n]) for n in (*HARD, *WEIGHTS))}
        flags = _flags(facts, number, hits, repeated[plot.plotid] > 1)
        own = float(scores[number]) if run[number] > 0 or not located[number] else None
        results.append(PlotLocation(plot.uuid, plot.plotid, own, checks, flags, hits.codes[number] if hits else "", tuple(problems[number])))
    confidence = "invalid" if not (values["geometry"] == 1).any() else _band(score, weight_run)
    return LocationReport(confidence, score, weight_run, results, not_run, hits, located, facts.centres)


def _band(score: float, weight_run: float) -> str:
    """Return the API's word for a score; never `high` when checks worth under half of the weight could run."""
    if score >= HIGH and weight_run >= ENOUGH_WEIGHT - 1e-9:
        return "high"
    return "medium" if score >= MEDIUM else "low"


def _flags(facts: _Facts, number: int, hits: Hits | None, repeated: bool) -> tuple[str, ...]:
    coordinates = np.concatenate(list(facts.uploaded[number].arrays()))
    present = (
        ("area_assumed", bool(facts.assumed[number])), ("duplicate_plotid", repeated), ("low_precision", rules.low_precision(coordinates)),
        ("near_border", bool(hits.near_border[number]) if hits else False),
    )  # fmt: skip
    return tuple(name for name, is_set in present if is_set)
