"""From a request to fields and a stream of features."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch.aggregate import aggregate
from epoch_plugin.core.fetch.fields import Selected, selected_fields
from epoch_plugin.core.fetch.filters import Filter, apply_filters, parse_filters
from epoch_plugin.core.fetch.flatten import flattening
from epoch_plugin.core.fetch.limits import effective_limit
from epoch_plugin.core.fetch.references import check_kind, join_references
from epoch_plugin.core.fetch.request import FetchRequest, iso_date
from epoch_plugin.core.fetch.result import Feature, FetchResult
from epoch_plugin.core.fetch.warnings import fetch_warnings
from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.geometry import blob_wkb
from epoch_plugin.core.store.queries import PlotQuery, WindowCondition, register_filters, states
from epoch_plugin.core.store.store import Store

_BATCH = 500


def fetch(store: Store, request: FetchRequest) -> FetchResult:
    """Answer a request from one snapshot of the store; raise `InputError` or `NotFoundError` on what cannot be meant."""
    connection = store.connect_reading()
    try:
        connection.execute("BEGIN")  # one snapshot for counts and features, whoever commits meanwhile
        register_filters(connection)
        return _answer(connection, request)
    except BaseException:
        connection.close()
        raise


def _answer(connection: sqlite3.Connection, request: FetchRequest) -> FetchResult:
    filters = parse_filters(request.filters)
    request, filters = _window_from_filters(request, filters)
    query = _query(connection, request, filters)
    matched, statistic_states = states(connection, query)
    selected = selected_fields(request)
    if request.stat_type and not request.aggregate and not request.plots_only:
        selected = _with_references(query, selected, request)
    limit = None if request.aggregate else effective_limit(request.limit, [wanted.key for wanted in filters])
    count = (1 if matched else 0) if request.aggregate else min(matched, matched if limit is None else limit)
    warnings = fetch_warnings(request, matched, count, statistic_states)
    if request.aggregate:
        features, totals = aggregate(connection, request, query, matched)
        selected = tuple(Selected(field, "") for field in totals)
    else:
        features = _features(connection, query, selected, limit)
    if request.flatten and not request.aggregate:
        flat = flattening(connection, query, selected)
        layer_fields, layer_properties = flat.fields, flat.properties
        warnings += [f"Column '{wanted}' differs from another only in case or not at all: it is called '{given}'." for wanted, given in flat.renamed]
    else:
        layer_fields, layer_properties = tuple(entry.field for entry in selected), _properties
    fields = tuple(entry.field for entry in selected)
    stream = _closing(features, connection.close)
    return FetchResult(fields, stream, count, matched, tuple(warnings), layer_fields, layer_properties, connection.close)


def _with_references(query: PlotQuery, selected: tuple[Selected, ...], request: FetchRequest) -> tuple[Selected, ...]:
    """Put the reference fields before the hash and the metadata, which end a feature."""
    check_kind(request.stat_type)
    found = tuple(Selected(field, sql) for field, sql in join_references(query, request.stat_type, request.overlap_threshold))
    return (*selected[:-2], *found, *selected[-2:]) if found else selected


def _properties(feature: Feature) -> dict[str, Any]:
    return feature.properties


def _closing(features: Iterator[Feature], close: Callable[[], None]) -> Iterator[Feature]:
    try:
        yield from features
    finally:
        close()


def _window_from_filters(request: FetchRequest, filters: Sequence[Filter]) -> tuple[FetchRequest, tuple[Filter, ...]]:
    """Read `monitoring_start=` and `monitoring_end=` of the query string as the parameters of that name."""
    kept = []
    start, end = request.start, request.end
    for wanted in filters:
        name = wanted.key.casefold()
        if not request.statistics or name not in ("monitoring_start", "monitoring_end"):
            kept.append(wanted)
        elif name == "monitoring_start":
            start = _one_date(start, wanted)
        else:
            end = _one_date(end, wanted)
    return replace(request, start=start, end=end), tuple(kept)


def _one_date(given: dt.date | str | None, wanted: Filter) -> str:
    """Return the date that a filter and the parameter of the same name agree on."""
    dates = {iso_date(value[:10], wanted.key.upper()) for value in wanted.values} | {iso_date(given, wanted.key.upper())}
    texts = sorted(text for text in dates if text)
    if len(texts) != 1:
        raise InputError(f"FILTERS: {wanted.key} is {' and '.join(texts) or 'empty'}, but a result has one window: give one date.")
    return texts[0]


def _query(connection: sqlite3.Connection, request: FetchRequest, filters: Sequence[Filter]) -> PlotQuery:
    start, end = iso_date(request.start, "MONITORING_START"), iso_date(request.end, "MONITORING_END")
    if start and end and end <= start:
        raise InputError(f"MONITORING_END ({end}) is not after MONITORING_START ({start}).")
    job_id = (request.job_id or "").strip() or None
    if job_id:
        jobs.get(connection, job_id)
    query = PlotQuery(request.statistics, WindowCondition(start, end, job_id))
    collection_id = collections.find(connection, request.collection).collection_id if request.collection else None
    if collection_id:
        query.where("p.collection_id = ?", [collection_id])
    apply_filters(connection, query, filters, collection_id)
    return query


def _features(connection: sqlite3.Connection, query: PlotQuery, selected: Sequence[Selected], limit: int | None) -> Iterator[Feature]:
    names = [entry.field.name for entry in selected]
    columns = ", ".join(["p.uuid", "p.geom", "p.source_geometry", *(entry.sql for entry in selected)])
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(query.sql(columns, "ORDER BY p.fid LIMIT ?"), [*query.parameters, -1 if limit is None else limit])
    while True:
        rows = cursor.fetchmany(_BATCH)
        if not rows:
            return
        for row in rows:
            yield Feature(row[0], blob_wkb(row[1]), row[2], dict(zip(names, row[3:])))
