"""The benchmark: `make bench`. Makes its data, measures this engine beside its peers in fresh processes, prints and keeps one table."""
