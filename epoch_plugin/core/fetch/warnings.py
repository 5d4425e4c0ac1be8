"""What the user must read beside a result that is usable."""

from __future__ import annotations

from collections.abc import Sequence

from epoch_plugin.core.fetch.request import FetchRequest
from epoch_plugin.core.store.current import CUTOFF
from epoch_plugin.core.store.queries import StatisticState


def fetch_warnings(request: FetchRequest, matched: int, count: int, found: Sequence[StatisticState]) -> list[str]:
    """Return one sentence per thing that could be misread: nothing matched, not processed, unfinished, another window, cut by the limit."""
    if not matched:
        return [f"No plot matches{f' in {request.collection}' if request.collection else ''}{f': {request.filters}' if request.filters else ''}."]
    texts = [text for name, state in zip(request.statistics, found) for text in _statistic_warnings(request, name, matched, state)]
    if matched > count and not request.aggregate:
        texts.append(f"{matched} plots match, {count} are returned: raise LIMIT, or set it to 0 for all.")
    return texts


def _statistic_warnings(request: FetchRequest, name: str, matched: int, state: StatisticState) -> list[str]:
    texts = []
    if state.stored < matched:
        window = f" for the window {request.start or 'any start'} to {request.end or 'any end'}" if request.start or request.end else ""
        job = f" from job {request.job_id}" if request.job_id else ""
        texts.append(f"{name}: {matched - state.stored} of {matched} plots have no stored result{window}{job}; their values are null.")
    if state.unfinished:
        texts.append(f"{name}: {state.unfinished} results come from a job that is not completed; they may still change.")
    if state.off_cutoff and name == "eudr_deforestation" and not request.start:
        texts.append(f"{name}: {state.off_cutoff} results are of windows that do not start on {CUTOFF}, because none is stored that does.")
    if request.aggregate and state.windows > 1:
        texts.append(f"{name}: the results summed are of {state.windows} different windows: give MONITORING_START and MONITORING_END.")
    return texts
