"""Parametric Rao's Q of a square window: Q = (sum over i, j of |h_i - h_j|^alpha / N^2)^(1/alpha).

Rocchini et al. 2021 (rasterdiv, paRao); alpha = 1 is Rao's quadratic entropy on distances. N is the number of valid cells of the
window, all ordered pairs count, also i = j. A window with under half its cells valid has no Q, nor has a cell without a value.

Three ways, chosen by alpha, all with the same answer for a cell whatever window it is computed in:
- alpha = 2: Q = sqrt(2) x population standard deviation, by running sums of fixed-point integers. They are exact, so that nothing
  cancels and no running error is carried along; the cost does not grow with the window.
- alpha = 1: the N values of a window sorted, sum |h_i - h_j| = 2 x sum (2k - N - 1) h_(k); grows with N log N, for needed cells only.
- else: one box sum per offset between two cells of a window; grows with the third power of the window's side.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CELLS_AT_ONCE = 4096  # windows that are sorted together


def rao_q(values: Floats, row: Ints, col: Ints, window: int, alpha: float, span: float) -> Floats:
    """Return Q at cells (row, col) of `values`, each at least window // 2 cells from the edge; NaN where there is none.

    `window` is odd; NaN marks missing cells; `span` is the largest possible difference between two values.
    """
    count = _box_sum((~np.isnan(values)).astype(np.int64), window)
    half = window // 2
    r, c = row - half, col - half
    enough = (2 * count >= window * window)[r, c] & ~np.isnan(values[row, col])
    found = np.full(len(row), np.nan)
    if alpha == 2:
        found[enough] = _by_running_sums(values, count, window, span)[r[enough], c[enough]]
    elif alpha == 1:
        found[enough] = _by_sorting(values, r[enough], c[enough], window)
    elif enough.any():
        found[enough] = _by_offsets(values, count, window, alpha)[r[enough], c[enough]]
    return found


def _box_sum(values: Ints, size: int) -> Ints:
    """Return the sums of size x size cells by running sums of integers: exact, as long as the sum itself fits into 64 bits."""
    rows, cols = values.shape
    down = np.zeros((rows + 1, cols), np.int64)
    np.cumsum(values, axis=0, out=down[1:])
    boxes = down[size:] - down[:-size]
    across = np.zeros((len(boxes), cols + 1), np.int64)
    np.cumsum(boxes, axis=1, out=across[:, 1:])
    return np.asarray(across[:, size:] - across[:, :-size])


def _by_running_sums(values: Floats, count: Ints, window: int, span: float) -> Floats:
    # as many binary places as let the squared deviations of a window fit into 63 bits: they sum to N span^2 / 4 at most
    places = int((62.9 - math.log2(max(window * window * span * span / 4, 1e-300))) // 2)
    fixed = np.rint(np.nan_to_num(np.ldexp(values, places))).astype(np.int64)
    n = np.maximum(count, 1)
    first, second = _box_sum(fixed, window), _box_sum(fixed * fixed, window)
    # about the whole part of the mean; products may wrap around, their sum does not
    mean = first // n
    squares = second - mean * (2 * first - n * mean)
    rest = (first - n * mean).astype(np.float64)
    variance = (squares - rest * rest / n) / n
    return np.asarray(np.ldexp(np.sqrt(2 * np.maximum(variance, 0)), -places))


def _by_sorting(values: Floats, row: Ints, col: Ints, window: int) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(values, (window, window))
    rank = np.arange(1, window * window + 1)
    found = np.empty(len(row))
    for start in range(0, len(row), CELLS_AT_ONCE):
        part = slice(start, start + CELLS_AT_ONCE)
        ordered = np.sort(windows[row[part], col[part]].reshape(-1, window * window), axis=1)  # NaN goes last
        n = (~np.isnan(ordered)).sum(axis=1)
        spread = ordered - ordered[:, :1]
        total = np.where(rank <= n[:, None], (2 * rank - n[:, None] - 1) * spread, 0).sum(axis=1)
        found[part] = 2 * total / (n * n)
    return found


def _by_offsets(values: Floats, count: Ints, window: int, alpha: float) -> Floats:
    rows, cols = values.shape
    total = np.zeros(count.shape)
    for down in range(window):
        for across in range(1 - window, window):
            if down == 0 and across <= 0:  # the other half of the pairs are these again
                continue
            left, right = max(-across, 0), max(across, 0)
            one, other = values[: rows - down, left : cols - right], values[down:, right : cols - left]
            apart = np.nan_to_num(np.power(np.abs(one - other), alpha))
            total += _added(_added(apart, window - down, 0), window - abs(across), 1)
    n = np.maximum(count, 1).astype(np.float64)
    return np.asarray(np.power(2 * total / (n * n), 1 / alpha))


def _added(values: Floats, size: int, axis: int) -> Floats:
    """Return the sums of `size` neighbours along an axis, added one after the other: the same for a cell in every window."""
    last = values.shape[axis] - size + 1
    total = np.take(values, range(last), axis=axis)
    for k in range(1, size):
        total += values[k : k + last] if axis == 0 else values[:, k : k + last]
    return total
