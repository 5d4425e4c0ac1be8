"""What was freed goes back to the system where the C library can do so, and nothing happens elsewhere."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

from epoch_plugin.core.zonal import memory


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc only")
def test_freed_memory_goes_back():
    # small blocks between which some stay: the allocator itself cannot shrink its heap
    blocks = [np.ones(60_000, np.uint8) for _ in range(3_000)]
    stay = blocks[::50]
    before = resident_mb()
    del blocks
    memory.give_back()
    assert resident_mb() < before - 100
    assert all(block.all() for block in stay)


def test_another_c_library_has_no_trim(monkeypatch):
    class Library:
        pass

    memory._trim.cache_clear()
    try:
        monkeypatch.setattr(ctypes, "CDLL", lambda name: Library())
        memory.give_back()
        assert memory._trim()(0) is None
    finally:
        memory._trim.cache_clear()
