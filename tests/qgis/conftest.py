"""QGIS tests: the provider registered once, a store per test, algorithms called by id as users call them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

pytest.importorskip("qgis.core", reason="QGIS tests need QGIS's Python")


@pytest.fixture(scope="session")
def plugin(qgis_app):
    """The plugin, started as qgis_process starts it: without an iface."""
    import processing
    from processing.core.Processing import Processing

    import epoch_plugin.plugin as module

    Processing.initialize()
    plugin = module.EpochPlugin(None)
    plugin.initProcessing()
    assert processing is not None and plugin.provider is not None
    yield plugin
    plugin.unload()


@pytest.fixture
def store(tmp_path):
    """The path of a store that does not exist yet."""
    return str(tmp_path / "store.gpkg")


@pytest.fixture
def run(plugin, store):
    """Run an algorithm of the provider by name on the test's store and return its outputs."""
    import processing

    def call(name, **parameters):
        return processing.run(f"epoch:{name}", {"STORE": store, **parameters})

    return call


@pytest.fixture(scope="session")
def processed_sample(plugin, tmp_path_factory):
    """The path of a store with the sample staged, uploaded and checked for deforestation; copy it before writing or opening layers."""
    import processing

    from epoch_plugin.bridge.settings import resource

    path = str(tmp_path_factory.mktemp("processed") / "store.gpkg")
    common = {"STORE": path, "COLLECTION": "sample"}
    processing.run("epoch:stageplots", {
        "STORE": path, "INPUT_FILE": resource("sample", "plots.geojson"), "COLLECTION_NAME": "sample", "CROP_TYPE": "cocoa", "COUNTRY": "CI",
    })  # fmt: skip
    processing.run("epoch:uploadplots", common)
    processing.run("epoch:batchdeforestationcheck", {**common, "DATASETS": resource("sample", "datasets.json"), "END_DATE": "2025-12-31"})
    return path


@pytest.fixture
def feedback(plugin):
    """A feedback whose `text` is everything that was said."""
    from qgis.core import QgsProcessingFeedback

    class Listener(QgsProcessingFeedback):
        def __init__(self):
            super().__init__(False)
            self.warnings, self.infos = [], []

        def pushWarning(self, text):
            self.warnings.append(text)

        def pushInfo(self, text):
            self.infos.append(text)

    return Listener()


@pytest.fixture(scope="session")
def qgis_process(root, tmp_path_factory):
    """Run qgis_process in a fresh profile with the plugin enabled; returns the finished process."""
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("qgis_process is not installed")
    home = tmp_path_factory.mktemp("qgis_process")
    (home / "run").mkdir(mode=0o700)
    (home / "plugins").mkdir()
    (home / "plugins" / "epoch_plugin").symlink_to(root)
    environment = {
        "HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), "QGIS_PLUGINPATH": str(home / "plugins"), "QT_QPA_PLATFORM": "offscreen",
        "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8",
        "EPOCH_STORE": str(home / "store.gpkg"),
    }  # fmt: skip

    def call(*arguments, cwd=home):
        return subprocess.run([program, *map(str, arguments)], env=environment, cwd=cwd, capture_output=True, text=True, timeout=300)

    assert os.path.isdir(home)
    call("plugins", "enable", "epoch_plugin")
    return call
