"""Holds the computed truth against the expectations that were written by hand in cases.py."""

from __future__ import annotations

from typing import Any

from scripts.sample.cases import Case
from scripts.sample.grids import ANALYSIS


def disagreements(plotid: str, case: Case, truth: dict[str, Any]) -> list[str]:
    """Return one line for each expectation of a case that its truth does not meet."""
    expect, wrong = case.expect, []
    named = {"alert": "deforestation_alert", "confidence": "deforestation_confidence", "assessed_end": "assessed_end"}
    for key, name in named.items():
        if key in expect and truth[name] != expect[key]:
            wrong.append(f"{name} is {truth[name]}, expected {expect[key]}")
    wrong += [f"reason {code} is missing" for code in expect.get("has", ()) if code not in truth["reasons"]]
    wrong += [f"reason {code} should not be there" for code in expect.get("without", ()) if code in truth["reasons"]]
    wrong += _areas(expect, truth)
    return [f"{plotid} ({case.name}): {line}" for line in wrong]


def _areas(expect: dict[str, Any], truth: dict[str, Any]) -> list[str]:
    wrong = []
    cell = ANALYSIS.cell_ha(ANALYSIS.rows // 2)
    if "cells" in expect and abs((truth["detected_area"] or 0.0) - expect["cells"] * cell) > 0.001 * cell * max(1, expect["cells"]):
        wrong.append(f"detected_area is {truth['detected_area'] / cell:.3f} cells, expected {expect['cells']}")
    years = tuple(int(key[-4:]) for key, ha in truth["annual_defor"].items() if "rmse" not in key and ha)
    if "years" in expect and years != expect["years"]:
        wrong.append(f"years are {years}, expected {expect['years']}")
    if "degraded" in expect and bool(truth["tmf_degraded_ha"]) != expect["degraded"]:
        wrong.append(f"tmf_degraded_ha is {truth['tmf_degraded_ha']}")
    if expect.get("nothing_seen") and truth["detected_area"] is not None:
        wrong.append("detected_area should be null: no cell has both the baseline and a system")
    if expect.get("unknown_area") and truth["noncompliance_area"] is not None:
        wrong.append("noncompliance_area should be null")
    if (
        truth["deforestation_alert"] is not None
        and truth["noncompliance_area"] is not None
        and (truth["noncompliance_area"] > 0) != (truth["deforestation_alert"] == "critical")
    ):
        wrong.append("critical and noncompliance_area > 0 must go together")
    return wrong
