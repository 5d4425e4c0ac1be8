"""From a plot file to a collection in the store: stage (read, check, identify, keep), then upload (check the locations)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from epoch_plugin.core.collections.checks import CheckedPlot, LocationContext, LocationReport, check_locations
from epoch_plugin.core.collections.crop_types import CROP_TYPES, find_crop
from epoch_plugin.core.collections.ids import CollectionIdBuilder, geometry_hash, plot_uuids
from epoch_plugin.core.collections.plots import Plot, StageOptions, canonical_plots
from epoch_plugin.core.collections.report import BadFeature, StageReport
from epoch_plugin.core.collections.source import PlotSource
from epoch_plugin.core.collections.spool import PlotSpool
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.progress import Progress, stop_if_cancelled
from epoch_plugin.core.regions.countries import Borders, country_name, override_info, vote
from epoch_plugin.core.regions.country_names import find_country
from epoch_plugin.core.store import collections, plots
from epoch_plugin.core.store.codec import timestamp
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.plots import PlotRow
from epoch_plugin.core.store.store import Store

SYSTEM_TYPES = ("smallholder", "estate")
_CHUNK = 10_000  # plots that are hashed together
_SHOWN_REASONS = 5


@dataclass(frozen=True)
class StageRequest:
    """What a user says of a new collection; `country` and `crop_type` may be any usual name or code."""

    collection_name: str
    description: str = ""
    crop_type: str = ""
    processing_type: str = ""
    system_type: str = ""
    country: str = ""
    options: StageOptions = field(default_factory=StageOptions)


@dataclass(frozen=True)
class StageResult:
    """What was staged: id, number of plots, features that are none, the report as JSON values."""

    collection_id: str
    plot_count: int
    invalid: list[BadFeature]
    report: dict[str, Any]
    already_staged: bool


@dataclass(frozen=True)
class UploadResult:
    """What an upload found: confidence ('' if not validated), the API's override info, the report and results per plot."""

    collection_id: str
    plot_count: int
    locations_confidence: str
    country_override_info: dict[str, Any] | None
    report: dict[str, Any]
    locations: LocationReport | None = None


def stage_plots(store: Store, source: PlotSource, request: StageRequest, progress: Progress) -> StageResult:
    """Read a source into a new collection; staging the same again changes nothing and returns the same id.

    Raises `InputError`, with the store as it was, if nothing can be read, no feature is a plot, or the name belongs to other plots.
    """
    request = dataclasses.replace(request, collection_name=request.collection_name.strip())
    _check_request(request)
    report = StageReport()
    report.warnings += _request_warnings(request)
    invalid: list[BadFeature] = []
    builder = CollectionIdBuilder(request.collection_name)
    progress.step(0.0, "Reading plots")
    with PlotSpool() as spool:
        for item in canonical_plots(source, request.options, report, progress):
            if isinstance(item, BadFeature):
                invalid.append(item)
            else:
                builder.add(item.plotid, item.text, item.metadata)
                spool.add(item)
        if spool.count == 0:
            raise InputError(_nothing_valid(source.name, invalid))
        _warn_about_plots(report, invalid)
        for warning in report.warnings:
            progress.warn(warning)
        progress.step(0.6, "Storing plots")
        staged = _keep(store, spool, builder.collection_id, request, report, progress)
    progress.step(1.0, "Staged")
    return StageResult(builder.collection_id, spool.count, invalid, report.to_dict(), staged)


def _check_request(request: StageRequest) -> None:
    if not request.collection_name.strip():
        raise InputError("A collection needs a name (COLLECTION_NAME).")
    if any(ord(c) < 32 for c in request.collection_name):
        raise InputError("COLLECTION_NAME holds a line break or another control character: remove it.")
    if request.system_type and request.system_type.strip().lower() not in SYSTEM_TYPES:
        raise InputError(f"SYSTEM_TYPE is '{request.system_type}': allowed are {' and '.join(SYSTEM_TYPES)}, or nothing.")
    if not request.options.point_area_ha > 0:
        raise InputError(f"point_area_ha is {request.options.point_area_ha}: an area above 0 ha is needed.")


