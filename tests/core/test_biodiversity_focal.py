"""Rao's Q and connectivity against double loops written from the definitions, and the identities of METHODS section 5."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pyproj import Geod

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.metrics.biodiversity.connectivity import BlockLattice, ConnectivityMap, block_counts, block_side, metres_per_degree, reach
from epoch_plugin.core.metrics.biodiversity.rao import rao_q

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def q_of(values, window, alpha, span=60.0):
    """Rao's Q of a whole array; cells outside it are missing."""
    half = window // 2
    padded = np.full((values.shape[0] + 2 * half, values.shape[1] + 2 * half), np.nan)
    padded[half : half + values.shape[0], half : half + values.shape[1]] = values
    row, col = (a.reshape(-1) + half for a in np.indices(values.shape))
    return rao_q(padded, row, col, window, alpha, span).reshape(values.shape)


def q_by_double_loop(values, window, alpha):
    """The definition, cell by cell and pair by pair."""
    half, found = window // 2, np.full(values.shape, np.nan)
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            around = [
                values[i, j]
                for i in range(max(r - half, 0), min(r + half + 1, values.shape[0]))
                for j in range(max(c - half, 0), min(c + half + 1, values.shape[1]))
                if not math.isnan(values[i, j])
            ]
            if math.isnan(values[r, c]) or len(around) < window * window / 2:
                continue
            total = 0.0
            for one in around:
                for other in around:
                    total += abs(one - other) ** alpha
            found[r, c] = (total / len(around) ** 2) ** (1 / alpha)
    return found


@pytest.mark.parametrize("alpha", [1.0, 2.0, 0.5, 3.0])
@pytest.mark.parametrize("window", [3, 5])
@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_equals_the_double_loop(alpha, window, holes):
    random = np.random.default_rng(int(10 * alpha) + window)
    values = random.uniform(0, 60, (9, 11)).astype(np.float32).astype(np.float64)
    values[random.random(values.shape) < holes] = np.nan
    expected = q_by_double_loop(values, window, alpha)
    assert np.isnan(expected).any() and (~np.isnan(expected)).any()  # corners see under half of their window
    np.testing.assert_allclose(q_of(values, window, alpha), expected, rtol=1e-9, atol=0)


def test_alpha_2_is_root_2_times_the_population_sd():
    values = np.random.default_rng(3).uniform(0, 60, (9, 9))
    assert q_of(values, 9, 2.0)[4, 4] == pytest.approx(math.sqrt(2) * values.std(), rel=1e-8)


@pytest.mark.parametrize("window", [45, 99, 199])
def test_large_windows_do_not_overflow(window):
    random = np.random.default_rng(window)
    values = np.where(random.random((window, window)) < 0.5, random.uniform(0, 1, (window, window)), random.uniform(59, 60, (window, window)))
    half = np.array([window // 2])
    assert rao_q(values, half, half, window, 2.0, 60.0)[0] == pytest.approx(math.sqrt(2) * values.std(), rel=1e-8)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 0.5])
def test_a_constant_canopy_has_none(alpha):
    for height in (0.0, 0.1, 1 / 3, 59.999):
        found = q_of(np.full((9, 9), height), 5, alpha)
        assert found[4, 4] == 0.0 and np.nanmax(found) == 0.0


def test_half_0_half_1_is_a_half_with_alpha_1():
    # 9 x 9 window of which one cell is missing: 40 cells of 0 and 40 of 1
    values = (np.arange(81) % 2).astype(float).reshape(9, 9)
    values[0, 0] = np.nan
    assert np.nansum(values) == 40
    assert q_of(values, 9, 1.0)[4, 4] == 0.5


def test_nothing_cancels_on_a_high_plateau():
    values = 1_000_000.0 + np.random.default_rng(5).uniform(0, 1e-3, (9, 9))
    expected = math.sqrt(2) * (values - 1_000_000.0).std()
    assert q_of(values - 1_000_000.0 + 59.0, 9, 2.0)[4, 4] == pytest.approx(expected, rel=1e-3)
    # heights that float32 holds exactly come out to the last digits of float64
    steps = 59.0 + np.random.default_rng(6).integers(0, 3, (9, 9)) * 2.0**-18
    assert q_of(steps, 9, 2.0)[4, 4] == pytest.approx(math.sqrt(2) * (steps - 59.0).std(), rel=1e-12)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.7])
def test_the_answer_does_not_depend_on_the_window_that_was_read(alpha):
    random = np.random.default_rng(8)
    values = random.uniform(0, 60, (60, 70))
    values[random.random(values.shape) < 0.2] = np.nan
    row, col = (a.reshape(-1) for a in np.meshgrid(np.arange(20, 31), np.arange(25, 41), indexing="ij"))
    whole = rao_q(values, row, col, 9, alpha, 60.0)
    cropped = rao_q(values[13:37, 17:48], row - 13, col - 17, 9, alpha, 60.0)
    assert whole.tobytes() == cropped.tobytes()


