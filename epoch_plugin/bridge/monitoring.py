"""What the Monitoring dock reads in the background: choices, plots page by page, the overview, one plot, a drawn one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QObject, pyqtSignal

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.tasks import BackgroundTask, in_background

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.overview import Overview
    from epoch_plugin.core.monitoring.plot_columns import PlotColumns
    from epoch_plugin.core.monitoring.plot_details import PlotDetails
    from epoch_plugin.core.monitoring.scope import CollectionChoice, Region, Scope, Window

SHOW_EVERY_S = 0.15  # while plots are read the table grows this often: every time costs the window some milliseconds


@dataclass(frozen=True)
class Choices:
    """What the pickers offer: collections, and of one of them windows and regions."""

    collections: list[CollectionChoice]
    chosen: str = ""
    windows: tuple[Window, ...] = ()
    regions: tuple[Region, ...] = ()


def read_choices(path: str, collection_id: str) -> Callable[[Any], Choices]:
    """Return the work that reads the pickers' content; another collection is chosen where this one is gone."""

    def work(_progress: Any) -> Choices:
        from epoch_plugin.core.monitoring.scope import collection_choices, regions, windows
        from epoch_plugin.core.store.store import Store

        if not os.path.exists(path):
            return Choices([])
        store = Store(path)
        found = collection_choices(store)
        known = {choice.collection_id for choice in found}
        processed = [choice.collection_id for choice in found if choice.status == "processed"]
        chosen = collection_id if collection_id in known else next(iter([*reversed(processed), *(choice.collection_id for choice in found)]), "")
        if not chosen:
            return Choices(found)
        return Choices(found, chosen, tuple(windows(store, chosen)), tuple(regions(store, chosen)))

    return work


def read_plot(path: str, scope: Scope, uuid: str) -> Callable[[Any], PlotDetails]:
    """Return the work that reads everything about one plot."""

    def work(_progress: Any) -> PlotDetails:
        from epoch_plugin.core.monitoring.plot_details import plot_details
        from epoch_plugin.core.store.store import Store

        return plot_details(Store(path), scope, uuid)

    return work


def check_polygon(polygon: bytes, datasets: str, start: str, end: str, name: str) -> Callable[[Any], PlotDetails]:
    """Return the work that checks a drawn polygon (WKB, EPSG:4326) against a datasets file; ISO dates."""

    def work(progress: Any) -> PlotDetails:
        from epoch_plugin.core.check_plot import CheckRequest, check_plot
        from epoch_plugin.core.window import parse_date

        request = CheckRequest(polygon, datasets, parse_date(end, tr("The window's end")), parse_date(start, tr("The window's start")), name=name)
        return check_plot(request, progress)

    return work


def last_datasets(path: str, collection_id: str) -> Callable[[Any], str]:
    """Return the work that finds the datasets file of a collection's newest job; '' without one."""

    def work(_progress: Any) -> str:
        from epoch_plugin.core.store import jobs
        from epoch_plugin.core.store.store import Store

        if not os.path.exists(path):
            return ""
        with Store(path).reading() as connection:
            found = [(job.provenance or {}).get("datasets_file") for job in jobs.for_collection(connection, collection_id)]
        return next((file for file in found if file and os.path.exists(file)), "")

    return work


class PlotReader(QObject):
    """Reads a scope's plots into columns page by page, then its overview; a new `read` forgets the one before.

    `grew(columns, n)`: the first n rows can be shown; `ready`: they can be sorted and filtered; `seen`: the overview is there.
    """

    grew = pyqtSignal(object, int)
    ready = pyqtSignal(object)
    seen = pyqtSignal(object)
    failed = pyqtSignal(str)
    _page = pyqtSignal(int, object, int)  # emitted in the worker thread: run, columns, rows
    _finished = pyqtSignal(int, object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._run = 0
        self._task: BackgroundTask | None = None
        self._page.connect(self._on_page)
        self._finished.connect(self._on_finished)

    @property
    def busy(self) -> bool:
        """Whether a read is on its way."""
        return self._task is not None

    def read(self, path: str, scope: Scope) -> None:
        """Start reading."""
        self.stop()
        run = self._run

        def work(progress: Any) -> tuple[PlotColumns, Overview]:
            return self._read(run, path, scope, progress)

        self._task = in_background(tr("Reading plots"), work, lambda result, error: self._done(run, result, error), quiet=True)

    def stop(self) -> None:
        """Forget the read that is on its way."""
        self._run += 1
        if self._task is not None:
            self._task.forget()
            self._task = None

    def _read(self, run: int, path: str, scope: Scope, progress: Any) -> tuple[PlotColumns, Overview]:
        from epoch_plugin.core.monitoring.overview import overview
        from epoch_plugin.core.monitoring.plot_columns import PlotColumns
        from epoch_plugin.core.monitoring.plot_pages import pages
        from epoch_plugin.core.progress import stop_if_cancelled
        from epoch_plugin.core.store.store import Store

        store, columns, shown = Store(path), PlotColumns(), 0.0
        for page in pages(store, scope):
            stop_if_cancelled(progress)
            columns.append(page)
            if time.monotonic() - shown > SHOW_EVERY_S:
                shown = time.monotonic()
                self._page.emit(run, columns, len(columns))
        columns.finish()
        self._finished.emit(run, columns)
        return columns, overview(store, scope, columns)

    def _on_page(self, run: int, columns: PlotColumns, rows: int) -> None:
        if run == self._run:
            self.grew.emit(columns, rows)

    def _on_finished(self, run: int, columns: PlotColumns) -> None:
        if run == self._run:
            self.ready.emit(columns)

    def _done(self, run: int, result: tuple[PlotColumns, Overview] | None, error: str | None) -> None:
        if run != self._run:
            return
        self._task = None
        if result is None:
            self.failed.emit(error or "")
        else:
            self.seen.emit(result[1])
