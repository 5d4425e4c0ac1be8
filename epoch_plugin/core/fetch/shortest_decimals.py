"""The shortest decimal text of many doubles at once: the same characters as Python's `repr`, at a fraction of its time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]  # four characters each

WIDTH = 6  # words per number: sign and whole part, point and 3 decimals, three times 4, the last 3; no `repr` of a double is longer
_DECIMALS = 18
_VELTKAMP = 134217729.0  # 2**27 + 1: splits a double in two halves whose products are exact
_DOUBTFUL = 1e-6  # of half a unit in the last place; closer to the limit `repr` decides

_POWER = 10 ** np.arange(_DECIMALS + 1, dtype=np.int64)
_EXACT_POWER = _POWER.astype(np.float64)


def as_words(texts: Sequence[str], words: int = 1) -> Words:
    """Return ASCII texts as rows of so many words, filled up with NUL."""
    found: Words = np.frombuffer("".join([text.ljust(4 * words, "\0") for text in texts]).encode(), np.uint32).reshape(-1, words)
    return found[:, 0] if words == 1 else found


_WHOLE = as_words([f"-{v}" for v in range(1000)] + [f"{v}" for v in range(1000)])  # what is not negative from 1000 on
# by decimals of a word: as they are, and without the zeros at their end
_POINT_THREE = (as_words([f".{v:03d}" for v in range(1000)]), as_words([".0", *(f".{v:03d}".rstrip("0") for v in range(1, 1000))]))
_FOUR = (as_words([f"{v:04d}" for v in range(10_000)]), as_words([f"{v:04d}".rstrip("0") for v in range(10_000)]))
_THREE = as_words([f"{v:03d}".rstrip("0") for v in range(1000)])


def write_numbers(values: Floats, cells: Words) -> None:
    """Write each value (n,) as text into its row of `cells` (n, WIDTH); characters that are not needed are NUL.

    The shortest digits that read back as the same double, the closest of those (Steele and White 1990), as 15, 16 or 17
    significant ones; what is below 0.01, from 1000 on or too close to call is left to `repr`.
    """
    size = np.abs(values)
    usual = (size >= 0.01) & (size < 1000)
    size = np.where(usual, size, 1.0)
    # decimals of 17 digits
    places: Integers = np.full(len(size), 14, np.int64)
    for limit in (100, 10, 1, 0.1):
        places += size < limit
    digits, clear = _shortest(size, places)
    power = _POWER.take(places)
    whole = size.astype(np.int64)
    decimals = digits - whole * power
    carried = decimals == power
    whole += carried
    decimals[carried] = 0
    cells[:, 0] = _WHOLE.take(np.where(values < 0, whole, whole + 1000))
    _write_decimals(decimals * _POWER.take(_DECIMALS - places), cells)
    for i in np.flatnonzero(~(usual & clear)).tolist():
        cells[i] = as_words([repr(float(values[i]))], WIDTH)[0]


def _shortest(size: Floats, places: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Return the digits as whole numbers with so many decimals, zeros behind the shortest, and whether they are beyond doubt."""
    power = _EXACT_POWER.take(places)
    product, error = _product(size, power)
    nearest = np.rint(error)
    full = product.astype(np.int64) + nearest.astype(np.int64)
    rest = error - nearest  # exact value = full + rest
    limit = np.spacing(size) * 0.5 * power  # anything nearer than this reads back as the same double
    tens, hundreds = _rounded(full, rest, 10), _rounded(full, rest, 100)
    off_tens, off_hundreds = (np.abs((short - full) - rest) for short in (tens, hundreds))
    digits = np.where(off_hundreds < limit, hundreds, np.where(off_tens < limit, tens, full))
    clear = (np.abs(off_hundreds - limit) > _DOUBTFUL * limit) & (np.abs(off_tens - limit) > _DOUBTFUL * limit)
    return digits, clear


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return a * b as a whole number and what is left, together exact (Dekker 1971)."""
    product = a * b
    scaled = a * _VELTKAMP
    a_high = scaled - (scaled - a)
    a_low = a - a_high
    scaled = b * _VELTKAMP
    b_high = scaled - (scaled - b)
    b_low = b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    whole = np.rint(product)
    return whole, (product - whole) + error


def _rounded(full: Integers, rest: Floats, unit: int) -> Integers:
    """Round full + rest to a multiple of `unit`; a tie goes to the even one."""
    count = full // unit
    over = (full - count * unit) + rest - unit // 2
    rounded: Integers = (count + ((over > 0) | ((over == 0) & (count % 2 == 1)))) * unit
    return rounded


def _write_decimals(decimals: Integers, cells: Words) -> None:
    """Write 18 decimals behind a point, without the zeros at their end but for the first."""
    groups = []
    for unit in (10**15, 10**11, 10**7, 10**3):
        groups.append(decimals // unit)
        decimals = decimals - groups[-1] * unit
    cells[:, 5] = _THREE.take(decimals)
    ending = np.flatnonzero(decimals == 0)
    for word, (as_it_is, shortened) in ((4, _FOUR), (3, _FOUR), (2, _FOUR), (1, _POINT_THREE)):
        group = groups[word - 1]
        cells[:, word] = as_it_is.take(group)
        last = group[ending]
        cells[ending, word] = shortened.take(last)
        ending = ending[last == 0]  # fewer and fewer numbers end this early
