"""A coverage from the cache is the same as one that is worked out, and nothing that happens to the folder can hurt."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from shapely.geometry import Point, box

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.coverage import Coverage, coverage
from epoch_plugin.core.zonal.coverage_cache import CoverageCache
from epoch_plugin.core.zonal.rings import rings_from_wkb, segments
from tests.core.raster_files import wkb_of

GRID = Grid("EPSG:4326", -7.0, 7.0, 0.001, -0.001, 1000, 1000)
ROWS = (0, 1000)


@pytest.fixture
def rings():
    shapes = [Point(-6.5, 6.5).buffer(0.02), box(-6.9003, 6.2001, -6.8807, 6.2104), box(-7.1, 6.9, -6.95, 7.2)]
    return rings_from_wkb([wkb_of(shape) for shape in shapes])


class Counted:
    """Works a coverage out and counts how often it was asked to."""

    def __init__(self, rings):
        self.rings, self.calls = rings, 0

    def __call__(self):
        self.calls += 1
        return coverage(segments(self.rings), GRID)


def equal(one: Coverage, other: Coverage) -> bool:
    return all(
        getattr(one, name).dtype == getattr(other, name).dtype and np.array_equal(getattr(one, name), getattr(other, name))
        for name in Coverage.__dataclass_fields__
    )


def test_the_second_time_it_is_read_and_equal_to_the_last_bit(tmp_path, rings):
    cache, compute = CoverageCache(tmp_path / "cache"), Counted(rings)
    first = cache.get(rings, GRID, ROWS, True, compute)
    second = cache.get(rings, GRID, ROWS, True, compute)
    assert compute.calls == 1 and first.n_cells > 1000
    assert equal(first, second)


def test_other_plots_rows_grids_and_questions_are_other_coverages(tmp_path, rings):
    cache, compute = CoverageCache(tmp_path), Counted(rings)
    moved = rings_from_wkb([wkb_of(Point(-6.5, 6.5).buffer(0.0200001))])
    finer = Grid("EPSG:4326", -7.0, 7.0, 0.0005, -0.0005, 2000, 2000)
    asked = [(rings, GRID, ROWS, True), (rings, GRID, ROWS, False), (rings, GRID, (0, 512), True), (rings, finer, ROWS, True)]
    for arguments in [*asked, (moved, GRID, ROWS, True)]:
        cache.get(*arguments, compute)
    assert compute.calls == 5


@pytest.mark.parametrize("damage", ["cut short", "emptied", "of another format", "deleted"])
def test_a_damaged_file_is_worked_out_anew(tmp_path, rings, damage):
    cache, compute = CoverageCache(tmp_path), Counted(rings)
    first = cache.get(rings, GRID, ROWS, True, compute)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes({"cut short": content[: len(content) // 2], "emptied": b"", "of another format": b"x" + content}[damage])
    assert equal(first, cache.get(rings, GRID, ROWS, True, compute))
    assert compute.calls == 2
    assert path.read_bytes() == content


def test_the_folder_keeps_its_limit_and_loses_what_was_unused_for_longest(tmp_path, rings):
    compute = Counted(rings)
    size = CoverageCache(tmp_path).get(rings, GRID, ROWS, True, compute) and next(tmp_path.iterdir()).stat().st_size
    cache = CoverageCache(tmp_path, limit_bytes=int(2.5 * size))
    for last in range(996, 1000):
        cache.get(rings, GRID, (0, last), True, compute)
    assert len(list(tmp_path.iterdir())) == 2
    calls = compute.calls
    cache.get(rings, GRID, (0, 999), True, compute)
    assert compute.calls == calls


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path, rings):
    (tmp_path / "file").write_text("in the way")
    compute = Counted(rings)
    found = CoverageCache(tmp_path / "file").get(rings, GRID, ROWS, True, compute)
    assert equal(found, compute()) and compute.calls == 2


def test_what_killed_processes_left_goes_and_what_is_being_written_stays(tmp_path, rings):
    old, young = tmp_path / "tmpold.partial", tmp_path / "tmpyoung.partial"
    for path in (old, young):
        path.write_bytes(b"begun")
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))
    CoverageCache(tmp_path).get(rings, GRID, ROWS, True, Counted(rings))
    assert not old.exists() and young.exists() and len(list(tmp_path.iterdir())) == 2
