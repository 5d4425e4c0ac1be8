"""The shown plots as CSV: full precision, what is not known is empty."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable

from epoch_plugin.core.monitoring.plot_columns import PlotColumns
from epoch_plugin.core.progress import Progress, stop_if_cancelled

FIELDS = {
    "plotid": "plotid", "uuid": "uuid", "area_ha": "area", "deforestation_alert": "alert", "deforestation_confidence": "confidence",
    "noncompliance_area_ha": "noncompliance_area", "detected_area_ha": "detected_area", "deforestation_start": "since",
    "deforestation_end": "until", "assessed_end": "assessed_end", "valid_fraction": "valid_fraction",
    "luc_tco2ehayear": "luc_tco2ehayear", "diversity_score": "diversity_score", "water_stress_index": "water_stress_index", "reasons": "reasons",
}  # fmt: skip


def write_csv(path: str, columns: PlotColumns, rows: Iterable[int], progress: Progress) -> int:
    """Write the given rows in their order (UTF-8, one heading line) and return how many; a failed or cancelled export leaves no file."""
    partial, number = f"{path}.part", 0
    try:
        with open(partial, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(FIELDS)
            for row in rows:
                stop_if_cancelled(progress)
                writer.writerow([columns.value(int(row), name) for name in FIELDS.values()])
                number += 1
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)
    return number
