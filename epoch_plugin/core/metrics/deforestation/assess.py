"""From sums to statements: coverage, confidence and alert of every plot (METHODS sections 2 and 3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.metrics.deforestation.layers import DeforestationPlan
from epoch_plugin.core.metrics.deforestation.states import meaning_of
from epoch_plugin.core.metrics.deforestation.sums import M2_PER_HA, Floats, PlotSums, StateSums, sum_states
from epoch_plugin.core.metrics.deforestation.systems import MASK_NO_DATA, MASK_YES
from epoch_plugin.core.metrics.grid_tasks import Place
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.zonal.engine import GridResult
from epoch_plugin.core.zonal.reduce import StateAreas

Words = npt.NDArray[np.object_]
Days = npt.NDArray[np.object_]  # datetime.date or None

NO_DETECTION, LOW, MEDIUM, HIGH = "no detection", "low", "medium", "high"
NO_DEFORESTATION, NON_CRITICAL, CRITICAL = "no deforestation", "non-critical", "critical"


@dataclass(frozen=True)
class DeforestationTable:
    """The statistic of n plots; areas in ha, NaN or None = not known. Year arrays have one column per counted year."""

    plan: DeforestationPlan
    area: Floats
    weight: Floats  # ha of cells on the analysis grid
    clipped: npt.NDArray[np.bool_]
    coverage: dict[str, Floats]  # role -> share of the plot with data
    overlap: dict[str, Floats]  # forest_2020, context and commodity roles
    sums: PlotSums
    system_there: npt.NDArray[np.bool_]  # (plots, systems): has data in the plot
    year_covered: npt.NDArray[np.bool_]  # (plots, years): some system with data in the plot has a record of it
    year_partly: npt.NDArray[np.bool_]  # ... but none to the year's (or the window's) end
    assessed_end: Days
    valid_fraction: Floats
    detected: Floats
    defor: Floats  # (plots, years)
    defor_rmse: Floats
    rrmse: Floats
    single_system: npt.NDArray[np.bool_]  # fewer than two systems saw enough in all years up to assessed_end: no error can be given
    agreement: Floats  # (plots, systems)
    agreement_all: Floats
    confidence: Words
    alert: Words
    deciding: Floats  # D
    deciding_inside: Floats  # of D, in cells whose centre is in the plot
    noncompliance: Floats
    few_seen: npt.NDArray[np.bool_]  # valid fraction below the minimum


def assess(plan: DeforestationPlan, results: list[GridResult], area: Floats) -> DeforestationTable:
    """Make the statements from the engine's results; `area` is the plots' geodesic area in ha."""
    n = len(area)
    overlap, coverage = _masks(plan, results, area)
    answer, weight, clipped = _analysis(plan, results, n)
    years = plan.window.years
    meaning = meaning_of(answer.states, len(plan.systems), len(years), plan.settings)
    sums = sum_states(answer, meaning, n)
    whole = _whole(area, weight, clipped)
    coverage.update({s.name: _share(sums.system_seen[:, i], whole) for i, s in enumerate(plan.systems)})

    there = sums.system_seen > 0
    covered, partly, assessed_end, prefix = _record(plan, sums)
    run = np.maximum(prefix - 1, 0)
    valid = np.where(prefix > 0, _share(sums.prefix_seen[np.arange(n), run], whole), 0.0)
    judged = sums.judged_year > 0
    known = judged.any(axis=1)
    detected = np.where(known, sums.union, np.nan)
    confidence = _confidence(sums, known, plan.settings)
    few_seen = valid < plan.settings.min_valid_fraction
    confidence[few_seen & (sums.union == 0)] = None
    column = np.isin(confidence, (MEDIUM, HIGH)).astype(int)  # D is the consensus at medium and high, else the union
    deciding = np.where(column == 1, sums.consensus, sums.union)
    alert = _alert(sums, confidence, deciding, column, area, plan.settings)
    share_of_union = _ratio(sums.system_year.sum(axis=2), sums.union[:, None])
    several = there.sum(axis=1) > 1
    rmse, rrmse = _errors(sums, whole, prefix, plan.settings)
    return DeforestationTable(
        plan=plan, area=area, weight=weight, clipped=clipped, coverage=coverage, overlap=overlap, sums=sums, system_there=there,
        year_covered=covered, year_partly=partly, assessed_end=assessed_end, valid_fraction=valid, detected=detected,
        defor=np.where(judged, sums.union_year, np.nan), defor_rmse=np.where(judged, rmse, np.nan),
        rrmse=np.where(known, rrmse, np.nan), single_system=np.isnan(rrmse) & (prefix > 0),
        agreement=np.where(there & known[:, None], share_of_union, np.nan),
        agreement_all=np.where(several & known, _ratio(sums.agreed, sums.union), np.nan),
        confidence=confidence, alert=alert, deciding=deciding, deciding_inside=sums.inside[np.arange(n), column],
        noncompliance=_noncompliance(alert, deciding, few_seen), few_seen=few_seen,
    )  # fmt: skip


def _masks(plan: DeforestationPlan, results: list[GridResult], area: Floats) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return area (ha, NaN without any data) and coverage of baseline, context and commodities, each on its own grid."""
    overlap, coverage = {}, {}
    for role, place in plan.masks.items():
        answer, weight, clipped = _answer(results, place)
        sums = StateSums(answer, len(area))
        codes = answer.states[:, 0] if answer.states.size else np.zeros(0, np.int64)
        data = sums.ha(codes != MASK_NO_DATA)
        overlap[role] = np.where(data > 0, sums.ha(codes == MASK_YES), np.nan)
        coverage[role] = _share(data, _whole(area, weight, clipped))
    return overlap, coverage


