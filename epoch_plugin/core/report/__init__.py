"""What a person reads of a collection: counts, areas, causes and sources in one summary, as lines and as a page."""
