"""Who may import what: the table of docs/architecture.md, read from the source. A breach names file and line."""

from __future__ import annotations

import ast
import re

import pytest

from tests.layout.imports import ROOT, SHIPPED, Import, imports_of, python_files

CORE = "epoch_plugin.core"
QT = ("PyQt5", "PyQt6", "PySide2", "PySide6", "sip")
HEAVY = ("numpy", "osgeo", "shapely", "pyproj", "pyarrow", "geopandas", "rasterio", "pandas", "fiona", "exactextract", "scipy", "matplotlib")
COMMON = tuple(f"{CORE}.{name}" for name in ("errors", "nesting", "progress", "settings", "window"))
GDAL_STATE = f"{CORE}.datasets.gdal_state"  # GDAL's error mode, borrowed and given back: whoever calls GDAL needs it
BOX_TREE = f"{CORE}.box_tree"
ARIDITY = f"{CORE}.aridity"  # the same classes for one plot and for many
DRAWING = "ui/charts/matplotlib_drawing.py"  # imported when the first chart is drawn; without matplotlib Qt draws

# folder -> modules of ours that it may import besides itself (prefixes)
ALLOWED = {
    "epoch_plugin/core/collections": (*COMMON, GDAL_STATE, BOX_TREE),
    "epoch_plugin/core/datasets": COMMON,
    "epoch_plugin/core/zonal": (*COMMON, f"{CORE}.datasets.raster", GDAL_STATE),
    "epoch_plugin/core/metrics": (*COMMON, ARIDITY, f"{CORE}.datasets", f"{CORE}.zonal"),
    "epoch_plugin/core/regions": (*COMMON, GDAL_STATE, BOX_TREE),
    "epoch_plugin/core/store": COMMON,
    "epoch_plugin/core/fetch": (*COMMON, ARIDITY, f"{CORE}.store"),
    "epoch_plugin/core/monitoring": (*COMMON, f"{CORE}.store", f"{CORE}.fetch"),
    "epoch_plugin/core/report": (*COMMON, f"{CORE}.store", f"{CORE}.fetch", f"{CORE}.metrics.reasons"),
    "epoch_plugin/core": (CORE,),
    "epoch_plugin/bridge": (CORE,),
    "processing_algorithms": (CORE, "epoch_plugin.bridge"),
    "ui": (CORE, "epoch_plugin.bridge"),
}


def owner(path: str) -> str:
    """Return the rule's folder that a file belongs to: the longest that is a prefix."""
    return max((folder for folder in ALLOWED if path.startswith(folder + "/")), key=len, default="")


def package_of(folder: str) -> str:
    """Return the dotted name under which a folder is imported."""
    return folder.replace("/", ".") if folder.startswith("epoch_plugin") else f"epoch_plugin.{folder}"


def under(module: str, *packages: str) -> bool:
    """Tell whether a module is one of the packages or lies in one."""
    return any(module == package or module.startswith(package + ".") for package in packages)


def breach(one: Import) -> str | None:
    """Return what is wrong with an import, or None."""
    if one.module.startswith("."):
        return "relative import: write epoch_plugin.…, one name everywhere"
    if under(one.module, *QT):
        return "Qt only through qgis.PyQt"
    if under(one.module, "epoch_plugin.epoch_plugin", "processing_algorithms", "ui"):
        return "the same module under a second name"
    folder = owner(one.path)
    if one.path.startswith("epoch_plugin/core/") and under(one.module, "qgis"):
        return "the core knows nothing of QGIS"
    if folder in ("epoch_plugin/bridge", "processing_algorithms") and under(one.module, "qgis.gui", "qgis.utils", "qgis.PyQt.QtWidgets"):
        return "widgets belong to ui"
    if one.path == DRAWING and under(one.module, "matplotlib"):
        return None
    if folder in ("epoch_plugin/bridge", "processing_algorithms", "ui") and under(one.module, *HEAVY):
        return "numbers and geometry are the core's work"
    if folder and under(one.module, "epoch_plugin") and not under(one.module, package_of(folder), *ALLOWED[folder]):
        return f"{folder} may import itself and {', '.join(ALLOWED[folder])}"
    return None


ALL = [one for path in python_files(*SHIPPED) for one in imports_of(path)]


def test_the_page_has_the_same_table():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = {row[0]: set(re.findall(r"`(core\.[a-z_.]+)`", row[1])) for row in re.findall(r"^\| `(core\.[a-z_]+)` \|(.*)\|$", page, re.MULTILINE)}
    allowed = {package_of(folder): set(names) - set(COMMON) for folder, names in ALLOWED.items() if folder.startswith("epoch_plugin/core/")}
    # package_of gives epoch_plugin.core.x, the page says core.x
    assert {f"epoch_plugin.{name}": {f"epoch_plugin.{one}" for one in found} for name, found in rows.items()} == allowed


def test_every_import_keeps_to_the_architecture():
    breaches = [f"{one.path}:{one.line} imports {one.module}: {what}" for one in ALL if (what := breach(one))]
    assert not breaches, "\n" + "\n".join(breaches)


def test_the_rules_catch_a_breach():
    cases = {
        ("epoch_plugin/core/metrics/a.py", "qgis.core"): "QGIS",
        ("epoch_plugin/core/metrics/a.py", "epoch_plugin.core.store.jobs"): "may import",
        ("epoch_plugin/core/store/a.py", "epoch_plugin.core.fetch"): "may import",
        ("processing_algorithms/a.py", "numpy"): "core's work",
        ("processing_algorithms/a.py", "epoch_plugin.ui.dock"): "may import",
        ("epoch_plugin/bridge/a.py", "qgis.PyQt.QtWidgets"): "widgets",
        ("ui/a.py", "PyQt5.QtCore"): "qgis.PyQt",
        ("ui/a.py", ".b"): "relative",
    }
    for (path, module), words in cases.items():
        assert words in (breach(Import(path, 1, module, False)) or ""), (path, module)
    assert breach(Import("epoch_plugin/core/batch.py", 1, "epoch_plugin.core.metrics.deforestation", False)) is None


@pytest.mark.parametrize("folder", ["epoch_plugin/bridge", "processing_algorithms", "epoch_plugin/plugin.py"])
def test_only_light_core_modules_are_imported_at_load(folder):
    """What the plugin imports while QGIS starts is light; everything else of the core is imported inside functions."""
    light = (*COMMON, f"{CORE}.collections.source", f"{CORE}.executor_name")
    heavy = [
        f"{one.path}:{one.line} {one.module}"
        for one in ALL
        if one.path.startswith(folder) and not one.lazy and under(one.module, CORE) and not under(one.module, *light)
    ]
    assert not heavy, heavy


def test_every_package_folder_has_a_quiet_init(root):
    """A folder without `__init__.py` breaks QGIS's unloading of plugins; code in one runs for every import below it."""
    for folder in {path.parent for path in python_files(*SHIPPED)}:
        init = folder / "__init__.py"
        assert init.is_file(), folder
        if folder != root / "epoch_plugin":
            for node in ast.parse(init.read_text(encoding="utf-8")).body:
                docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                quiet = docstring or isinstance(node, (ast.ImportFrom, ast.Assign, ast.FunctionDef))
                assert quiet, f"{init}:{node.lineno}: a docstring and the names that the folder offers, nothing else"
