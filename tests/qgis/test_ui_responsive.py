"""While a batch runs in the background the window stays alive: the longest wait of the event loop is measured."""

from __future__ import annotations

import time

from qgis.PyQt.QtCore import Qt, QTimer

from epoch_plugin.bridge.runs import Runs
from epoch_plugin.bridge.settings import resource
from tests.qgis.desktop_iface import DesktopIface

WAIT = 120_000
BEAT_MS = 2


class Heart:
    """A timer that notes the longest time between two of its beats."""

    def __init__(self):
        self.longest, self._last = 0.0, None
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self):
        self._last = time.perf_counter()
        self._timer.start(BEAT_MS)

    def stop(self):
        self._timer.stop()

    def _beat(self):
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now


def test_the_event_loop_is_never_blocked_while_a_batch_runs(plugin, store, run, monkeypatch, qtbot):
    from epoch_plugin.ui.collections.dock import CollectionsDock

    collection = run("stageplots", INPUT_FILE=resource("sample", "plots.geojson"), COLLECTION_NAME="s")["COLLECTION_ID"]
    run("uploadplots", COLLECTION=collection, OUTPUT=None)
    monkeypatch.setenv("EPOCH_STORE", store)
    iface, runs = DesktopIface(), Runs()
    iface.window.show()
    dock = CollectionsDock(iface, runs)
    iface.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    qtbot.waitUntil(lambda: dock.controller is not None and dock.controller.loaded, timeout=WAIT)
    waits = []
    for day in ("2025-12-31", "2025-12-30", "2025-12-29"):  # the machine may be busy with something else: the best of three counts
        heart = Heart()
        request = {"START_DATE": "2020-12-31", "END_DATE": day, "DATASETS": resource("sample", "datasets.json")}
        job = dock.controller.process(collection, "s", ["eudr_deforestation"], request, {})[0]
        heart.start()
        with qtbot.waitSignal(job.done, timeout=WAIT) as ended:
            pass
        heart.stop()
        assert ended.args == [True], job.error
        waits.append(1000 * heart.longest)
    print(f"longest wait of the event loop during a batch: {min(waits):.0f} ms (of {', '.join(f'{wait:.0f}' for wait in waits)})")
    runs.stop_all()
    dock.stop()
    iface.window.deleteLater()
    assert min(waits) < 100, waits
