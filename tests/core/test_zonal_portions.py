"""However the work is portioned out, to how many threads, the sums are the same to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from epoch_plugin.core.zonal import engine, plan
from tests.core.raster_files import write_tif
from tests.core.test_zonal_real_data import random_plots
from tests.core.zonal_kernels import ClassKernel, open_classes, run, task_of

D = 0.001


@pytest.fixture
def scene(tmp_path):
    """Two layers of 16 blocks, and plots that lie across the blocks' edges."""
    rng = np.random.default_rng(7)
    for name in ("one", "other"):
        write_tif(tmp_path / f"{name}.tif", rng.integers(0, 5, (256, 256)).astype(np.uint8), 10.0, 5.0, D, tile=64)
    layer, read = open_classes(tmp_path, name="one", source="one.tif")
    _, second = open_classes(tmp_path, layer.grid, name="other", source="other.tif")
    return task_of(layer, ClassKernel(read), ClassKernel(second)), random_plots((10.0, 4.744, 10.256, 5.0), 60, 3, (0.002, 0.08))


def bits(result):
    return [b"".join(np.asarray(values).tobytes() for values in (areas.plot, areas.state, areas.area)) for areas in result.kernels] + [
        result.weight.tobytes()
    ]


@pytest.mark.parametrize("begin", [100, 1_000_000])
@pytest.mark.parametrize("portion", [(1, 1, 1), (2, 500, 4_000), (64, 10**6, 10**6)])
@pytest.mark.parametrize("threads", [1, 3])
def test_sums_do_not_depend_on_portions(scene, monkeypatch, portion, begin, threads):
    task, plots = scene
    expected = bits(run(task, plots))
    monkeypatch.setattr(engine, "CELLS_TO_BEGIN_WITH", begin)
    for name in ("ONE_LAYER", "SEVERAL_LAYERS"):
        monkeypatch.setattr(engine, name, plan.Portion(*portion))
    assert bits(run(task, plots, threads)) == expected