def _request_warnings(request: StageRequest) -> list[str]:
    warnings = []
    if request.crop_type and find_crop(request.crop_type) is None:
        warnings.append(
            f"CROP_TYPE '{request.crop_type}' is not one of {', '.join(CROP_TYPES)}: the generic rules for plantations apply, "
            "without checks that are specific to a commodity."
        )
    if request.country and find_country(request.country) is None:
        warnings.append(f"COUNTRY '{request.country}' is not a known country name or ISO code: plots are not compared with it.")
    return warnings


def _warn_about_plots(report: StageReport, invalid: list[BadFeature]) -> None:
    if invalid:
        report.warnings.append(f"{len(invalid)} of {report.read} features are no valid plots and were left out; see INVALID for each reason.")
    if report.mended_count:
        report.warnings.append(f"{report.mended_count} geometries were mended; the report lists what was changed.")
    if report.assumed_areas_count:
        report.warnings.append(f"{report.assumed_areas_count} points declare no area: {report.point_area_ha:g} ha each are assumed (area_assumed).")
    if report.duplicate_plotids_count:
        first = report.duplicate_plotids[0]["plotid"]
        report.warnings.append(f"{report.duplicate_plotids_count} plots repeat the plot id of an earlier one (such as '{first}'); all were kept.")
    if report.transformation_accuracy_m is None:
        report.warnings.append(f"The accuracy of the transformation '{report.transformation}' is unknown.")


def _nothing_valid(name: str, invalid: list[BadFeature]) -> str:
    if not invalid:
        return f"'{name}' holds no features."
    lines = [f"feature {bad.row} ({bad.plotid}): {bad.reason}" for bad in invalid[:_SHOWN_REASONS]]
    more = f"; and {len(invalid) - _SHOWN_REASONS} more" if len(invalid) > _SHOWN_REASONS else ""
    return f"None of the {len(invalid)} features of '{name}' is a valid plot, so nothing was staged. {'; '.join(lines)}{more}."


def _keep(store: Store, spool: PlotSpool, collection_id: str, request: StageRequest, report: StageReport, progress: Progress) -> bool:
    """Write the collection unless it is there already; return whether it was."""
    with store.reading() as connection:
        if _already_there(collections.find_or_none(connection, collection_id), request, report, progress):
            return True
    with store.writing() as connection:
        # another process may have staged the same meanwhile; under the write lock the answer is final
        if _already_there(collections.find_or_none(connection, collection_id), request, report, progress):
            return True
        now = timestamp()
        collections.add(connection, _collection_row(collection_id, request, report, now), _plot_rows(spool, collection_id, now, progress))
    return False


def _already_there(known: CollectionRow | None, request: StageRequest, report: StageReport, progress: Progress) -> bool:
    if known is None:
        return False
    if known.collection_name != request.collection_name:
        raise InputError(
            f"These plots are already staged: the collection '{known.collection_name}' ({known.collection_id}) was staged under the name "
            f"'{request.collection_name}' and renamed since. Use it, or stage under another COLLECTION_NAME."
        )
    before = known.stage_report.get("point_area_ha")
    if report.assumed_areas_count and before is not None and before != report.point_area_ha:
        text = f"The collection was staged with {before:g} ha per point without area and stays so; delete it first to stage it with another area."
        report.warnings.append(text)
        progress.warn(text)
    return True


def _collection_row(collection_id: str, request: StageRequest, report: StageReport, now: str) -> CollectionRow:
    return CollectionRow(
        collection_id=collection_id, collection_name=request.collection_name, ingestion_time=now, status="staged",
        invalid_number=report.rejected, description=request.description or None,
        crop_type=find_crop(request.crop_type) or request.crop_type or None, processing_type=request.processing_type or None,
        system_type=request.system_type.strip().lower() or None, country=request.country or None,
        source_name=report.source_name, source_sha256=report.source_sha256, metadata={collections.STAGE_REPORT: report.to_dict()},
    )  # fmt: skip


def _plot_rows(spool: PlotSpool, collection_id: str, now: str, progress: Progress) -> Iterator[PlotRow]:
    position = 0
    for chunk in spool.chunks(_CHUNK):
        stop_if_cancelled(progress)
        progress.step(0.6 + 0.4 * position / spool.count, "Storing plots")
        texts = [plot.text for plot in chunk]
        for plot, digest, uuid in zip(chunk, geometry_hash(texts), plot_uuids(collection_id, texts, position + 1)):
            position += 1
            yield _plot_row(plot, uuid, digest, collection_id, now)


