"""The grammar of `stats`: count mean std min max sum median pNN majority minority variety classes area==v area>v area>=v area<v."""

from __future__ import annotations

import re
from dataclasses import dataclass

from epoch_plugin.core.errors import InputError

SIMPLE = ("count", "mean", "std", "min", "max", "sum", "median", "majority", "minority", "variety", "classes")
_QUANTILE = re.compile(r"p(\d{1,2}|100)\Z")
_AREA = re.compile(r"area(==|>=|>|<)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\Z")


@dataclass(frozen=True)
class ExtraStat:
    """One statistic of an extra layer: `name` as written; `kind` one of SIMPLE, `quantile` (q in 0..1) or `area` (operator, threshold)."""

    name: str
    kind: str
    q: float = 0.0
    operator: str = ""
    threshold: float = 0.0


def parse_stat(text: str, where: str) -> ExtraStat:
    """Parse one word of the grammar; `where` begins the `InputError`."""
    name = text.replace(" ", "")
    if name in SIMPLE:
        return ExtraStat(name, "quantile", q=0.5) if name == "median" else ExtraStat(name, name)
    if match := _QUANTILE.match(name):
        return ExtraStat(name, "quantile", q=int(match.group(1)) / 100)
    if match := _AREA.match(name):
        return ExtraStat(name, "area", operator=match.group(1), threshold=float(match.group(2)))
    raise InputError(f"{where}: '{text}' is no statistic. Known: {' '.join(SIMPLE)} pNN area==v area>v area>=v area<v.")
