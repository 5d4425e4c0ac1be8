"""Covered fractions and centres of every cell, against shapely's intersection of each polygon with each cell."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from shapely.affinity import affine_transform, translate
from shapely.geometry import MultiPolygon, Point, Polygon, box
from shapely.geometry.polygon import orient
from shapely.prepared import prep

from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.zonal.coverage import coverage
from epoch_plugin.core.zonal.rings import rings_from_wkb, segments
from tests.core.raster_files import wkb_of

ROWS, COLS = 24, 30
UNIT = Grid("EPSG:4326", 0.0, float(ROWS), 1.0, -1.0, COLS, ROWS)
DEGREES = Grid("EPSG:4326", -71.73775, 18.687, 0.00025, -0.00025, COLS, ROWS)
SOUTH_UP = Grid("EPSG:4326", 100.0, -3.0, 0.1, 0.1, COLS, ROWS)
FAR = Grid("EPSG:3395", -6885690.0, 1857300.0, 30.0, -30.0, COLS, ROWS)
GRIDS = {"unit": UNIT, "degrees": DEGREES, "south-up": SOUTH_UP, "metres far from the origin": FAR}

# In cells: x to the right, y upwards from the lower left corner of a grid of 30 x 24 cells.
L_SHAPE = Polygon([(3.2, 4.3), (9.7, 4.3), (9.7, 6.6), (5.5, 6.6), (5.5, 11.4), (3.2, 11.4)])
RING = Polygon(box(4.5, 4.5, 20.5, 18.5).exterior.coords, [box(7.25, 7.75, 16.5, 15.5).exterior.coords])
SHAPES = {
    "box on cell edges": box(3, 4, 7, 9),
    "one cell exactly": box(3, 4, 4, 5),
    "half a cell off": box(2.5, 3.5, 6.5, 7.5),
    "horizontal edges inside cells": box(2.2, 3.3, 8.9, 5.7),
    "horizontal edges inside one row": box(2.2, 3.3, 11.9, 3.8),
    "L with horizontal edges inside cells": L_SHAPE,
    "smaller than a cell": box(5.2, 5.3, 5.6, 5.4),
    "smaller than a cell, beside the centre": Polygon([(5.1, 5.1), (5.3, 5.1), (5.2, 5.3)]),
    "on a corner of four cells": box(7.6, 7.7, 8.3, 8.1),
    "triangle on a corner of four cells": Polygon([(7.5, 7.6), (8.7, 7.9), (8.1, 8.9)]),
    "two parts": MultiPolygon([box(2.1, 2.2, 4.4, 4.7), Polygon([(10, 10), (14.5, 11), (12, 15.3)])]),
    "two parts in one cell": MultiPolygon([box(2.1, 2.2, 2.3, 2.4), box(2.6, 2.5, 2.8, 2.9)]),
    "hole": RING,
    "island in a hole": MultiPolygon([RING, box(9.3, 9.4, 12.6, 12.2)]),
    "hole within a cell": Polygon(box(5.1, 5.1, 5.9, 5.9).exterior.coords, [box(5.3, 5.3, 5.6, 5.7).exterior.coords]),
    "over the west edge": box(-3.4, 5.3, 4.2, 9.6),
    "over the east edge": box(25.3, 5.3, 33.7, 9.6),
    "over the north edge": Polygon([(5.2, 20.1), (9.8, 20.1), (8.3, 27.7)]),
    "over the south edge": Polygon([(5.2, -4.5), (9.8, 3.3), (3.1, 2.2)]),
    "over a corner": Polygon([(-4, 20), (3, 20), (3, 28), (-5, 27)]),
    "larger than the grid": Polygon([(-10, -9), (45, -12), (50, 40), (-8, 33)]),
    "around the grid, the grid in its hole": Polygon(box(-5, -5, 40, 40).exterior.coords, [box(-1, -1, 31, 25).exterior.coords]),
    "west of the grid": box(-9.5, 5.2, -2.5, 9.1),
    "east of the grid": box(31.5, 5.2, 40.5, 9.1),
    "north of the grid": box(3.5, 24.5, 7.5, 30.1),
    "south of the grid": box(3.5, -8.5, 7.5, -0.5),
    "touching the grid from outside": box(-4, 5, 0, 9),
    "sliver": Polygon([(1.1, 1.2), (27.9, 20.7), (27.9, 20.701)]),
    "sliver along a cell edge": box(3.0, 7.0, 22.0, 7.0001),
    "vertices on cell corners": Polygon([(4, 4), (12, 6), (15, 15), (6, 11)]),
    "diagonal through corners": Polygon([(2, 2), (20, 20), (2, 20)]),
    "star": Polygon([(15 + r * np.cos(a), 12 + r * np.sin(a)) for a, r in zip(np.linspace(0, 2 * np.pi, 40, endpoint=False), [9.3, 4.1] * 20)]),
    "repeated vertices": Polygon([(3.3, 3.3), (3.3, 3.3), (9.1, 3.3), (9.1, 8.8), (9.1, 8.8), (3.3, 8.8)]),
}


def placed(shape, grid):
    """Bring a shape from cells to the grid's coordinates."""
    low = min(grid.y0, grid.y0 + grid.nrows * grid.dy)
    return affine_transform(shape, [grid.dx, 0, 0, abs(grid.dy), grid.x0, low])


