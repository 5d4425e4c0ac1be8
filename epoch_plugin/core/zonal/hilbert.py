"""Order along a Hilbert curve: neighbours in the plane stay neighbours in the sequence."""

from __future__ import annotations

import numpy as np

from epoch_plugin.core.zonal.rings import Floats, Ints

ORDER = 16


def hilbert_index(x: Floats, y: Floats) -> Ints:
    """Return the position of points on a Hilbert curve; x and y are scaled to 0..1 (values outside are clipped)."""
    side = 1 << ORDER
    column = np.clip((np.asarray(x) * side).astype(np.int64), 0, side - 1)
    row = np.clip((np.asarray(y) * side).astype(np.int64), 0, side - 1)
    position = np.zeros(len(column), np.int64)
    step = side >> 1
    while step:
        right, upper = (column & step) > 0, (row & step) > 0
        position += step * step * ((3 * right) ^ upper)
        column, row = column & (step - 1), row & (step - 1)
        mirrored = ~upper & right
        column, row = np.where(mirrored, step - 1 - column, column), np.where(mirrored, step - 1 - row, row)
        column, row = np.where(upper, column, row), np.where(upper, row, column)
        step >>= 1
    return position


def hilbert_order(bounds: Floats) -> Ints:
    """Return the order of boxes (n, 4: xmin, ymin, xmax, ymax) by their centres along a Hilbert curve over all of them."""
    centre_x, centre_y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    scaled = []
    for centre in (centre_x, centre_y):
        known = centre[np.isfinite(centre)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        scaled.append(np.nan_to_num((centre - low) / max(high - low, 1e-12)))
    return np.argsort(hilbert_index(scaled[0], scaled[1]), kind="stable")
