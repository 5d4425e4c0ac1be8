"""The product: runs under plain Python, in QGIS's threads and on a cluster node; imports neither QGIS nor Qt."""
