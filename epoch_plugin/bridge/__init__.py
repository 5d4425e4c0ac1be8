"""Between the core and QGIS: feedback, layers, settings, tasks, translation; no widgets."""
