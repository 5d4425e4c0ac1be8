"""From the answer of epoch:checkdatasets to a traffic light per statistic, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from epoch_plugin.bridge.i18n import tr
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
    partial = [entry for entry in entries if entry["status"] == "found" and entry["coverage"] is not None and entry["coverage"] < NEARLY_ALL]
    details += [tr("{role}: covers {share} % of the plots").format(role=e["role"], share=f"{100 * e['coverage']:.3g}") for e in partial]
    if not answer["ready"]:
        return Readiness("red", tr("cannot be computed with these datasets"), tuple(details))
    broken = sum(1 for entry in entries if entry["status"] != "found")
    if broken or partial:
        words = tr("{n} layers with problems or gaps over these plots").format(n=broken + len(partial))
        return Readiness("amber", words, tuple(details))
    if answer["missing"]:
        return Readiness("amber", tr("can be computed; {n} optional layers are not bound").format(n=len(answer["missing"])), tuple(details))
    covered = any(entry["coverage"] is not None for entry in entries)
    return Readiness("green", tr("all layers cover these plots") if covered else tr("all layers are bound"), tuple(details))


def estimate_words(response: dict[str, Any]) -> str:
    """Return what a run will cost, empty where that is not known."""
    estimate = response.get("estimate")
    if not estimate:
        return ""
    from epoch_plugin.ui.collections.texts import count, duration

    text = tr("{plots} plots, {layers} layers: about {time} and {memory} MB of memory")
    plots, memory = count(estimate["plots"]), count(estimate["memory_mb"])
    return text.format(plots=plots, layers=estimate["layers"], time=duration(estimate["seconds"]), memory=memory)


def _serves(entry: dict[str, Any], statistic: str) -> bool:
    role = ROLES.get(entry["role"])
    if role is not None:
        return role.statistic == statistic
    detection = is_detection(entry["role"], "") or entry["purpose"] == "detection system"
    return statistic == (DEFORESTATION if detection else EXTRA)
