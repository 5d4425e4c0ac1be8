"""Windows that took long are decoded once; what is kept is bounded, belongs to one grid, and ends with the run."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import box

from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.zonal import engine, kept_units
from epoch_plugin.core.zonal.kept_units import SLOW_SECONDS, KeptUnits
from tests.core.raster_files import wkb_of, write_tif, write_vector
from tests.core.zonal_kernels import ClassKernel, areas_by_class, class_areas, open_classes, task_of


class Source:
    """Decodes to a number that counts up, in a given time."""

    def __init__(self, seconds: float):
        self.calls, self.now, self._seconds = 0, 0.0, seconds

    def read(self, kept, unit, valid=None):
        values = np.zeros(4, np.uint8)

        def decode():
            self.calls += 1
            self.now += self._seconds
            values[...] = self.calls
            return valid

        return values, kept.read(unit, values, decode, lambda: self.now)


def test_a_slow_window_is_decoded_once_and_a_quick_one_again():
    kept, valid = KeptUnits(), np.array([True, False, True, True])
    slow, quick = Source(SLOW_SECONDS * 2), Source(SLOW_SECONDS / 2)
    for _ in range(3):
        values, known = slow.read(kept, "slow", valid)
        assert values.tolist() == [1] * 4 and (known == valid).all()
    assert slow.calls == 1
    assert [quick.read(kept, "quick")[0][0] for _ in range(3)] == [1, 2, 3]
    assert slow.read(kept, "another")[0].tolist() == [2] * 4
    kept.clear()
    assert slow.read(kept, "slow")[0].tolist() == [3] * 4


def test_what_was_asked_for_last_stays_within_the_limit():
    kept, source = KeptUnits(most_bytes=8), Source(1.0)  # two windows of four bytes
    for unit in ("a", "b", "a", "c"):
        source.read(kept, unit)
    assert source.calls == 3
    source.read(kept, "a")
    assert source.calls == 3
    source.read(kept, "b")  # c and a were asked for after it
    assert source.calls == 4


def test_what_a_caller_does_to_its_copy_changes_nothing():
    kept, source = KeptUnits(), Source(1.0)
    for _ in range(2):
        values, _ = source.read(kept, "a")
        values[...] = 99
    assert source.read(kept, "a")[0].tolist() == [1] * 4


def test_a_file_that_is_written_anew_between_two_runs_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_units, "SLOW_SECONDS", -1.0)  # everything is kept
    for value in (1, 2):
        write_tif(tmp_path / "layer.tif", np.full((4, 4), value, np.uint8), 0, 0.004, 0.001)
        assert list(areas_by_class(tmp_path, [box(0, 0, 0.004, 0.004)], source="layer.tif")[0]) == [value]


def test_a_vector_is_burnt_on_every_grid_of_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_units, "SLOW_SECONDS", -1.0)
    write_vector(tmp_path / "v.gpkg", [(box(0, 0, 0.002, 0.004), {"kind": 7})])
    tasks = []
    for name, x0 in (("one", 0.0), ("other", 0.001)):  # grids of one shape, the other shifted by a column
        write_tif(tmp_path / f"{name}.tif", np.zeros((4, 4), np.uint8), x0, 0.004, 0.001)
        grid, _ = open_classes(tmp_path, name=name, source=f"{name}.tif")
        _, read = open_classes(tmp_path, grid.grid, name="v", source="v.gpkg", value_field="kind")
        tasks.append(task_of(grid, ClassKernel(read)))
    plot = box(0.001, 0, 0.004, 0.004)  # three columns of either grid, one of them inside the vector
    found = [class_areas(result, 1)[0] for result in engine.run([wkb_of(plot)], tasks, 1, NoProgress())]
    for areas in found:
        assert areas[7] / sum(areas.values()) == pytest.approx(1 / 3)
