"""Coordinates that are written many at a time: the same characters as `repr`, the same geometry as one at a time."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from epoch_plugin.core.fetch.geojson import geometry_text, geometry_texts
from epoch_plugin.core.fetch.shortest_decimals import WIDTH, write_numbers

RNG = np.random.default_rng(20)
N = 20_000
SAMPLES = {
    "degrees": RNG.uniform(-180, 180, N),
    "one digit before the point": RNG.uniform(-10, 10, N),
    "six decimals": np.round(RNG.uniform(-180, 180, N), 6),
    "beside round numbers": np.nextafter(
        [round(value, i % 13) for i, value in enumerate(RNG.uniform(-180, 180, N).tolist())], RNG.choice([-1e9, 1e9], N)
    ),
    "small": RNG.uniform(-0.2, 0.2, N),
    "any size": RNG.choice([-1, 1], N) * 10 ** RNG.uniform(-12, 12, N),
    "ties at 16 digits": (RNG.integers(2**14 * 512, 2**14 * 1000, N) | 1) / 2**14,
    "ties at 17 digits": (RNG.integers(2**15 * 512, 2**15 * 1000, N) | 1) / 2**15,
    "few bits": RNG.integers(0, 2**26, N) / 2.0 ** RNG.integers(10, 30, N),
    "single": np.array([0.0, -0.0, 1, -1, 2, 512, 999.9999999999999, 0.01, 0.1, 0.3, 0.1 + 0.2, 9.999999999999998, 99.99999999999999, 1000, 180, 1e-5,
                        0.09999999999999999, 1e22, 5e-324, -1.2345678901234567e-100, np.nextafter(0.01, 0)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_numbers_are_written_as_repr_writes_them(name):
    values = SAMPLES[name]
    cells = np.full((len(values), WIDTH), 0x41414141, np.uint32)
    write_numbers(values, cells)
    assert [row.tobytes().replace(b"\0", b"").decode() for row in cells] == [repr(value) for value in values.tolist()]


def _polygon(*rings, order="<"):
    parts = [struct.pack(order + "BII", order == "<", 3, len(rings))]
    for ring in rings:
        parts.append(struct.pack(f"{order}I{2 * len(ring)}d", len(ring), *np.ravel(ring)))
    return b"".join(parts)


def _multi(*polygons):
    return struct.pack("<BII", 1, 6, len(polygons)) + b"".join(polygons)


def test_geometries_written_together_are_those_written_alone():
    shell, hole = RNG.uniform(-180, 180, (7, 2)), RNG.uniform(-1, 1, (4, 2))
    large = RNG.uniform(0, 9, (20_000, 2))  # more vertices than are written together
    shapes = [
        _multi(_polygon(shell)), _polygon(shell, hole), _multi(_polygon(shell, hole), _polygon(hole)), _multi(_polygon(large)),
        struct.pack("<BI2d", 1, 1, -4.123456789012345, 6.0), _polygon(shell, order=">"), _multi(_polygon(shell, order=">")),
        _multi(_polygon(shell), _polygon(shell, order=">")), _polygon(), _multi(), _polygon(np.empty((0, 2))),
        struct.pack("<BIII3d", 1, 1003, 1, 1, 1.0, 2.0, 3.0), _multi(_polygon(hole)),
    ]  # fmt: skip
    assert geometry_texts(shapes) == [geometry_text(shape) for shape in shapes]
    assert geometry_texts([]) == []
    assert geometry_texts(shapes[:1]) == ['{"type":"Polygon","coordinates":[[' + ",".join(f"[{x!r},{y!r}]" for x, y in shell.tolist()) + "]]}"]


def test_what_is_no_number_or_cut_off_is_refused():
    with pytest.raises(ValueError, match="not a finite number"):
        geometry_texts([_polygon([[0.0, 0.0], [np.nan, 1.0], [1.0, 1.0]])])
    with pytest.raises(struct.error):
        geometry_texts([_polygon([[0.0, 0.0], [1.0, 1.0]])[:-8]])
