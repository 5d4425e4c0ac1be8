"""Stored results as features: filters, limits, NDJSON, aggregates."""
