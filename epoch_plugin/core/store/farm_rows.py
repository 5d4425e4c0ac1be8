"""Which rows of `stat_non_biomass` count for a plot: those of its newest completed job."""

from __future__ import annotations

NEWEST_JOB = (
    "(SELECT m.job_id FROM stat_non_biomass m LEFT JOIN batch_jobs k ON k.job_id = m.job_id WHERE m.uuid = p.uuid"
    " ORDER BY coalesce(k.status = 'completed', 0) DESC, k.created DESC, k.fid DESC LIMIT 1)"
)
"""The job of the plot `p`, as a scalar subquery."""


def job_of_plot(job: str) -> str:
    """Return the SQL of a job (an expression of ours) as a column of plots that have rows of it, null for others."""
    return f"(SELECT m.job_id FROM stat_non_biomass m WHERE m.uuid = p.uuid AND m.job_id = {job} LIMIT 1)"  # nosec B608
