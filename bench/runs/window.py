"""QGIS with windows, its event loop, and how long that loop is held up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TICK_MS = 5
LIMIT_S = 600.0
_kept: list[Any] = []


def application() -> Any:
    """Start QGIS with widgets (offscreen) and the plugin's algorithms."""
    from qgis.core import QgsApplication

    started = QgsApplication([], True)
    started.initQgis()
    from epoch_plugin.processing_algorithms.provider import EpochProvider

    provider = EpochProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    _kept.extend((started, provider))
    return started


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until the condition holds; raise `TimeoutError` if it never does."""
    from qgis.PyQt.QtCore import QEventLoop, QTimer

    loop, timer, end = QEventLoop(), QTimer(), time.perf_counter() + LIMIT_S

    def look() -> None:
        if condition() or time.perf_counter() > end:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(TICK_MS)
    loop.exec()
    timer.stop()
    if not condition():
        raise TimeoutError("the window did not come to an end")


def pause(milliseconds: int) -> None:
    """Let the event loop run for a while."""
    end = time.perf_counter() + milliseconds / 1e3
    wait_until(lambda: time.perf_counter() >= end)


class Heart:
    """A timer that notes the longest time between two of its ticks."""

    def __init__(self) -> None:
        from qgis.PyQt.QtCore import Qt, QTimer

        self._ticks: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to tick."""
        self._ticks = [time.perf_counter()]
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        self._ticks.append(time.perf_counter())

    @property
    def longest_ms(self) -> float:
        """The longest gap so far."""
        return 1e3 * max((after - before for before, after in zip(self._ticks, self._ticks[1:])), default=0.0)
