"""How long the GUI's event loop waits while a batch runs as a QgsTask: the longest gap between ticks of a 5 ms timer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.prepare import copy_store
from bench.runs.common import END, import_libraries
from bench.scale import Cache

TICK_MS = 5


def prepare(cache: Cache, count: int) -> Callable[[], dict[str, Any]]:
    """QGIS is started without a window; the batch is the deforestation check."""
    from qgis.core import QgsApplication, QgsTask
    from qgis.PyQt.QtCore import Qt, QTimer

    from epoch_plugin.core.batch import BatchRequest, run_batch
    from epoch_plugin.core.progress import NoProgress
    from epoch_plugin.core.store.store import Store

    import_libraries()
    application = QgsApplication([], False)
    application.initQgis()
    target = cache.scratch / "gui.gpkg"
    copy_store(cache.store(count), target)
    store = Store(str(target))
    request = BatchRequest("bench", END, str(cache.datasets("deforestation")))

    def work() -> dict[str, Any]:
        ticks: list[float] = []
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
        timer.start(TICK_MS)
        failures: list[BaseException | None] = []

        def finished(error: BaseException | None, result: Any = None) -> None:
            failures.append(error)
            application.quit()

        task = QgsTask.fromFunction("batch", lambda task: run_batch(store, request, NoProgress()), on_finished=finished)
        application.taskManager().addTask(task)
        application.exec()
        if failures[0] is not None:
            raise failures[0]
        return {"gap_ms": 1e3 * max(after - before for before, after in zip(ticks, ticks[1:])), "ticks": len(ticks)}

    return work
