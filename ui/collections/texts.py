"""What the Collections dock says about collections and jobs."""

from __future__ import annotations

import html
import json
import os
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QDateTime, QLocale, Qt

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.overview import can_resume, is_running
from epoch_plugin.bridge.sentences import plots_in_words, role_in_words
from epoch_plugin.ui.collections.statistics import label_of

if TYPE_CHECKING:
    from epoch_plugin.bridge.runs import Run
    from epoch_plugin.core.store.collections import CollectionRow
    from epoch_plugin.core.store.jobs import JobRow
    from epoch_plugin.core.store.overview import CollectionOverview


SEPARATOR = " · "


def count(number: float, decimals: int = 0) -> str:
    """Return a number with the locale's separators."""
    return QLocale().toString(float(number), "f", decimals)


def moment(text: str | None) -> str:
    """Return a stored moment in local time, as the locale writes it; empty for None."""
    if not text:
        return ""
    stamp = QDateTime.fromString(text, Qt.DateFormat.ISODateWithMs)
    return QLocale().toString(stamp.toLocalTime(), QLocale.FormatType.ShortFormat) if stamp.isValid() else text


def duration(seconds: float) -> str:
    """Return a rough duration: seconds, minutes or hours."""
    if seconds < 90:
        return tr("{n} s").format(n=max(1, round(seconds)))
    if seconds < 5400:
        return tr("{n} min").format(n=round(seconds / 60))
    return tr("{n} h").format(n=count(seconds / 3600, 1))


def status_word(status: str) -> str:
    """Return a collection's or job's status in words."""
    return {
        "staged": tr("Staged"), "uploaded": tr("Uploaded"), "processing": tr("Processing"), "processed": tr("Processed"), "failed": tr("Failed"),
        "queued": tr("Queued"), "in_progress": tr("Running"), "completed": tr("Completed"), "cancelled": tr("Cancelled"),
        "interrupted": tr("Interrupted"),
    }.get(status, status)  # fmt: skip


def job_status(job: JobRow) -> str:
    """Return the status to show: a job that nobody runs although its row says so is interrupted."""
    return "interrupted" if job.status in ("in_progress", "queued") and not is_running(job) else job.status


def confidence_words(text: str | None) -> str:
    """Return how far the locations are trusted."""
    known = {"high": tr("high confidence"), "medium": tr("medium confidence"), "low": tr("low confidence"), "invalid": tr("invalid locations")}
    return known.get(text or "", text or tr("locations not checked"))


def collection_facts(item: CollectionOverview) -> str:
    """Return the second line of a collection, the most important fact first: what does not fit is left out from the end."""
    row = item.collection
    facts = [plots_in_words(row.plot_number)]
    if row.invalid_number:
        facts.append(tr("{n} left out").format(n=count(row.invalid_number)))
    country = row.country or row.detected_country
    if country:
        facts.append(country)
    if row.status != "staged":
        facts.append(confidence_words(row.locations_confidence))
    if item.jobs:
        facts.append(tr("last job {when}").format(when=moment(item.jobs[0].created)))
    return SEPARATOR.join(facts)


def window_words(start: str, end: str) -> str:
    """Return a monitoring window."""
    return f"{start} → {end}"


def job_title(stats: list[str], start: str, end: str) -> str:
    """Return what a job is, for a heading."""
    return f"{statistics_words(stats)}, {window_words(start, end)}"


def statistics_words(stats: list[str]) -> str:
    """Return a job's statistics, short enough for a row of the dock."""
    names = [label_of(key) for key in stats]
    return ", ".join(names) if len(names) < 3 else tr("{first} and {n} more").format(first=names[0], n=len(names) - 1)


def job_facts(job: JobRow) -> str:
    """Return the second line of a job that is not running here."""
    if job.error:
        return job.error
    when = moment(job.updated)
    if can_resume(job) and 0 < job.progress < 100:
        return tr("{percent} % done, {when}; can be resumed").format(percent=count(job.progress), when=when)
    return tr("{percent} % done, {when}").format(percent=count(job.progress), when=when) if job.status != "completed" else when


def run_facts(run: Run) -> str:
    """Return the second line of a run of ours: share, stage, time left."""
    if run.cancelled:
        return tr("stopping…")
    facts = [tr("{percent} %").format(percent=count(100 * run.fraction)), stage_words(run.stage)]
    left = run.seconds_left
    if left is not None:
        facts.append(tr("{time} left").format(time=duration(left)))
    return " · ".join(facts)


