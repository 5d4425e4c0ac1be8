"""Stored results as features: filters, limits, NDJSON, aggregates."""

from epoch_plugin.core.fetch.request import FetchRequest
from epoch_plugin.core.fetch.result import Feature, FetchResult, Field
from epoch_plugin.core.fetch.run import fetch

__all__ = ["Feature", "FetchRequest", "FetchResult", "Field", "fetch"]
