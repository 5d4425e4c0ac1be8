"""The user's preferences, declared once: name, default and meaning; kept in QGIS's settings under `epoch/`."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import QgsSettings

from epoch_plugin.bridge.settings import STORE_SETTING

STORE = STORE_SETTING  # path of the store; empty: the profile's
DATASETS = "epoch/datasets"  # path of the datasets file that is used unless another is chosen
EXECUTOR = "epoch/executor"  # `threads` or `dask:<address>`
PRESETS = "epoch/presets"  # JSON: name -> thresholds (SETTINGS) that differ from METHODS
INTERRUPTED = "epoch/interrupted_jobs"  # JSON: ids of the jobs that closing QGIS or the plugin stopped
DEFAULTS = {STORE: "", DATASETS: "", EXECUTOR: "threads", PRESETS: "{}", INTERRUPTED: "[]"}


def get(name: str) -> str:
    """Return a preference, its default where it is not set."""
    return str(QgsSettings().value(name, DEFAULTS[name], type=str)).strip() or DEFAULTS[name]


def put(name: str, value: str) -> None:
    """Keep a preference; an empty value means the default."""
    if value.strip() and value.strip() != DEFAULTS[name]:
        QgsSettings().setValue(name, value.strip())
    else:
        QgsSettings().remove(name)


def presets() -> dict[str, dict[str, Any]]:
    """Return the named sets of thresholds; what is unreadable counts as none."""
    values = _json(PRESETS, {})
    return {str(name): item for name, item in values.items() if isinstance(item, dict)} if isinstance(values, dict) else {}


def put_presets(values: dict[str, dict[str, Any]]) -> None:
    """Keep the named sets of thresholds."""
    put(PRESETS, json.dumps(values, ensure_ascii=False, sort_keys=True))


def interrupted_jobs() -> list[str]:
    """Return the ids of jobs that were stopped because QGIS or the plugin was closed."""
    values = _json(INTERRUPTED, [])
    return [str(value) for value in values] if isinstance(values, list) else []


def put_interrupted_jobs(job_ids: list[str]) -> None:
    """Keep the ids of jobs that closing stops."""
    put(INTERRUPTED, json.dumps(sorted(set(job_ids))))


def _json(name: str, default: Any) -> Any:
    try:
        return json.loads(get(name))
    except ValueError:
        return default