@pytest.mark.parametrize("name", ["chm_kootenay_full", "chm_kootenay_nodata", "copndvi_coast", "nasadem_30x30"])
@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_real_rasters_equal_the_double_loop(name, alpha):
    path = SHARED / "rao" / "inputs.json"
    if not path.exists():
        pytest.skip("../shared/data/rao is not there")
    arrays = json.loads(path.read_text())
    values = np.array([[math.nan if v is None else v for v in row] for row in arrays[name]], np.float64)[:16, :16]
    span = float(np.nanmax(values) - np.nanmin(values)) or 1.0
    expected = q_by_double_loop(values, 5, alpha)
    assert (~np.isnan(expected)).sum() > 50
    np.testing.assert_allclose(q_of(values, 5, alpha, span), expected, rtol=1e-6, atol=1e-9)


# connectivity


def connectivity_by_double_loop(heights, side, spacing_of_row, radius, tree_height):
    """The definition on blocks: averages of t and validity, weights by the distance of the blocks' centres."""
    rows, cols = -(-heights.shape[0] // side), -(-heights.shape[1] // side)
    tree, valid = np.zeros((rows, cols)), np.zeros((rows, cols))
    for r in range(heights.shape[0]):
        for c in range(heights.shape[1]):
            if not math.isnan(heights[r, c]):
                valid[r // side, c // side] += 1 / side**2
                tree[r // side, c // side] += (heights[r, c] >= tree_height) / side**2
    found = np.full((rows, cols), np.nan)
    for r in range(rows):
        down, across = spacing_of_row(r)
        for c in range(cols):
            above = below = 0.0
            for i in range(rows):
                for j in range(cols):
                    d = math.hypot((i - r) * down, (j - c) * across)
                    if d <= radius + 1e-6:
                        above += math.exp(-d / radius) * tree[i, j]
                        below += math.exp(-d / radius) * valid[i, j]
            if below:
                found[r, c] = above / below
    return found


def connectivity_of(heights, lattice, radius, tree_height, latitudes=(0.0, 0.0)):
    """All blocks of an array; cells outside it are missing."""
    side = lattice.side
    across = reach(lattice, radius, latitudes)
    rows, cols = -(-heights.shape[0] // side), -(-heights.shape[1] // side)
    padded = np.full(((rows + 2 * across[0]) * side, (cols + 2 * across[1]) * side), np.nan)
    top, left = across[0] * side, across[1] * side
    padded[top : top + heights.shape[0], left : left + heights.shape[1]] = heights
    trees, valid = block_counts(padded, None, side, tree_height)
    row, col = (a.reshape(-1) for a in np.indices((rows, cols)))
    found = ConnectivityMap(lattice, radius, across)(trees, valid, -across[0], row + across[0], col + across[1])
    return found.reshape(rows, cols)


@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("holes", [0.0, 0.4])
def test_connectivity_equals_the_double_loop(side, holes):
    random = np.random.default_rng(side)
    heights = random.uniform(0, 12, (13, 17))
    heights[random.random(heights.shape) < holes] = np.nan
    grid = Grid("EPSG:32630", 300_000.0, 700_000.0, 10.0, -10.0, 17, 13)
    expected = connectivity_by_double_loop(heights, side, lambda row: (10.0 * side, 10.0 * side), 60.0, 5.0)
    np.testing.assert_allclose(connectivity_of(heights, BlockLattice(grid, side), 60.0, 5.0), expected, rtol=1e-8)


def test_connectivity_in_degrees_uses_distances_on_the_ellipsoid():
    heights = np.random.default_rng(4).uniform(0, 12, (14, 12))
    grid = Grid("EPSG:4326", -5.0, 55.0, 0.0003, -0.0003, 12, 14)
    geod = Geod(ellps="WGS84")

    def spacing(row):
        latitude = 55.0 - (row + 0.5) * 0.0003
        down = geod.inv(-5.0, latitude - 0.00015, -5.0, latitude + 0.00015)[2]
        return down, geod.inv(-5.0 - 0.00015, latitude, -5.0 + 0.00015, latitude)[2]

    expected = connectivity_by_double_loop(heights, 1, spacing, 150.0, 5.0)
    found = connectivity_of(heights, BlockLattice(grid, 1), 150.0, 5.0, (54.99, 55.0))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_all_trees_is_1_and_none_is_0():
    grid = Grid("EPSG:32630", 0.0, 0.0, 30.0, -30.0, 20, 20)
    for height, expected in ((20.0, 1.0), (4.999, 0.0), (5.0, 1.0)):
        assert (connectivity_of(np.full((20, 20), height), BlockLattice(grid, 1), 500.0, 5.0) == expected).all()


def test_the_tree_mask_adds_trees_only_where_the_height_is_known():
    heights = np.array([[1.0, 1.0], [9.0, np.nan]])
    trees, valid = block_counts(heights, np.array([[2, 1], [0, 2]], np.uint8), 2, 5.0)
    assert trees.tolist() == [[2]] and valid.tolist() == [[3]]


def test_block_side():
    assert [block_side(500, cell) for cell in (10, 9.994, 10.004, 30, 100, 1, 12.6)] == [5, 5, 5, 1, 1, 50, 3]


def test_metres_per_degree_equal_the_geodesic():
    geod = Geod(ellps="WGS84")
    for latitude in (0.0, 7.5, -33.0, 60.0):
        down, across = (float(length) for length in metres_per_degree(np.array(latitude)))
        assert down * 1e-3 == pytest.approx(geod.inv(0, latitude - 5e-4, 0, latitude + 5e-4)[2], rel=1e-7)
        assert across * 1e-3 == pytest.approx(geod.inv(0, latitude, 1e-3, latitude)[2], rel=1e-7)
