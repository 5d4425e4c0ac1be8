"""From the answer of epoch:checkdatasets to a traffic light per statistic, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import counted
from epoch_plugin.bridge.sentences import plots_in_words, role_in_words
from epoch_plugin.core.datasets.roles import ROLES, is_detection

DEFORESTATION, EXTRA = "eudr_deforestation", "extra"
NEARLY_ALL = 0.9999


@dataclass(frozen=True)
class Readiness:
    """`level` is green, amber or red; `words` one line; `details` one line per thing to know."""

    level: str
    words: str
    details: tuple[str, ...] = ()


def readiness(response: dict[str, Any], statistic: str) -> Readiness:
    """Judge one statistic: red cannot be computed, amber can with gaps, green has all it can use."""
    answer = response["statistics"].get(statistic, {"ready": False, "missing": []})
    entries = [entry for entry in response["entries"] if _serves(entry, statistic)]
    details = [f"{item['role']}: {item['meaning']}" for item in answer["missing"]]
    details += [f"{entry['role']}: {problem}" for entry in entries for problem in entry["problems"]]
    partial = sorted((entry for entry in entries if _has_gaps(entry)), key=lambda entry: entry["coverage"])
    details += [tr("{role}: covers {share} % of the plots").format(role=e["role"], share=f"{100 * e['coverage']:.3g}") for e in partial]
    if not answer["ready"]:
        return Readiness("red", tr("Cannot be computed with these datasets"), tuple(details))
    broken = sum(1 for entry in entries if entry["status"] != "found")
    if broken:
        words = tr("Can be computed; {n} layers cannot be read").format(n=broken)
        return Readiness("amber", words if broken > 1 else tr("Can be computed; one layer cannot be read"), tuple(details))
    if partial:
        least = tr("{layer} covers {share} %").format(layer=role_in_words(partial[0]["role"]), share=f"{100 * partial[0]['coverage']:.3g}")
        words = tr("Can be computed; {n} layers do not cover all plots (least: {least})").format(n=len(partial), least=least)
        if len(partial) == 1:
            words = tr("Can be computed; one layer does not cover all plots ({least})").format(least=least)
        return Readiness("amber", words, tuple(details))
    if answer["missing"]:
        words = tr("Can be computed; {n} optional layers are not bound").format(n=len(answer["missing"]))
        one = len(answer["missing"]) == 1
        return Readiness("amber", tr("Can be computed; one optional layer is not bound") if one else words, tuple(details))
    covered = any(entry["coverage"] is not None for entry in entries)
    return Readiness("green", tr("All layers cover these plots") if covered else tr("All layers are bound"), tuple(details))


def estimate_words(response: dict[str, Any]) -> str:
    """Return what a run will cost, empty where that is not known."""
    estimate = response.get("estimate")
    if not estimate:
        return ""
    from epoch_plugin.ui.collections.texts import count, duration

    text = tr("{plots}, {layers}: about {time} and {memory} MB of memory")
    layers = counted(estimate["layers"], tr("1 layer"), tr("{n} layers"))
    time, memory = duration(estimate["seconds"]), count(estimate["memory_mb"])
    return text.format(plots=plots_in_words(estimate["plots"]), layers=layers, time=time, memory=memory)


def _has_gaps(entry: dict[str, Any]) -> bool:
    """Tell whether plots lie outside a raster; outside the areas of a vector layer the answer is no, not unknown."""
    return entry["status"] == "found" and entry["dtype"] != "vector" and entry["coverage"] is not None and entry["coverage"] < NEARLY_ALL


def _serves(entry: dict[str, Any], statistic: str) -> bool:
    role = ROLES.get(entry["role"])
    if role is not None:
        return role.statistic == statistic
    detection = is_detection(entry["role"], "") or entry["purpose"] == "detection system"
    return statistic == (DEFORESTATION if detection else EXTRA)
