"""The table of plots in the Monitoring dock: opening it on all plots of a processed collection, and sorting it by every column."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.runs.common import import_libraries
from bench.runs.window import Heart, application, wait_until
from bench.scale import Cache


def prepare(cache: Cache, processed: str) -> Callable[[], dict[str, Any]]:
    """A window with the dock's table and the reader that fills it, over a store that a batch has processed."""
    import_libraries()
    application()
    from qgis.PyQt.QtCore import Qt
    from qgis.PyQt.QtWidgets import QApplication

    from epoch_plugin.bridge.monitoring import PlotReader
    from epoch_plugin.core.monitoring.scope import Scope, collection_choices, windows
    from epoch_plugin.core.store.store import Store
    from epoch_plugin.ui.monitoring.plot_table import PlotTable

    path = str(cache.scratch / f"{processed}.gpkg")
    store = Store(path)
    choice = collection_choices(store)[0]
    scope = Scope(choice.collection_id, windows(store, choice.collection_id)[0])
    table, reader = PlotTable(), PlotReader()
    table.resize(900, 600)
    table.show()
    reader.grew.connect(table.model.grow)
    reader.ready.connect(table.complete)

    def work() -> dict[str, Any]:
        heart, model, start = Heart(), table.model, time.perf_counter()
        heart.start()
        reader.read(path, scope)
        wait_until(lambda: model.rowCount() > 0)
        first = time.perf_counter() - start
        wait_until(lambda: model.ready and model.rowCount() == choice.plots)
        opened = time.perf_counter() - start
        wait_until(lambda: not reader.busy)
        gap, sorts = heart.longest_ms, []
        for column in range(model.columnCount()):
            start = time.perf_counter()
            table.view.sortByColumn(column, Qt.SortOrder.DescendingOrder)
            QApplication.processEvents()  # until it is painted
            sorts.append(time.perf_counter() - start)
        return {"plots": choice.plots, "first_s": first, "open_s": opened, "sort_s": max(sorts), "gap_ms": gap}

    return work
