"""Neighbours that are alike are one cell to a kernel: the sums are those of every single cell, and exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from shapely.affinity import rotate
from shapely.geometry import box

from epoch_plugin.core.zonal.kernel import CellStates, CellValues, StateCoder
from epoch_plugin.core.zonal.pieces import Lengths, Pieces
from epoch_plugin.core.zonal.weights import QUANTA_PER_CELL, CellWeights, quantum_of
from tests.core.raster_files import write_sparse_tif, write_tif
from tests.core.zonal_kernels import ClassKernel, ValueKernel, open_classes, run, task_of

SIDE = 200
D = 0.001


@dataclass(frozen=True)
class CellByCell:
    """Another kernel, asked about every single cell."""

    inner: ClassKernel
    needs_centres = True

    @property
    def reads(self):
        return self.inner.reads

    def __call__(self, cells):
        return self.inner(cells)


@dataclass(frozen=True)
class ByValues(ValueKernel):
    """Values and classes of the same layer, asked once per stretch."""

    by_values = True

    def __call__(self, cells):
        values = cells.values[self.read.key]
        number = np.asarray(values, np.float64)
        return CellValues(np.where(number == 0, np.nan, number)), CellStates(values.astype(np.intp), np.arange(256)[:, None])


@dataclass(frozen=True)
class EveryCell(ByValues):
    """The same, asked about every cell."""

    by_values = False


def patches(rng, side=SIDE):
    """Classes 1 to 4 in patches with single cells of another class among them."""
    values = np.kron(rng.integers(1, 5, (side // 10, side // 10)), np.ones((10, 10))).astype(np.uint8)
    lonely = rng.random(values.shape) < 0.05
    values[lonely] = rng.integers(1, 5, int(lonely.sum()))
    return values


def plots(rng, n=40):
    """Squares turned at random, some beyond the raster, and one as large as it."""
    shapes = []
    for _ in range(n):
        x, y, half = rng.uniform(-0.01, SIDE * D), rng.uniform(-0.01, SIDE * D), rng.uniform(0.2, 12) * D
        shapes.append(rotate(box(x - half, y - half, x + half, y + half), rng.uniform(0, 90)))
    return [*shapes, box(0.0, 0.0, SIDE * D, SIDE * D)]


@pytest.fixture
def layer_of(tmp_path):
    def write(kind, rng):
        path = tmp_path / f"{kind}.tif"
        if kind == "sparse":
            blocks = {at: np.full((64, 64), 2, np.uint8) for at in ((0, 0), (1, 1), (2, 0))}
            write_sparse_tif(path, blocks, SIDE, SIDE, 64, 0.0, SIDE * D, D)
        else:
            write_tif(path, patches(rng), x0=0.0, y0=SIDE * D, dx=D, **({"tile": 64} if kind == "tiles" else {}))
        return open_classes(tmp_path, name=kind, source=str(path))

    return write


def by_plot(answer):
    return {(int(p), tuple(answer.states[s].tolist())): float(a) for p, s, a in zip(answer.plot, answer.state, answer.area)}


@pytest.mark.parametrize("kind", ["tiles", "stripes", "sparse"])
def test_stretches_give_the_sums_of_their_cells(layer_of, kind):
    rng = np.random.default_rng(4)
    layer, read = layer_of(kind, rng)
    shapes = plots(rng)
    joined, single = run(task_of(layer, ClassKernel(read), CellByCell(ClassKernel(read))), shapes).kernels
    joined, single = by_plot(joined), by_plot(single)
    assert joined.keys() == single.keys() and len(joined) > len(shapes)
    assert joined == pytest.approx(single, rel=1e-12)


def test_values_and_counts_of_stretches_are_those_of_their_cells(layer_of):
    rng = np.random.default_rng(5)
    layer, read = layer_of("tiles", rng)
    shapes = plots(rng)
    (joined, joined_areas), (single, single_areas) = run(task_of(layer, ByValues(read), EveryCell(read)), shapes).kernels
    for name in ("weight", "weighted", "weighted_square", "fraction_sum", "minimum", "maximum"):
        np.testing.assert_allclose(getattr(joined, name), getattr(single, name), rtol=1e-12, err_msg=name)
    assert joined.count.tolist() == single.count.tolist() and joined.count.max() == SIDE * SIDE
    assert by_plot(joined_areas) == pytest.approx(by_plot(single_areas), rel=1e-12)


def test_a_layer_of_another_grid_ends_stretches_too(layer_of, tmp_path):
    rng = np.random.default_rng(6)
    layer, _ = layer_of("tiles", rng)
    write_tif(tmp_path / "fine.tif", patches(rng, 600), x0=0.0, y0=SIDE * D, dx=D / 3)
    _, read = open_classes(tmp_path, analysis=layer.grid, name="fine", source=str(tmp_path / "fine.tif"))
    shapes = plots(rng, 10)
    joined, single = run(task_of(layer, ClassKernel(read), CellByCell(ClassKernel(read))), shapes).kernels
    assert by_plot(joined) == pytest.approx(by_plot(single), rel=1e-12)


@pytest.mark.filterwarnings("error")
def test_areas_of_stretches_are_exact_even_where_the_running_sum_wraps_around():
    quantum = quantum_of(1e6)
    assert quantum == 2.0 ** (20 - QUANTA_PER_CELL)
    cells = np.full(600_000, 1 << QUANTA_PER_CELL)  # 2^63 is passed after 524,288 cells
    cells[::7] -= 3
    first = np.array([0, 100_000, 230_000, 360_000, 490_000])
    found = CellWeights(cells, quantum).of_stretches(first)
    for area, part in zip(found, np.split(cells, first[1:])):
        assert area == sum(part.tolist()) * quantum


def test_pieces_and_their_cells():
    pieces = Pieces(np.array([5, 5, 7]), np.array([10, 20, 3]), Lengths(np.array([1, 3, 2])))
    assert pieces.lengths.piece.tolist() == [0, 1, 1, 1, 2, 2]
    assert pieces.cells.row.tolist() == [5, 5, 5, 5, 7, 7]
    assert pieces.cells.col.tolist() == [10, 20, 21, 22, 3, 4]
    assert pieces.moved(-5, 1).cells.col.tolist() == [11, 21, 22, 23, 4, 5]
    assert Lengths(np.zeros(0, np.int64)).n_cells == 0


def test_kernels_of_stretches_are_not_asked_about_every_cell(layer_of):
    rng = np.random.default_rng(7)
    layer, read = layer_of("tiles", rng)
    asked = []

    class Counting(ClassKernel):
        def __call__(self, cells):
            asked.append(len(cells))
            return super().__call__(cells)

    run(task_of(layer, Counting(read)), [box(0.0, 0.0, SIDE * D, SIDE * D)])
    assert 0 < sum(asked) < SIDE * SIDE / 3


@dataclass(frozen=True)
class ColumnsOutOfOrder(ClassKernel):
    """Classes whose meanings do not ascend with their numbers, as the bits of the deforestation check do not."""

    def __call__(self, cells):
        coder = StateCoder(len(cells))
        coder.add(np.asarray(cells.values[self.read.key], np.int64), 9 - np.arange(9)[:, None])
        return coder.result()


def test_states_of_a_plot_come_in_the_same_order_whatever_else_is_processed_with_it(tmp_path):
    rng = np.random.default_rng(8)
    write_tif(tmp_path / "wide.tif", rng.integers(1, 5, (64, 64 * 20)).astype(np.uint8), x0=0.0, y0=64 * D, dx=D, tile=64)
    layer, read = open_classes(tmp_path, name="wide", source="wide.tif")
    plot = box(0.0015, 0.0015, 0.0305, 0.0305)
    alone, among = (
        run(task_of(layer, ColumnsOutOfOrder(read)), shapes).kernels[0] for shapes in ([plot], [plot, box(0.0005, 0.0005, 64 * 20 * D, 64 * D)])
    )
    here = among.plot == 0
    assert len(alone.plot) == 4 and alone.states.tolist() == sorted(alone.states.tolist())
    assert alone.states[alone.state].tolist() == among.states[among.state[here]].tolist()
    assert alone.area.tolist() == among.area[here].tolist()