def _plot_row(plot: Plot, uuid: str, digest: str, collection_id: str, now: str) -> PlotRow:
    # parsed only where the name occurs: staging writes 100,000 of these
    facility = json.loads(plot.metadata).get("facility_id") if '"facility_id"' in plot.metadata else None
    return PlotRow(uuid=uuid, plotid=plot.plotid, collection_id=collection_id, area=plot.area, soliditysha3_256_hash=digest, polygon=plot.polygon,
                   ingestion_date=now, metadata=plot.metadata, source_geometry=plot.source_geometry, flags=plot.flags,
                   facility_id=None if facility is None else str(facility))  # fmt: skip


def upload_plots(store: Store, collection: str, validate: bool, borders: str | None, progress: Progress) -> UploadResult:
    """Release a staged collection for processing; with `validate`, score its locations and correct a wrong country.

    `borders` is the path of QGIS's world_map.gpkg. Raises `NotFoundError` for an unknown collection.
    """
    with store.reading() as connection:
        row = collections.find(connection, collection)
        checked = validate_locations(connection, row, borders, progress) if validate else None
    changes: dict[str, Any] = {} if checked is None else checked.changes
    if row.status == "staged":
        changes["status"] = "uploaded"
    if changes:
        with store.writing() as connection:
            collections.update(connection, row.collection_id, changes)
    if checked is None:
        before = row.validation_report or {}
        return UploadResult(row.collection_id, row.plot_number, row.locations_confidence or "", row.country_override_info, before)
    report = checked.locations
    return UploadResult(row.collection_id, row.plot_number, report.confidence, changes["country_override_info"], changes["validation_report"], report)


@dataclass(frozen=True)
class CheckedLocations:
    """Results per plot and the columns of the collection that follow from them."""

    locations: LocationReport
    changes: dict[str, Any]


def validate_locations(connection: Any, row: CollectionRow, borders: str | None, progress: Progress) -> CheckedLocations:
    """Check the locations of a collection; nothing is written."""
    progress.step(0.0, "Checking locations")
    rows = plots.of_collection(connection, row.collection_id)
    stored = [CheckedPlot(p.uuid, p.plotid, p.polygon, p.source_geometry, p.area, p.metadata) for p in rows]
    known_borders = Borders(borders) if borders else None
    # what the user declared, also after an earlier override replaced it; a country edited since then is a new declaration
    before = row.country_override_info or {}
    declared = before.get("original_country") if before and row.country == before.get("detected_country") else row.country
    country = find_country(declared)
    others = plots.of_others_near(connection, row.collection_id, plots.bounds(connection, row.collection_id))
    context = LocationContext(country.iso2 if country else "", find_crop(row.crop_type), row.system_type, known_borders, others)
    report = check_locations(stored, context, progress)
    changes: dict[str, Any] = {"locations_confidence": report.confidence, "validation_report": report.to_dict(), "country_override_info": None}
    _warn_about_locations(changes["validation_report"], progress)
    if known_borders is not None and report.hits is not None:
        changes |= _country_columns(known_borders, report, declared, progress)
    return CheckedLocations(report, changes)


def _warn_about_locations(report: dict[str, Any], progress: Progress) -> None:
    if report["confidence"] not in ("high", "medium"):
        progress.warn(f"The confidence of the locations is {report['confidence']} (score {report['score'] or 0:.2f}).")
    if report["problem_count"]:
        first = "; ".join(f"{plot['plotid']}: {', '.join(plot['problems'])}" for plot in report["problems"][:_SHOWN_REASONS])
        progress.warn(f"{report['problem_count']} of {report['plots']} plots lie or look doubtful ({first}); validation_report lists them.")


def _country_columns(borders: Borders, report: LocationReport, declared: str | None, progress: Progress) -> dict[str, Any]:
    hits: Any = report.hits
    result = vote(hits, report.located)
    info = override_info(declared, result)
    columns: dict[str, Any] = {"detected_country": country_name(result.code) if result else None, "country_override_info": info, "country": declared}
    columns["admin1"] = borders.admin1(report.points[:, 0], report.points[:, 1])
    if info:
        columns["country"] = info["detected_country"]
        progress.warn(str(info["message"]))
    elsewhere = sum(plot.checks["country"] is False for plot in report.plots)
    if elsewhere and not info:
        progress.warn(f"{elsewhere} of {len(report.plots)} plots lie outside the declared country '{declared}', which stays; the report names them.")
    return columns
