"""Which stored row of a plot is the current one: the rule that views and fetch share."""

from __future__ import annotations

CUTOFF = "2020-12-31"

COMPLETED = "completed"


def current_row(statistic: str, plot: str = "p.uuid", conditions: str = "") -> str:
    """Return a scalar subquery: `fid` of the current row of `stat_<statistic>` for the plot expression `plot`.

    Newest window first (deforestation: windows that start on the cut-off before all others; then latest end, then latest
    start), within a window completed jobs before others, then the newest job. `conditions` is SQL of ours over the alias
    `r` (bound values only), starting with AND. Resolved by the UNIQUE index on (uuid, window, job).
    """
    cutoff_first = f"(r.monitoring_start = '{CUTOFF}') DESC, " if statistic == "eudr_deforestation" else ""
    return (
        f"(SELECT r.fid FROM stat_{statistic} r LEFT JOIN batch_jobs j ON j.job_id = r.job_id WHERE r.uuid = {plot} {conditions}"  # nosec B608
        f" ORDER BY {cutoff_first}r.monitoring_end DESC, r.monitoring_start DESC,"
        f" coalesce(j.status = '{COMPLETED}', 0) DESC, j.created DESC, j.fid DESC, r.fid DESC LIMIT 1)"
    )
