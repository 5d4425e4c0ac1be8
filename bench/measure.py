"""What is measured of a piece of work: wall time, CPU time of the process and its children, peak memory above what was there before."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

MB = 1024.0


@dataclass
class Measured:
    """Seconds and megabytes."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0  # peak resident set above the one before
    peak: float = 0.0  # peak resident set

    def to_dict(self) -> dict[str, float]:
        """Return the figures."""
        return asdict(self)


class Stopwatch:
    """Context manager; figures are in `measured` on leaving."""

    def __init__(self) -> None:
        self.measured = Measured()

    def __enter__(self) -> Stopwatch:
        _reset_peak()
        self._memory, self._cpu, self._wall = _status("VmRSS"), _cpu(), time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        wall, cpu, peak = time.perf_counter() - self._wall, _cpu() - self._cpu, _status("VmHWM")
        self.measured = Measured(wall, cpu, max(peak - self._memory, 0.0), peak)


def _cpu() -> float:
    times: Any = os.times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass  # then the peak includes the imports


def _status(key: str) -> float:
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(float(line.split()[1]) / MB for line in file if line.startswith(key + ":"))
    except (OSError, StopIteration):
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / MB
