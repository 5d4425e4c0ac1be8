"""Collections with their jobs as a tree; updated in place, so that selection and expansion stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QStandardItem, QStandardItemModel

from epoch_plugin.ui.collections import texts

if TYPE_CHECKING:
    from epoch_plugin.bridge.runs import Run
    from epoch_plugin.core.store.collections import CollectionRow
    from epoch_plugin.core.store.jobs import JobRow
    from epoch_plugin.ui.collections.controller import CollectionsController

ROW = Qt.ItemDataRole.UserRole + 1
KEY = Qt.ItemDataRole.UserRole + 2


@dataclass(frozen=True)
class TreeRow:
    """What the delegate paints and the dock acts on; `percent` None means no progress bar, `tone` is a status word."""

    title: str
    status: str
    tone: str
    facts: str
    percent: float | None = None
    collection: CollectionRow | None = None
    job: JobRow | None = None
    run: Run | None = None

    @property
    def collection_id(self) -> str:
        """Return the collection that the row is or belongs to."""
        if self.collection is not None:
            return self.collection.collection_id
        return self.job.collection_id if self.job is not None else str(self.run.about["collection_id"]) if self.run is not None else ""


class CollectionsModel(QStandardItemModel):
    """The tree of the dock."""

    def refresh(self, controller: CollectionsController) -> None:
        """Show what the controller knows now."""
        wanted = [(item.collection.collection_id, _collection_row(item), item) for item in controller.overview.collections]
        _sync(self.invisibleRootItem(), [(key, row) for key, row, _ in wanted])
        for place, (_, _, item) in enumerate(wanted):
            jobs = [(f"run {id(run)}", _run_row(run)) for run in controller.runs_without_row(item.collection.collection_id)]
            # while we compute a job its row keeps the key of the run that began it, so that a selected one stays selected
            computed = [(job, controller.run_of(job)) for job in item.jobs]
            jobs += [(f"run {id(run)}" if run else job.job_id, _job_row(job, run)) for job, run in computed]
            _sync(self.item(place), jobs)


def _sync(parent: QStandardItem, rows: list[tuple[str, TreeRow]]) -> None:
    """Make the children of an item those of `rows`, touching only what differs."""
    keys = {key for key, _ in rows}
    for place in range(parent.rowCount() - 1, -1, -1):
        if parent.child(place).data(KEY) not in keys:
            parent.removeRow(place)
    for place, (key, row) in enumerate(rows):
        item = parent.child(place)
        if item is None or item.data(KEY) != key:
            for other in range(place, parent.rowCount()):
                if parent.child(other).data(KEY) == key:
                    parent.insertRow(place, parent.takeRow(other))
                    break
            else:
                parent.insertRow(place, _new_item(key))
            item = parent.child(place)
        _show(item, row)


def _new_item(key: str) -> QStandardItem:
    item = QStandardItem()
    item.setEditable(False)
    item.setData(key, KEY)
    return item


def _show(item: QStandardItem, row: TreeRow) -> None:
    before: Any = item.data(ROW)
    if before == row:
        return
    item.setData(row, ROW)
    item.setText(f"{row.title} {row.status} {row.facts}")  # searched, and read aloud
    item.setToolTip(f"{row.title}\n{row.status}\n{row.facts}")


def _collection_row(item: Any) -> TreeRow:
    row = item.collection
    status = row.status
    return TreeRow(row.collection_name, texts.status_word(status), status, texts.collection_facts(item), collection=row)


def _job_row(job: JobRow, run: Run | None) -> TreeRow:
    title, window = texts.statistics_words(job.stats), texts.window_words(job.start_date, job.end_date)
    status = texts.job_status(job)
    if run is not None:
        facts = f"{texts.run_facts(run)}{texts.SEPARATOR}{window}"
        return TreeRow(title, texts.status_word("in_progress"), "in_progress", facts, 100 * run.fraction, job=job, run=run)
    if status == "in_progress":
        facts = texts.tr("{percent} % · {stage} · in another process").format(percent=texts.count(job.progress), stage=job.outcome or "")
        return TreeRow(title, texts.status_word(status), status, f"{facts}{texts.SEPARATOR}{window}", job.progress, job=job)
    known = texts.job_facts(job)
    facts = f"{known}{texts.SEPARATOR}{window}" if job.error else f"{window}{texts.SEPARATOR}{known}"
    return TreeRow(title, texts.status_word(status), status, facts, job=job)


def _run_row(run: Run) -> TreeRow:
    title, window = texts.statistics_words(run.about["stats"]), texts.window_words(run.about["start"], run.about["end"])
    facts = f"{texts.run_facts(run)}{texts.SEPARATOR}{window}"
    return TreeRow(title, texts.status_word("in_progress"), "in_progress", facts, 100 * run.fraction, run=run)
