"""Biodiversity proxies (METHODS section 5): heterogeneity of canopy height around a cell, connectivity of its trees, and their score."""