def _answer(results: list[GridResult], place: Place) -> tuple[StateAreas, Floats, npt.NDArray[np.bool_]]:
    result = results[place.task]
    answer = result.kernels[place.kernel]
    if not isinstance(answer, StateAreas):
        raise TypeError("a deforestation kernel answers in states")
    return answer, result.weight / M2_PER_HA, result.clipped


def _analysis(plan: DeforestationPlan, results: list[GridResult], n: int) -> tuple[StateAreas, Floats, npt.NDArray[np.bool_]]:
    columns = 1 + 3 * len(plan.systems) + 3
    none = np.zeros(0, np.int64)
    empty = StateAreas(none, none, np.zeros(0), np.zeros((0, columns), np.int64))
    if plan.analysis is None:
        return empty, np.zeros(n), np.ones(n, bool)
    answer, weight, clipped = _answer(results, plan.analysis)
    return (answer if answer.states.size else empty), weight, clipped


def _whole(area: Floats, weight: Floats, clipped: npt.NDArray[np.bool_]) -> Floats:
    """Return the area (ha) of which data cover a share: the cells' own where the plot lies in the grid, else the plot's."""
    return np.where(clipped, np.maximum(area, weight), weight)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.minimum(_ratio(part, whole), 1.0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=np.broadcast_to(whole > 0, np.broadcast(part, whole).shape))


def _record(plan: DeforestationPlan, sums: PlotSums) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], Days, npt.NDArray[np.int64]]:
    """Return which years are covered, and partly only, the end of the unbroken run of years and how many years it has."""
    years, end = plan.window.years, plan.window.end
    n = len(sums.union)
    covered = sums.year_seen > 0
    full = np.zeros((n, len(years)), bool)
    last = np.zeros((n, len(years)), np.int64)  # day numbers, 0 = no record
    for s, system in enumerate(plan.systems):
        for k, (year, until) in enumerate(zip(years, system.record_end)):
            if until is None:
                continue
            speaks = sums.system_year_seen[:, s, k] > 0
            full[:, k] |= speaks & (until >= min(end, dt.date(year, 12, 31)))
            last[speaks, k] = np.maximum(last[speaks, k], min(until, end).toordinal())
    assessed = np.zeros(n, np.int64)
    prefix = np.zeros(n, np.int64)
    going = np.ones(n, bool)
    for k in range(len(years)):
        reached = going & covered[:, k] & (last[:, k] > 0)
        assessed[reached] = last[reached, k]
        prefix[reached] = k + 1
        going = reached & full[:, k]
    days: Days = np.array([dt.date.fromordinal(day) if day else None for day in assessed.tolist()], object)
    return covered, covered & ~full, days, prefix


