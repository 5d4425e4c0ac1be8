"""Features in, canonical plots out: one CRS, polygons only, every feature accounted for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.collections.attributes import choose_id_field, declared_area_ha, metadata_json, plot_id
from epoch_plugin.core.collections.canonical_text import point_text, polygon_texts
from epoch_plugin.core.collections.crs import ToLonLat, resolve_crs
from epoch_plugin.core.collections.defects import Defect
from epoch_plugin.core.collections.geodesy import polygons_area_ha
from epoch_plugin.core.collections.outline import Outline, point_outline, polygon_outline
from epoch_plugin.core.collections.report import BadFeature, StageReport
from epoch_plugin.core.collections.shapes import Polygons, Ring, Shape, multipolygon_wkb, parse_wkb, point_wkb, shape_wkb, shape_wkt
from epoch_plugin.core.collections.source import PlotSource, SourceFeature
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.nesting import nested_too_deeply
from epoch_plugin.core.progress import Progress, stop_if_cancelled

_CHUNK = 1000  # features that are transformed, judged and written as text together
_METRES = 1000.0  # "degrees" beyond this are most likely metres


@dataclass(frozen=True)
class StageOptions:
    """How to read a source; `crs` only where the source declares none."""

    plot_id_field: str = ""
    fix_geometries: bool = False
    crs: str = ""
    point_area_ha: float = 4.0


@dataclass(frozen=True)
class Plot:
    """A plot as it is stored: WKB in EPSG:4326, `area` in ha, `text` the canonical text, `metadata` JSON.

    `flags`: point, area_assumed, multipoint, mended, split, duplicate_plotid.
    """

    row: int
    plotid: str
    polygon: bytes
    source_geometry: bytes | None
    area: float
    text: str
    metadata: str
    flags: tuple[str, ...]


@dataclass
class _Draft:
    """A plot before its text is written."""

    row: int
    plotid: str
    outline: Outline
    source: bytes | None
    metadata: str
    flags: list[str]
    point: tuple[float, float] | None = None


def canonical_plots(source: PlotSource, options: StageOptions, report: StageReport, progress: Progress) -> Iterator[Plot | BadFeature]:
    """Yield a `Plot` or a `BadFeature` for everything in the source, in file order; fill `report` on the way.

    Raises `InputError` where the source as a whole cannot be read (CRS, id field, truncated file).
    """
    crs = resolve_crs(source, options.crs)
    to_lonlat = ToLonLat(crs, source.name)
    report.source_name, report.source_sha256, report.source_crs = source.name, source.sha256, to_lonlat.crs_name
    report.fix_geometries, report.point_area_ha = options.fix_geometries, options.point_area_ha
    maker = _PlotMaker(to_lonlat, options, report)
    features = iter(source.features)
    first = True
    while chunk := list(itertools.islice(features, _CHUNK)):
        stop_if_cancelled(progress)
        if first:
            maker.id_field = report.plot_id_field = choose_id_field(options.plot_id_field, chunk, source.name)
            first = False
        yield from maker.chunk(chunk)
        if report.read % (50 * _CHUNK) == 0:
            progress.info(f"{report.read} features read, {report.rejected} rejected")
    report.transformation, report.transformation_accuracy_m = to_lonlat.name, to_lonlat.accuracy_m


class _PlotMaker:
    def __init__(self, to_lonlat: ToLonLat, options: StageOptions, report: StageReport) -> None:
        self._to_lonlat, self._options, self._report = to_lonlat, options, report
        self.id_field: str | None = None
        self._rows_of_ids: dict[str, int] = {}

    def chunk(self, features: Sequence[SourceFeature]) -> Iterator[Plot | BadFeature]:
        """Turn a chunk of features into plots and bad features, keeping their order."""
        self._refuse_deep_nesting(features)
        shapes = self._lonlat_shapes(features)
        results = [item for feature, shape in zip(features, shapes) for item in self._feature(feature, shape)]
        drafts = [r for r in results if isinstance(r, _Draft)]
        texts = iter(polygon_texts([d.outline.polygons for d in drafts if d.point is None]))
        self._report.read += len(features)
        for result in results:
            if isinstance(result, _Draft):
                text = point_text(*result.point) if result.point else next(texts)
                yield self._plot(result, text)
            else:
                self._report.rejected += 1
                self._report.rejected_reasons[result.reason_code] += 1
                yield result

    def _refuse_deep_nesting(self, features: Sequence[SourceFeature]) -> None:
        """Refuse the source here rather than store attributes that SQLite or another Python cannot read again."""
        for feature in features:
            if nested_too_deeply(feature.attributes):
                where = f"'{self._report.source_name}', feature {feature.row}"
                raise InputError(f"{where}: the attributes are nested too deeply. Flatten or remove them.")

    def _lonlat_shapes(self, features: Sequence[SourceFeature]) -> list[Shape | None]:
        """Take all geometries apart and transform all their coordinates in one call."""
        shapes: list[Shape | None] = []
        for feature in features:
            try:
                shapes.append(None if feature.geometry is None else parse_wkb(feature.geometry))
            except ValueError as error:
                feature.problem = feature.problem or str(error)
                shapes.append(None)
        arrays = [array for shape in shapes if shape is not None for array in shape.arrays()]
        if not arrays:
            return shapes
        points = self._to_lonlat(np.concatenate(arrays))
        pieces: Iterator[Ring] = iter(np.split(points, np.cumsum([len(a) for a in arrays])[:-1]))
        return [None if shape is None else shape.replaced(pieces) for shape in shapes]

    def _feature(self, feature: SourceFeature, shape: Shape | None) -> list[_Draft | BadFeature]:
        plotid = plot_id(feature, self.id_field)
        defect = _unusable(feature, shape, self._to_lonlat.geographic)
        if defect is not None or shape is None:
            return [_bad(feature.row, plotid, shape, defect or Defect("missing_geometry", "there is no geometry"))]
        if shape.polygons and (len(shape.points) or shape.lines):
            if not self._options.fix_geometries:
                reason = "polygons are mixed with points or lines in one feature"
                return [_bad(feature.row, plotid, shape, Defect("mixed_geometry", reason, *shape.polygons[0][0][0].tolist()))]
            return [self._polygon(feature, plotid, Shape(shape.polygons), shape, ["points or lines of a mixed feature were dropped"])]
        if shape.polygons:
            return [self._polygon(feature, plotid, shape, shape, [])]
        return self._points(feature, plotid, shape)

    def _polygon(self, feature: SourceFeature, plotid: str, shape: Shape, uploaded: Shape, done: list[str]) -> _Draft | BadFeature:
        outline = polygon_outline(shape.polygons, self._options.fix_geometries)
        if isinstance(outline, Defect):
            return _bad(feature.row, plotid, shape, outline)
        flags = []
        if outline.mended or done:
            flags.append("mended")
            self._report.add("mended", {
                "row": feature.row, "plotid": plotid, "reason_code": outline.reason_code or "mixed_geometry", "changes": [*done, *outline.mended],
                "area_before_ha": outline.area_before_ha, "area_after_ha": polygons_area_ha(outline.polygons),
            })  # fmt: skip
        if outline.split:
            flags.append("split")
            self._report.add("split", plotid)
        changed = bool(flags)
        return _Draft(feature.row, plotid, outline, shape_wkb(_closed_rings(uploaded)) if changed else None, metadata_json(feature.attributes), flags)

    def _points(self, feature: SourceFeature, plotid: str, shape: Shape) -> list[_Draft | BadFeature]:
        area = declared_area_ha(feature.attributes)
        many = len(shape.points) > 1
        flags = ["point", *(["area_assumed"] if area is None else []), *(["multipoint"] if many else [])]
        drafts: list[_Draft | BadFeature] = []
        for number, (lon, lat) in enumerate(shape.points.tolist(), start=1):
            name = f"{plotid}-{number}" if many else plotid
            outline = point_outline(lon, lat, area or self._options.point_area_ha)
            if isinstance(outline, Defect):
                return [_bad(feature.row, plotid, shape, outline)]
            own_flags = [*flags, *(["split"] if outline.split else [])]
            drafts.append(_Draft(feature.row, name, outline, point_wkb(lon, lat), metadata_json(feature.attributes), own_flags, (lon, lat)))
        return drafts

    def _plot(self, draft: _Draft, text: str) -> Plot:
        report = self._report
        report.stored += 1
        if draft.point is not None:
            report.points += 1
            if "split" in draft.flags:
                report.add("split", draft.plotid)
        if "area_assumed" in draft.flags:
            report.add("assumed_areas", draft.plotid)
        first = self._rows_of_ids.setdefault(draft.plotid, draft.row)
        if first != draft.row:
            draft.flags.append("duplicate_plotid")
            report.add("duplicate_plotids", {"plotid": draft.plotid, "row": draft.row, "first_row": first})
        polygons = draft.outline.polygons
        area = polygons_area_ha(polygons)
        return Plot(draft.row, draft.plotid, multipolygon_wkb(polygons), draft.source, area, text, draft.metadata, tuple(draft.flags))


def _unusable(feature: SourceFeature, shape: Shape | None, geographic: bool) -> Defect | None:
    """Return what is wrong before any ring is looked at: nothing there, no number, no place on Earth, no area."""
    if feature.problem is not None:
        return Defect("unreadable_geometry", feature.problem)
    if shape is None:
        return Defect("missing_geometry", "there is no geometry")
    if shape.empty:
        return Defect("empty_geometry", "the geometry is empty: it has no coordinates")
    points = np.concatenate([np.empty((0, 2)), *shape.arrays()])
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        place = points[finite][0].tolist() if finite.any() else (None, None)
        if geographic or np.isnan(points).any():
            return Defect("nan_coordinate", f"{int((~finite).sum())} of {len(points)} positions have a coordinate that is no finite number", *place)
        return Defect("outside_crs", "coordinates lie where the coordinate reference system is not defined", *place)
    outside = _out_of_range(points)
    if outside is not None:
        return outside
    if shape.others:
        return Defect("unsupported_geometry", f"a {shape.others[0]} is not a plot: a point or a polygon is needed")
    if shape.lines and not shape.polygons and not len(shape.points):
        reason = "a line is not a plot: draw the plot's boundary as a polygon, or give a point with the area"
        return Defect("line_geometry", reason, *points[0].tolist())
    if shape.lines and not shape.polygons:
        return Defect("mixed_geometry", "points are mixed with lines in one feature", *points[0].tolist())
    return None


def _out_of_range(points: Ring) -> Defect | None:
    outside = (np.abs(points[:, 0]) > 180) | (np.abs(points[:, 1]) > 90)
    if not outside.any():
        return None
    x, y = points[outside][0].tolist()
    where = f"longitude {x:g}, latitude {y:g}"
    if max(abs(x), abs(y)) > _METRES:
        reason = f"{where} are no degrees: they look like projected metres (for example UTM); set CRS, or correct the CRS that the file declares"
        return Defect("projected_coordinates", reason)
    if abs(x) <= 90 and abs(y) <= 180:
        return Defect("swapped_axes", f"{where}: the latitude exceeds 90; longitude and latitude seem to be swapped", y, x)
    return Defect("out_of_range", f"{where} lie outside -180..180 and -90..90")


def _closed_rings(shape: Shape) -> Shape:
    """Close rings for storage: an unclosed one is not readable as a polygon anywhere."""
    polygons: Polygons = [[r if len(r) == 0 or (r[0] == r[-1]).all() else np.concatenate([r, r[:1]]) for r in rings] for rings in shape.polygons]
    return Shape(polygons, shape.points, shape.lines, shape.others, shape.collection)


def _bad(row: int, plotid: str, shape: Shape | None, defect: Defect) -> BadFeature:
    lon, lat = defect.lon, defect.lat
    if lon is not None and lat is not None and not (abs(lon) <= 540 and abs(lat) <= 90):
        lon = lat = None
    return BadFeature(row, plotid, defect.reason, defect.code, lon, lat, shape_wkt(shape) if shape is not None else "")
