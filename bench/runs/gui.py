"""How long the GUI's event loop waits while a batch runs and both docks are open: the longest gap between ticks of a 5 ms timer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from bench.prepare import copy_store
from bench.runs.common import END, START, import_libraries
from bench.runs.window import Heart, application, pause, wait_until
from bench.scale import Cache

SETTLE_MS = 500  # until the last chart is painted


def prepare(cache: Cache, count: int) -> Callable[[], dict[str, Any]]:
    """QGIS with a main window and the plugin's two docks, as the user sees them; the batch is the deforestation check, started in the dock."""
    import_libraries()
    target = cache.scratch / "gui.gpkg"
    copy_store(cache.store(count), target)
    os.environ["EPOCH_STORE"] = str(target)
    application()
    docks = open_docks()
    collection = docks[0].controller.uploaded()[0]

    def work() -> dict[str, Any]:
        request = {"START_DATE": START.isoformat(), "END_DATE": END.isoformat(), "DATASETS": str(cache.datasets("deforestation"))}
        heart, ended = Heart(), []
        run = docks[0].controller.process(collection.collection_id, collection.collection_name, ["eudr_deforestation"], request, {})[0]
        run.done.connect(ended.append)
        heart.start()
        wait_until(lambda: bool(ended))
        gap = heart.longest_ms
        if ended != [True]:
            raise RuntimeError(run.error)
        # the docks read and show what the job has stored
        content = docks[1].content
        wait_until(lambda: content.pickers.window_chosen is not None and content.columns is not None and not content.reader.busy)
        pause(SETTLE_MS)
        return {"gap_ms": gap, "gap_shown_ms": heart.longest_ms}

    return work


def open_docks() -> list[Any]:
    """Return the Collections and the Monitoring dock, open and read to the end."""
    from qgis.PyQt.QtCore import Qt

    from epoch_plugin.bridge.runs import Runs
    from epoch_plugin.ui.collections.dock import CollectionsDock
    from epoch_plugin.ui.monitoring.dock import MonitoringDock
    from tests.qgis.desktop_iface import DesktopIface

    iface, runs = DesktopIface(), Runs()
    iface.window.show()
    docks = [CollectionsDock(iface, runs), MonitoringDock(iface, runs)]
    for dock, area in zip(docks, (Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea)):
        iface.addDockWidget(area, dock)
    wait_until(lambda: docks[0].content is not None and docks[1].content is not None)
    wait_until(lambda: docks[0].controller.loaded and docks[1].content.columns is not None and not docks[1].content.reader.busy)
    pause(SETTLE_MS)
    return docks
