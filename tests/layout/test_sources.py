"""The shape of the sources: small files, translated texts, no machine paths, no package hosts, scoped enums, nothing unfinished."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess

import pytest

from tests.layout.imports import ROOT, python_files

ALGORITHM_FILES = python_files("processing_algorithms")
# Calls whose text arguments people read: every one must be self.tr(...).
LABELLED = re.compile(r"^QgsProcessing(Parameter|Output)")


def tracked() -> list[str]:
    """Return the names of the files that git knows or would add."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    git = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if git.returncode:
        pytest.skip("not a git checkout")
    return [name for name in git.stdout.splitlines() if (ROOT / name).is_file()]


def test_an_algorithm_is_a_thin_file():
    for path in ALGORITHM_FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 150, f"{path.name}: move work into the core"


def test_algorithms_do_not_loop_over_numbers_or_touch_the_project():
    for path in ALGORITHM_FILES:
        text = path.read_text(encoding="utf-8")
        assert "QgsProject.instance" not in text, f"{path.name}: algorithms run in a background thread"
        assert "reportError" not in text, f"{path.name}: a failure is raised; QGIS counts a reported one as success"


def test_labels_are_translated():
    found = []
    for path in ALGORITHM_FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and LABELLED.match(node.func.id) and len(node.args) > 1:
                label = node.args[1]
                if isinstance(label, (ast.Constant, ast.JoinedStr)):
                    found.append(f"{path.name}:{node.lineno}")
    assert not found, f"labels outside self.tr(): {found}"


def test_translated_texts_are_whole_texts():
    """`tr` of an f-string cannot be translated: placeholders are filled after it."""
    for path in python_files("processing_algorithms", "epoch_plugin/bridge", "ui"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                assert not (name == "tr" and node.args and isinstance(node.args[0], ast.JoinedStr)), f"{path.name}:{node.lineno}"


def test_users_rasters_are_opened_without_side_files():
    for path in python_files("epoch_plugin", "processing_algorithms", "ui"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        guarded = {
            id(inner)
            for block in ast.walk(tree)
            if isinstance(block, ast.With) and any("no_side_files" in ast.unparse(item.context_expr) for item in block.items)
            for inner in ast.walk(block)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "QgsRasterLayer":
                assert id(node) in guarded, f"{path.name}:{node.lineno}: GDAL would write statistics beside the user's file"


def test_no_machine_paths_and_no_package_hosts():
    hosts = "|".join(("deb" + r"ian\.org", "py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.(org|com)"))
    machine = "|".join((r"(?<![\w.$}])/" + "work/", re.escape("/tmp/" + "w/")))
    pattern = re.compile(f"{hosts}|{machine}")
    for name in tracked():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        match = pattern.search(text)
        assert match is None, f"{name}: {match.group(0)}"


def test_version_branches_are_in_one_place():
    for path in python_files("epoch_plugin", "processing_algorithms", "ui"):
        if path.name != "compat.py":
            assert "QGIS_VERSION" not in path.read_text(encoding="utf-8"), f"{path}: branch in bridge/compat.py"


def test_enums_of_qt_and_qgis_are_scoped():
    """Qt 6 has no unscoped enums: Qt.AlignRight, QDialog.Accepted, QgsProcessing.TypeVectorPolygon and their like."""
    unscoped = re.compile(
        r"\b(Qt\.(Align|Left|Right|Top|Bottom|Horizontal|Vertical|User|Display|Checked|NoPen|NoBrush)\w*\b(?!\.)"
        r"|QgsProcessing\.Type\w+|QgsWkbTypes\.(Point|Polygon|MultiPolygon|NoGeometry)\b|Qgis\.(Info|Warning|Critical)\b|exec_\()"
    )
    for path in python_files("epoch_plugin", "processing_algorithms", "ui", "scripts"):
        match = unscoped.search(path.read_text(encoding="utf-8"))
        assert match is None, f"{path.name}: {match.group(0)}"


def test_nothing_unfinished_is_shipped():
    for path in python_files("epoch_plugin", "processing_algorithms", "ui"):
        text = path.read_text(encoding="utf-8")
        match = re.search(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b", text)
        assert match is None, f"{path}: {match.group(0)}"