def _confidence(sums: PlotSums, known: npt.NDArray[np.bool_], settings: Settings) -> Words:
    consensus, high = _ratio(sums.consensus, sums.union), _ratio(sums.agreed_high, sums.union)
    words: Words = np.full(len(sums.union), MEDIUM, object)
    words[high >= settings.high_agreement] = HIGH
    words[consensus < settings.low_agreement] = LOW
    words[sums.union == 0] = NO_DETECTION
    words[~known] = None
    return words


def _alert(sums: PlotSums, confidence: Words, deciding: Floats, column: npt.NDArray[np.int64], area: Floats, settings: Settings) -> Words:
    """Apply the alert matrix: the first rule that holds wins."""
    rows = np.arange(len(area))
    low = confidence == LOW
    large = (deciding >= settings.low_critical_ha) | (deciding >= settings.low_critical_share * area)
    protected = sums.protected[rows, column] >= settings.min_noncompliance_ha
    rotation = sums.rotation[rows, column] > settings.rotation_share * deciding
    rules = (
        (confidence == None, None),  # noqa: E711 (elementwise)
        (confidence == NO_DETECTION, NO_DEFORESTATION),
        (deciding < settings.min_noncompliance_ha, NON_CRITICAL),
        (protected, CRITICAL),
        (rotation, NON_CRITICAL),
        (low & ~large, NON_CRITICAL),
    )
    alert: Words = np.full(len(area), CRITICAL, object)
    open_rows = np.ones(len(area), bool)
    for holds, word in rules:
        alert[open_rows & holds] = word
        open_rows &= ~holds.astype(bool)
    return alert


def _noncompliance(alert: Words, deciding: Floats, few_seen: npt.NDArray[np.bool_]) -> Floats:
    """Return D of critical plots, 0 of others; null without an alert, or where too little was seen to say that there is none."""
    critical = alert == CRITICAL
    unknown = (alert == None) | (few_seen & ~critical)  # noqa: E711 (elementwise)
    return np.where(unknown, np.nan, np.where(critical, deciding, 0.0))


def _errors(sums: PlotSums, whole: Floats, prefix: npt.NDArray[np.int64], settings: Settings) -> tuple[Floats, Floats]:
    """Return rmse per year (ha) and relative rmse of the total, over the systems that saw enough; NaN with fewer than two.

    For the total a system must have seen enough in every year of the run up to `assessed_end` (its first `prefix` years):
    one whose record is shorter cannot be expected to know the same total.
    """
    enough_year = _share(sums.system_year_seen, whole[:, None, None]) >= settings.min_valid_fraction
    beyond = np.arange(enough_year.shape[2]) >= prefix[:, None]
    enough = (enough_year | beyond[:, None, :]).all(axis=2) & (prefix > 0)[:, None]
    rmse = _rmse(sums.system_year, sums.union_year[:, None, :], enough_year)
    total = _rmse(sums.system_year.sum(axis=2), sums.union[:, None], enough)
    return rmse, np.where(np.isnan(total), np.nan, _ratio(total, sums.union))


def _rmse(values: Floats, truth: Floats, used: npt.NDArray[np.bool_]) -> Floats:
    count = used.sum(axis=1)
    squares = np.where(used, (values - truth) ** 2, 0.0).sum(axis=1)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count, 1)), np.nan)