def cell_box(grid, row, col):
    x, y = grid.x0 + col * grid.dx, grid.y0 + row * grid.dy
    return box(*sorted_box(x, y, x + grid.dx, y + grid.dy))


def sorted_box(x0, y0, x1, y1):
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def cells_of(shapes, grid):
    """Return per plot {(row, col): (fraction, centre inside)}; every cell at most once."""
    covered = coverage(segments(rings_from_wkb([wkb_of(shape) for shape in shapes])), grid)
    found = defaultdict(dict)
    for plot, row, col, fraction, inside in zip(
        covered.cell_plot, covered.cell_row, covered.cell_col, covered.cell_fraction, covered.cell_inside
    ):  # fmt: skip
        assert (row, col) not in found[plot]
        found[plot][row, col] = (fraction, inside)
    for plot, row, first, length, fraction, inside in zip(
        covered.run_plot, covered.run_row, covered.run_col, covered.run_length, covered.run_fraction, covered.run_inside
    ):  # fmt: skip
        for col in range(first, first + length):
            assert (row, col) not in found[plot]
            found[plot][row, col] = (fraction, inside)
    assert sum(len(cells) for cells in found.values()) == covered.n_cells
    return found


def expected(shape, grid):
    """Return {(row, col): (fraction, distance of the centre from the boundary in cells, centre inside)} from shapely."""
    cells, inside, outline = {}, prep(shape), shape.boundary
    for row in range(grid.nrows):
        for col in range(grid.ncols):
            square = cell_box(grid, row, col)
            if inside.intersects(square):
                centre = Point(grid.x0 + (col + 0.5) * grid.dx, grid.y0 + (row + 0.5) * grid.dy)
                cells[row, col] = shape.intersection(square).area / square.area, outline.distance(centre) / grid.dx, inside.contains(centre)
    return cells


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_fraction_and_centre_of_every_cell(shape, grid):
    # 1e-12 of a cell in units; far from the origin coordinates themselves are no better than 2^-52 of them
    tolerance = 1e-12 + 8 * 2.0**-52 * max(abs(grid.x0), abs(grid.y0)) / grid.dx
    shape = placed(shape, grid)
    found, wanted = cells_of([shape], grid)[0], expected(shape, grid)
    assert all(0 < fraction <= 1 for fraction, _ in found.values())
    for cell in set(found) | set(wanted):
        share, distance, inside = wanted.get(cell, (0.0, 1.0, False))
        assert found.get(cell, (0.0, False))[0] == pytest.approx(share, abs=tolerance), cell
        if distance > 1e-6 and share > 1e-9:
            assert bool(found[cell][1]) == inside, cell
    in_grid = shape.intersection(cell_box(grid, 0, 0).union(cell_box(grid, grid.nrows - 1, grid.ncols - 1)).envelope)
    if in_grid.area > 0:
        total = sum(fraction for fraction, _ in found.values()) * abs(grid.dx * grid.dy)
        # METHODS: 1e-9 relative; a plot that is a sliver has fewer digits than that in metres far from the origin
        assert total == pytest.approx(in_grid.area, rel=1e-9, abs=tolerance * grid.dx**2 * len(wanted))
    else:
        assert not found


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("name", ["L with horizontal edges inside cells", "island in a hole", "over a corner", "star"])
def test_both_windings_give_the_same_bits(name, sign):
    shape = SHAPES[name]
    parts = getattr(shape, "geoms", [shape])
    turned = MultiPolygon([orient(part, sign) for part in parts])
    assert cells_of([turned], UNIT) == cells_of([shape], UNIT)


