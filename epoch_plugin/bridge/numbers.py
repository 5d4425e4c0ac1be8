"""Numbers as people read them: three significant digits, the locale's separators, always a unit."""

from __future__ import annotations

from math import floor, log10

from qgis.PyQt.QtCore import QLocale

MOST_PLACES = 6
FIXED_SPACE = "\u00a0"  # no line ends between a number and its sign


def places(value: float) -> int:
    """Return the decimal places that show three significant digits, at most six, none from 100 on."""
    return 0 if value == 0 else min(MOST_PLACES, max(0, 2 - floor(log10(abs(value)))))


def number(value: float, unit: str = "") -> str:
    """Return a value with three significant digits (whole numbers in full) and its unit; the minus is a true minus."""
    text = QLocale().toString(float(value), "f", places(value)).replace("-", "−")
    return f"{text} {unit}" if unit else text


def tick(value: float) -> str:
    """Return a number at an axis: only the decimals that it has."""
    decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
    return QLocale().toString(float(value), "f", decimals).replace("-", "−")


def whole(value: int) -> str:
    """Return a count with the locale's thousands separators."""
    return QLocale().toString(int(value))


def counted(number_of: int, one: str, many: str) -> str:
    """Return `one` for one of something, else `many` with the number, as the locale writes it, in the place of {n}."""
    return one if number_of == 1 else many.replace("{n}", whole(number_of))


def percent(share: float) -> str:
    """Return a share (0..1) as a percentage."""
    rounded = float(f"{100.0 * share:.3g}")  # 99.99 is 100, not 100.0
    return f"{number(rounded)}{FIXED_SPACE}%"


def quantity(value: float, unit: str) -> str:
    """Return a value in the store's unit as text: shares and scores as such, everything else with its unit."""
    if unit == "share":
        return percent(value)
    if unit in ("0-1", "0-5", "0-100"):
        return f"{number(value)} ({unit.replace('-', '–')})"
    return number(value, unit)


def number_expression(value: str) -> str:
    """Return the QGIS expression that writes what the expression `value` gives as `number` does, without unit."""
    return f"with_variable('x', {value}, format_number(@x, CASE WHEN @x = 0 THEN 0 ELSE min(6, max(0, 2 - floor(log10(abs(@x))))) END))"
