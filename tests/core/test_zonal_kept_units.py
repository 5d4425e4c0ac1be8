"""Windows that several ask for are decoded once; what is kept is bounded, belongs to one grid, and ends with the run."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest
from shapely.geometry import box

from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.zonal import engine, plan
from epoch_plugin.core.zonal.blocks import TileReader
from epoch_plugin.core.zonal.kept_units import KeptUnits
from tests.core.raster_files import wkb_of, write_tif, write_vector
from tests.core.zonal_kernels import ClassKernel, areas_by_class, class_areas, open_classes, task_of


class Source:
    """Decodes to a number that counts up."""

    def __init__(self):
        self.calls = 0

    def read(self, kept, unit, valid=None):
        values = np.zeros(4, np.uint8)

        def decode():
            self.calls += 1
            values[...] = self.calls
            return valid

        return values, kept.read(unit, values, decode)


def test_a_window_is_decoded_once():
    kept, valid, source = KeptUnits(), np.array([True, False, True, True]), Source()
    for _ in range(3):
        values, known = source.read(kept, "a", valid)
        assert values.tolist() == [1] * 4 and (known == valid).all()
    assert source.calls == 1
    assert source.read(kept, "another")[0].tolist() == [2] * 4
    kept.clear()
    assert source.read(kept, "a")[0].tolist() == [3] * 4


def test_what_was_asked_for_last_stays_within_the_limit():
    kept, source = KeptUnits(most_bytes=8, clock=lambda: 0.0), Source()  # two windows of four bytes, all decoded in no time
    for unit in ("a", "b", "a", "c"):
        source.read(kept, unit)
    assert source.calls == 3
    source.read(kept, "a")
    assert source.calls == 3
    source.read(kept, "b")  # c and a were asked for after it
    assert source.calls == 4


def test_what_takes_long_is_not_driven_out_by_what_streams_by():
    now = [0.0]
    kept, source = KeptUnits(most_bytes=12, clock=lambda: now[0]), Source()  # three windows of four bytes

    def read(unit, seconds):
        def decode():
            now[0] += seconds
            source.calls += 1

        kept.read(unit, np.zeros(4, np.uint8), decode)

    read("slow", 3.0)
    for number in range(20):
        read(number, 0.1)
        assert len(kept._units) <= 3 and len(kept._turns) <= 20
    read("slow", 3.0)
    assert source.calls == 21
    for number in range(200):  # but what nobody asks for goes in the end
        read(number, 0.1)
    read("slow", 3.0)
    assert source.calls == 222


def test_what_a_caller_does_to_its_copy_changes_nothing():
    kept, source = KeptUnits(), Source()
    for _ in range(2):
        values, _ = source.read(kept, "a")
        values[...] = 99
    assert source.read(kept, "a")[0].tolist() == [1] * 4


def in_groups_of_one_block(monkeypatch):
    for name in ("ONE_LAYER", "SEVERAL_LAYERS"):
        monkeypatch.setattr(engine, name, plan.Portion(1, 1, 1_000_000))


def test_a_coarse_layer_under_a_fine_grid_is_decoded_once_a_run(tmp_path, monkeypatch):
    in_groups_of_one_block(monkeypatch)
    write_tif(tmp_path / "fine.tif", np.ones((256, 256), np.uint8), 0, 0.256, 0.001, tile=64)
    write_tif(tmp_path / "coarse.tif", np.full((64, 64), 5, np.uint8), 0, 0.256, 0.004, tile=64)
    fine, own = open_classes(tmp_path, name="fine", source="fine.tif")
    _, read = open_classes(tmp_path, fine.grid, name="coarse", source="coarse.tif")
    decoded = []
    monkeypatch.setattr(TileReader, "_decode", lambda self, *at, decode=TileReader._decode: decoded.append(self._tile.path) or decode(self, *at))
    (result,) = engine.run([wkb_of(box(0, 0, 0.256, 0.256))], [task_of(fine, ClassKernel(own), ClassKernel(read))], 1, NoProgress())
    assert list(class_areas(result, 1, 1)[0]) == [5]
    assert sorted(path.rsplit("/", 1)[-1] for path in decoded) == ["coarse.tif"] + ["fine.tif"] * 16


def test_a_file_that_is_written_anew_between_two_runs_is_read_anew(tmp_path):
    for value in (1, 2):
        write_tif(tmp_path / "layer.tif", np.full((4, 4), value, np.uint8), 0, 0.004, 0.001)
        assert list(areas_by_class(tmp_path, [box(0, 0, 0.004, 0.004)], source="layer.tif")[0]) == [value]


def test_a_vector_is_burnt_on_every_grid_of_a_run(tmp_path):
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


def test_a_reader_that_is_still_busy_when_a_run_fails_keeps_nothing_for_the_next_one(tmp_path, monkeypatch):
    in_groups_of_one_block(monkeypatch)
    write_tif(tmp_path / "fine.tif", np.ones((128, 128), np.uint8), 0, 0.128, 0.001, tile=64)
    fine, own = open_classes(tmp_path, name="fine", source="fine.tif")
    failed, closed, original = threading.Event(), threading.Event(), engine.close_datasets

    def close():
        original()
        closed.set()

    @dataclass(frozen=True)
    class FailsWhileAnotherWaits(ClassKernel):
        """One group fails; another one waits until the pool has been told to close before it goes on to the coarse layer."""

        def __call__(self, cells):
            if len(cells) == 0 or threading.current_thread() is threading.main_thread():
                return super().__call__(cells)
            if waiting.acquire(blocking=False):
                failed.wait(20)
                closed.wait(20)
                return super().__call__(cells)
            failed.set()
            raise ValueError("this group fails")

    waiting = threading.Semaphore(1)
    for value in (1, 2):
        write_tif(tmp_path / "coarse.tif", np.full((64, 64), value, np.uint8), 0, 0.256, 0.004, tile=64)
        _, read = open_classes(tmp_path, fine.grid, name="coarse", source="coarse.tif")
        plots = [wkb_of(box(0, 0, 0.128, 0.128))]
        if value == 1:
            monkeypatch.setattr(engine, "close_datasets", close)
            with pytest.raises(ValueError, match="this group fails"):
                engine.run(plots, [task_of(fine, FailsWhileAnotherWaits(own), ClassKernel(read))], 2, NoProgress())
            monkeypatch.setattr(engine, "close_datasets", original)
    (result,) = engine.run(plots, [task_of(fine, ClassKernel(read))], 1, NoProgress())
    assert list(class_areas(result, 1)[0]) == [2]
