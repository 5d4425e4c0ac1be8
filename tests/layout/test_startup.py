"""QGIS starts no slower: loading the plugin imports no heavy library. Each case is a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("numpy", "osgeo", "shapely", "pyproj", "pyarrow", "geopandas", "pandas", "rasterio", "scipy", "matplotlib", "sqlite3")
LOADS = {
    "as QGIS imports the plugin folder": "import {folder} as plugin; plugin.classFactory(None)",
    "the provider with its algorithms": "from epoch_plugin.processing_algorithms.provider import EpochProvider",
}


@pytest.mark.parametrize("case", LOADS)
def test_loading_is_light(case, root, tmp_path):
    pytest.importorskip("qgis.core")
    (tmp_path / "epoch_plugin").symlink_to(root)
    code = "import json, sys\nsys.path.insert(0, sys.argv[1])\nimport qgis.core, qgis.PyQt.QtGui\nbefore = set(sys.modules)\n"
    code += LOADS[case].format(folder="epoch_plugin") + "\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout)
    assert "epoch_plugin.processing_algorithms.provider" in loaded or "epoch_plugin.plugin" in loaded
    assert [name for name in loaded if name.partition(".")[0] in HEAVY] == []
    assert [name for name in loaded if name.startswith("epoch_plugin.epoch_plugin")] == []
    assert [name for name in loaded if name in ("ui", "core", "processing_algorithms")] == []


def test_the_two_roots_are_one_package(root, tmp_path):
    (tmp_path / "epoch_plugin").symlink_to(root)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import epoch_plugin.core.errors, epoch_plugin.ui; print(epoch_plugin.ui.__name__)"
    for folder in (tmp_path, root):
        run = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "epoch_plugin.ui"