def test_plots_do_not_influence_each_other():
    shapes = list(SHAPES.values())
    together = cells_of(shapes, UNIT)
    for number, shape in enumerate(shapes):
        assert together.get(number, {}) == cells_of([shape], UNIT).get(0, {})


def test_touching_parts_fill_what_lies_between_them():
    # cut along x = 7.3, through cells: the two pieces must fill what the whole fills, bit for bit where fixed-point sums allow
    whole, halves = box(3.1, 3.2, 11.7, 9.4), MultiPolygon([box(3.1, 3.2, 7.3, 9.4), box(7.3, 3.2, 11.7, 9.4)])
    one, two = cells_of([whole], UNIT)[0], cells_of([halves], UNIT)[0]
    assert one.keys() == two.keys()
    for cell in one:
        assert two[cell][0] == pytest.approx(one[cell][0], abs=1e-14)


def test_shapes_that_share_a_side_share_its_cells_without_gap_or_overlap():
    rng = np.random.default_rng(5)
    ring = [(15 + 9 * np.cos(a), 12 + 9 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 25, endpoint=False)]
    hub = (14.3, 12.9)
    pieces = [Polygon([hub, ring[k], ring[(k + 1) % 25]]) for k in rng.permutation(25)]
    sums = defaultdict(float)
    for cells in cells_of(pieces, UNIT).values():
        for cell, (fraction, _) in cells.items():
            sums[cell] += fraction
    whole = cells_of([Polygon(ring)], UNIT)[0]
    assert sums.keys() == whole.keys()
    assert max(abs(sums[cell] - whole[cell][0]) for cell in whole) < 1e-12


def test_overlapping_parts_cover_a_cell_once():
    assert max(f for f, _ in cells_of([MultiPolygon([box(2, 2, 8, 8), box(4, 4, 10, 10)])], UNIT)[0].values()) == 1.0


def test_random_plots_against_shapely_areas():
    rng = np.random.default_rng(11)
    shapes = []
    for _ in range(300):
        size, n = float(10 ** rng.uniform(-1.5, 1.0)), int(rng.integers(3, 40))
        angles = np.sort(rng.uniform(0, 2 * np.pi, n))
        radii = size * rng.uniform(0.4, 1.0, n)
        shape = Polygon(np.c_[radii * np.cos(angles), radii * np.sin(angles)]).buffer(0)
        if shape.is_empty or shape.area < 1e-6 or shape.geom_type != "Polygon":
            shape = box(0, 0, size, size / 3)
        shapes.append(translate(shape, float(rng.uniform(11, 19)), float(rng.uniform(11, 13))))
    found = cells_of(shapes, UNIT)
    for number, shape in enumerate(shapes):
        assert sum(f for f, _ in found[number].values()) == pytest.approx(shape.area, rel=1e-9)


def test_rows_in_bands_are_the_rows_of_the_whole():
    segs = segments(rings_from_wkb([wkb_of(shape) for shape in SHAPES.values()]))
    whole = coverage(segs, UNIT)
    cells, runs = [], []
    for start, stop in ((0, 5), (5, 6), (6, 20), (20, 24)):
        part = coverage(segs, UNIT, start, stop)
        cells += list(zip(part.cell_plot, part.cell_row, part.cell_col, part.cell_fraction, part.cell_inside))
        runs += list(zip(part.run_plot, part.run_row, part.run_col, part.run_length, part.run_fraction, part.run_inside))
    assert sorted(cells) == sorted(zip(whole.cell_plot, whole.cell_row, whole.cell_col, whole.cell_fraction, whole.cell_inside))
    assert sorted(runs) == sorted(
        zip(whole.run_plot, whole.run_row, whole.run_col, whole.run_length, whole.run_fraction, whole.run_inside)
    )  # fmt: skip
