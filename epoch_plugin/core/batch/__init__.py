"""The job: plan chunks, compute, commit, resume. Knows the executors (threads), nothing of QGIS."""

from epoch_plugin.core.batch.request import BatchRequest, BatchResult
from epoch_plugin.core.batch.runner import run_batch

__all__ = ["BatchRequest", "BatchResult", "run_batch"]
