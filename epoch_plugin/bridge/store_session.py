"""The store in a QGIS session: kept in WAL mode, so that its layers tell the truth beside any job (see core/store/keeper.py)."""

from __future__ import annotations

import os

from qgis.core import QgsProject, QgsProviderRegistry


def hold(path: str) -> None:
    """Keep the store at `path` in WAL mode until QGIS ends; nothing happens where there is none yet, or none that can be written."""
    from epoch_plugin.core.store.keeper import keep_for_process
    from epoch_plugin.core.store.store import Store

    if os.path.exists(path) and not Store(path).read_only:
        keep_for_process(path)


def reload_layers(path: str) -> None:
    """Let layers that were opened before the store was held read it anew: they were opened without locks. Main thread only."""
    for layer in QgsProject.instance().mapLayers().values():
        parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
        if os.path.realpath(parts.get("path") or "") == os.path.realpath(path):
            layer.dataProvider().reloadData()
            layer.triggerRepaint()
