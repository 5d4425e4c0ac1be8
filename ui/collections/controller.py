"""What the Collections dock does: every action is an algorithm run in the background; the store is only looked at."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QElapsedTimer, QObject, QTimer, pyqtSignal

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import counted
from epoch_plugin.bridge.overview import Overview, read_overview, resumable_jobs, store_stamp
from epoch_plugin.bridge.runs import Run, Runs
from epoch_plugin.bridge.sentences import plots_in_words
from epoch_plugin.bridge.settings import store_path
from epoch_plugin.bridge.tasks import BackgroundTask, in_background
from epoch_plugin.ui.collections.statistics import batch_calls, label_of
from epoch_plugin.ui.collections.texts import is_ours

if TYPE_CHECKING:
    from epoch_plugin.core.store.collections import CollectionRow
    from epoch_plugin.core.store.jobs import JobRow

LOOK_EVERY_MS = 2000
SOON_MS = 300


class CollectionsController(QObject):
    """Knows the store's overview and the runs on their way; tells the widgets when either changes."""

    overview_changed = pyqtSignal()
    runs_changed = pyqtSignal()
    problem = pyqtSignal(str, str)  # title, what was wrong
    warned = pyqtSignal(str, str)
    noted = pyqtSignal(str, str)
    staged = pyqtSignal(object)  # run of a staging that succeeded
    job_completed = pyqtSignal(str, str)  # collection id, job id
    sample_ready = pyqtSignal(str)  # collection id of the sample, processed
    resumable_found = pyqtSignal(list)  # jobs of an earlier session

    def __init__(self, runs: Runs):
        super().__init__()
        self.runs = runs
        self.overview = Overview(store_path(), False)
        self.loaded = False
        self._stamp: Any = None
        self._looking: BackgroundTask | None = None
        self._offered = False
        self._last_look = QElapsedTimer()
        self._last_look.start()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)
        runs.started.connect(self._on_run)
        runs.changed.connect(self._on_run)
        runs.finished.connect(self._on_finished)

    def start(self) -> None:
        """Begin to watch the store."""
        self.look(force=True)
        self._timer.start()

    def stop(self) -> None:
        """Stop watching."""
        self._timer.stop()
        if self._looking is not None:
            self._looking.forget()
            self._looking = None
        for signal, slot in ((self.runs.started, self._on_run), (self.runs.changed, self._on_run), (self.runs.finished, self._on_finished)):
            signal.disconnect(slot)

    @property
    def store(self) -> str:
        """The store's path, as the settings say now."""
        return store_path()

    def look(self, force: bool = False) -> None:
        """Read the store in the background if it changed since the last look."""
        path = self.store
        stamp = (path, store_stamp(path))
        if self._looking is not None or (stamp == self._stamp and not force):
            return
        self._stamp = stamp
        self._last_look.start()
        self._looking = in_background(tr("Looking at the collections"), lambda _: read_overview(path), self._seen, quiet=True)

    def _seen(self, overview: Overview | None, error: str | None) -> None:
        self._looking = None
        self.loaded = True
        if overview is None:
            self.overview = Overview(self.store, False)
            self.problem.emit(tr("The store cannot be read"), error or "")
        else:
            self.overview = overview
            self._know_jobs()
        self.overview_changed.emit()
        if overview is not None and not self._offered:
            self._offered = True
            self._offer_resuming()

    def _know_jobs(self) -> None:
        """Note on each run of ours which job it computes, as soon as the store says so."""
        for item in self.overview.collections:
            for job in item.jobs:
                run = self.run_of(job)
                if run is not None:
                    run.about["job_id"] = job.job_id

    def _offer_resuming(self) -> None:
        jobs = resumable_jobs(self.overview, preferences.interrupted_jobs())
        preferences.put_interrupted_jobs([])
        if jobs:
            self.resumable_found.emit(jobs)

    # actions

    def stage(self, parameters: dict[str, Any], then_upload: bool = False) -> Run:
        """Stage plots; `parameters` are those of epoch:stageplots."""
        what = tr("Staging {name}").format(name=parameters.get("COLLECTION_NAME", ""))
        return self._run("stageplots", parameters, what, kind="stage", then_upload=then_upload)

    def upload(self, collection_id: str, name: str) -> Run:
        """Check a staged collection's locations and release it for processing."""
        return self._run("uploadplots", {"COLLECTION": collection_id, "OUTPUT": None}, tr("Uploading {name}").format(name=name),
                         kind="upload", collection_id=collection_id)  # fmt: skip

    def process(self, collection_id: str, name: str, stats: list[str], request: dict[str, Any], settings: dict[str, Any]) -> list[Run]:
        """Start the batch; `request` are parameters that all batch algorithms share."""
        start, end = request["START_DATE"], request["END_DATE"] or dt.date.today().isoformat()
        runs = []
        for algorithm, parameters, keys in batch_calls(stats, {**request, "END_DATE": end, "COLLECTION": collection_id}, settings):
            what = tr("Processing {name}: {stats}").format(name=name, stats=", ".join(label_of(key) for key in keys))
            about = {"kind": "job", "collection_id": collection_id, "start": start, "end": end, "stats": keys}
            runs.append(self.runs.start(algorithm, {"STORE": self.store, **parameters}, what, **about))
        return runs

    def resume(self, job: JobRow) -> None:
        """Run a job's batch again: it continues behind its last chunk, unless its inputs changed meanwhile."""
        from epoch_plugin.bridge.overview import read_job

        path = self.store
        in_background(tr("Reading the job"), lambda _: read_job(path, job.job_id), self._resume, quiet=True)

    def _resume(self, job: JobRow | None, error: str | None) -> None:
        if job is None:
            self.problem.emit(tr("The job cannot be resumed"), error or "")
            return
        run = job.provenance or {}
        datasets = run.get("datasets_file") or preferences.get(preferences.DATASETS)
        request = {"START_DATE": job.start_date, "END_DATE": job.end_date, "DATASETS": datasets, "EXECUTOR": run.get("executor") or "threads"}
        request.update(_regions_and_farm(run))
        self.process(job.collection_id, self.name_of(job.collection_id), list(job.stats), request, run.get("settings") or {})

    def cancel(self, job: JobRow | None, run: Run | None) -> None:
        """Stop a job: ours at once, another process's through the store."""
        if run is not None:
            run.cancel()
        elif job is not None:
            self._run("canceljob", {"JOB_ID": job.job_id}, tr("Cancelling a job"), kind="edit")

    def edit(self, collection_id: str, changes: dict[str, str]) -> Run:
        """Rename or describe a collection; `changes` are parameters of epoch:editcollection."""
        return self._run("editcollection", {"COLLECTION": collection_id, **changes}, tr("Changing a collection"), kind="edit")

    def delete(self, collection_id: str, name: str) -> Run:
        """Delete a collection."""
        return self._run("deletecollection", {"COLLECTION": collection_id}, tr("Deleting {name}").format(name=name), kind="delete")

    # what is known

    def find(self, collection_id: str) -> Any:
        """Return a collection's overview, or None."""
        return next((item for item in self.overview.collections if item.collection.collection_id == collection_id), None)

    def name_of(self, collection_id: str) -> str:
        """Return a collection's name, its id where it is not known."""
        item = self.find(collection_id)
        return item.collection.collection_name if item else collection_id

    def uploaded(self) -> list[CollectionRow]:
        """Return the collections that can be processed."""
        return [item.collection for item in self.overview.collections if item.collection.status != "staged"]

    def run_of(self, job: JobRow) -> Run | None:
        """Return our run that computes a job, or None."""
        if job.status != "in_progress" or not is_ours(job):
            return None
        return next((run for run in self.runs.jobs() if _computes(run, job)), None)

    def runs_without_row(self, collection_id: str) -> list[Run]:
        """Return our runs on a collection whose job is not in the store yet."""
        item = self.find(collection_id)
        rows = item.jobs if item else ()
        return [run for run in self.runs.jobs() if run.about["collection_id"] == collection_id and not any(self.run_of(job) is run for job in rows)]

    def running_job_ids(self) -> list[str]:
        """Return the ids of the jobs that runs of ours compute now."""
        return [job.job_id for item in self.overview.collections for job in item.jobs if self.run_of(job) is not None]

    def _run(self, name: str, parameters: dict[str, Any], what: str, **about: Any) -> Run:
        return self.runs.start(f"epoch:{name}", {"STORE": self.store, **parameters}, what, **about)

    def _on_run(self, run: Run) -> None:
        if run.about.get("kind") == "job" and run in self.runs_without_row(run.about["collection_id"]) and self._last_look.elapsed() > SOON_MS:
            self.look()  # its job is about to appear in the store
        self.runs_changed.emit()

    def _on_finished(self, run: Run, ok: bool) -> None:
        self.look(force=True)
        self.runs_changed.emit()
        if run.about.get("quiet"):
            return
        if run.interrupted and run.about.get("job_id"):  # QGIS asks and cancels tasks itself when it is closed
            preferences.put_interrupted_jobs([*preferences.interrupted_jobs(), run.about["job_id"]])
        if not ok:
            if not run.cancelled:
                self.problem.emit(run.what, run.error)
            return
        for text in run.warnings[:3]:
            self.warned.emit(run.what, text)
        kind = run.about.get("kind")
        if kind == "stage":
            self._on_staged(run)
        elif kind == "upload":
            self.noted.emit(tr("Uploaded"), self._upload_words(run))
        elif kind == "job":
            counts = run.results
            done, failed = plots_in_words(counts.get("PROCESSED_COUNT", 0)), counts.get("FAILED_COUNT", 0)
            text = tr("{done} processed, {failed} failed").format(done=done, failed=failed)
            self.noted.emit(run.what, text)
            self.job_completed.emit(run.about["collection_id"], str(counts.get("JOB_ID", "")))

    def _on_staged(self, run: Run) -> None:
        number, left_out = run.results.get("PLOT_COUNT", 0), run.results.get("INVALID_COUNT", 0)
        features = counted(left_out, tr("1 feature"), tr("{n} features"))
        self.noted.emit(tr("Staged"), tr("{plots} staged, {features} left out").format(plots=plots_in_words(number), features=features))
        self.staged.emit(run)
        if run.about.get("then_upload"):
            self.upload(run.results["COLLECTION_ID"], run.parameters.get("COLLECTION_NAME", ""))

    def _upload_words(self, run: Run) -> str:
        confidence = run.results.get("LOCATIONS_CONFIDENCE") or tr("not checked")
        number = run.results.get("PLOT_COUNT", 0)
        return tr("{plots} ready for processing; confidence of the locations: {word}").format(plots=plots_in_words(number), word=confidence)


def _regions_and_farm(provenance: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters for the regions and the farm emissions that a job was begun with, so that it continues as the same job."""
    found: dict[str, Any] = {"NON_BIOMASS": True} if provenance.get("farm") else {}
    layer = (provenance.get("regions") or {}).get("layer")
    if layer and os.path.exists(layer["file"]):
        source = f"{layer['file']}|layername={layer['layer']}" if layer.get("layer") else layer["file"]
        found.update(REGIONS=source, REGION_NAME_FIELD=layer.get("name_field") or "")
    return found


def _computes(run: Run, job: JobRow) -> bool:
    about = run.about
    return (about["collection_id"], about["start"], about["end"], list(about["stats"])) == (
        job.collection_id, job.start_date, job.end_date, list(job.stats))  # fmt: skip