def stage_words(stage: str) -> str:
    """Return what a run does now; a stage of the engine, with the chunk behind it, in words of the user."""
    name, _, chunk = stage.partition(" ")
    known = {"plan": tr("planning"), "gather": tr("reading layers"), "regions": tr("regions"), "references": tr("reference areas")}
    if name not in known:
        return stage or tr("starting")
    return tr("{what}, part {chunk}").format(what=known[name], chunk=chunk) if chunk else known[name]


def is_ours(job: JobRow) -> bool:
    """Tell whether a running job's owner is this process."""
    return (job.owner or "").split(":")[1:2] == [str(os.getpid())]


def collection_html(row: CollectionRow, reports: dict[str, Any]) -> str:
    """Return the details of a collection."""
    stage, locations = reports["stage"], reports["locations"]
    facts = [
        (tr("Plots"), count(row.plot_number)), (tr("Left out"), count(row.invalid_number)), (tr("Description"), row.description),
        (tr("Commodity"), row.crop_type), (tr("System"), row.system_type), (tr("Country"), row.country),
        (tr("Country found"), row.detected_country), (tr("Region found"), row.admin1), (tr("Locations"), confidence_words(row.locations_confidence)),
        (tr("Source"), row.source_name), (tr("Staged"), moment(row.ingestion_time)), (tr("CRS of the source"), stage.get("source_crs")),
        (tr("Transformation"), stage.get("transformation")), (tr("Plot id from"), stage.get("plot_id_field")),
        (tr("Collection id"), row.collection_id),
    ]  # fmt: skip
    parts = [_title(row.collection_name), _table(facts)]
    if reports["override"]:
        parts.append(_paragraph(reports["override"].get("message", "")))
    parts += [_list(tr("Read this"), stage.get("warnings") or []), _raw(tr("Staging report"), stage), _raw(tr("Check of the locations"), locations)]
    return "".join(parts)


def job_html(job: JobRow) -> str:
    """Return the details of a job, its errors and its provenance."""
    run = job.provenance or {}
    stage = stage_words(job.outcome) if job.outcome and job.status != "completed" else ""
    facts = [
        (tr("Statistics"), ", ".join(label_of(key) for key in job.stats)),
        (tr("Status"), status_word(job_status(job))), (tr("Stage"), stage), (tr("Done"), f"{count(job.progress)} %"),
        (tr("Parts done"), count(len(job.complete_task_ids))), (tr("Parts failed"), count(len(job.failed_task_ids))),
        (tr("Created"), moment(job.created)), (tr("Last change"), moment(job.updated)), (tr("Datasets file"), run.get("datasets_file")),
        (tr("Method"), run.get("method_version")), (tr("Plugin"), run.get("plugin_version")), (tr("Job id"), job.job_id),
    ]  # fmt: skip
    title = _title(job_title(job.stats, job.start_date, job.end_date))
    error = _list(tr("Error"), [job.error]) if job.error else ""
    sources = [f"{role_in_words(item['role'])}: {item.get('title') or item['role']}" for item in run.get("sources") or []]
    return title + error + _table(facts) + _list(tr("Layers used"), sources) + _raw(tr("Provenance"), run)


def _title(text: str) -> str:
    return f"<h3>{html.escape(text)}</h3>"


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>" if text else ""


def _table(facts: list[tuple[str, Any]]) -> str:
    rows = "".join(f"<tr><td><b>{html.escape(name)}</b>&nbsp;</td><td>{html.escape(str(value))}</td></tr>" for name, value in facts if value)
    return f"<table cellpadding='2'>{rows}</table>"


def _list(title: str, lines: list[str]) -> str:
    return f"<h4>{html.escape(title)}</h4><ul>" + "".join(f"<li>{html.escape(str(line))}</li>" for line in lines) + "</ul>" if lines else ""


def _raw(title: str, values: Any) -> str:
    if not values:
        return ""
    text = json.dumps(values, ensure_ascii=False, indent=1)
    return f"<h4>{html.escape(title)}</h4><pre style='white-space: pre-wrap'>{html.escape(text)}</pre>"
