"""What users install: metadata that QGIS and the plugin site accept, and a zip with everything and nothing else."""

from __future__ import annotations

import configparser
import importlib.util
import os
import zipfile

import pytest


@pytest.fixture(scope="module")
def metadata(root):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(root / "metadata.txt", encoding="utf-8")
    return parser["general"]


@pytest.fixture(scope="module")
def package(root, tmp_path_factory):
    spec = importlib.util.spec_from_file_location("package", root / "scripts" / "package.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.TARGET = root / "dist" / "epoch_plugin.zip"
    module.main()
    with zipfile.ZipFile(module.TARGET) as archive:
        yield archive


def test_metadata_has_what_qgis_and_the_plugin_site_ask_for(metadata, root):
    for key in ("name", "description", "about", "version", "author", "email", "tracker", "repository", "icon"):
        assert metadata.get(key, "").strip(), key
    assert metadata["qgisMinimumVersion"] == "3.22"
    assert metadata["qgisMaximumVersion"] == "4.99"
    assert metadata.getboolean("hasProcessingProvider")
    assert "supportsQt6" not in metadata
    assert (root / metadata["icon"]).is_file()


def test_version_is_the_changelogs(metadata, root):
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in changelog or f"## {metadata['version']}" in changelog


def test_licence_is_the_gpl(root):
    text = (root / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text and "Version 2, June 1991" in text and "END OF TERMS AND CONDITIONS" in text


def test_zip_has_one_folder_with_what_is_needed(package):
    names = package.namelist()
    assert {name.split("/")[0] for name in names} == {"epoch_plugin"}
    for needed in ("__init__.py", "metadata.txt", "LICENSE", "epoch_plugin/plugin.py", "processing_algorithms/provider.py", "ui/__init__.py",
                   "epoch_plugin/resources/icons/epoch.svg", "epoch_plugin/resources/styles/alert.qml",
                   "epoch_plugin/resources/models/deforestation_check.model3", "epoch_plugin/resources/help/stageplots.md"):  # fmt: skip
        assert f"epoch_plugin/{needed}" in names


def test_zip_has_nothing_else(package):
    for info in package.infolist():
        assert not any(part in ("__pycache__", "tests", "scripts", ".git", ".venv", "dist") for part in info.filename.split("/")), info.filename
        assert not info.filename.endswith((".pyc", ".so", ".dll", ".exe", ".sh", ".bat", ".gpkg-wal", ".gpkg-shm")), info.filename
        assert not info.external_attr >> 16 & 0o111, f"{info.filename} is executable"
        assert ".." not in info.filename and "\\" not in info.filename
    assert os.path.getsize(package.filename) < 25e6


def test_every_shipped_python_file_is_in_the_zip(package, root):
    names = set(package.namelist())
    for folder in ("epoch_plugin", "processing_algorithms", "ui"):
        for path in (root / folder).rglob("*.py"):
            if "__pycache__" not in path.parts:
                assert f"epoch_plugin/{path.relative_to(root).as_posix()}" in names
