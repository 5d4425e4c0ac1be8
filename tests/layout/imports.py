"""Reads the project's import statements; the rules themselves are in test_imports.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("epoch_plugin", "processing_algorithms", "ui")


@dataclass(frozen=True)
class Import:
    """One imported module as seen from the project: `module` is absolute, `lazy` = inside a function or under TYPE_CHECKING."""

    path: str
    line: int
    module: str
    lazy: bool


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below folders of the checkout, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def imports_of(path: Path) -> Iterator[Import]:
    """Yield every import of a file; `from a import b` counts as a.b where that is a module of ours, else as a."""
    name = str(path.relative_to(ROOT))
    yield from _walk(ast.parse(path.read_text(encoding="utf-8")), name, lazy=False)


def _walk(node: ast.AST, path: str, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(path, child.lineno, alias.name, lazy)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            for alias in child.names:
                full = f"{module}.{alias.name}"
                yield Import(path, child.lineno, full if _is_module(full) else module, lazy)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) or _only_for_types(child)
            yield from _walk(child, path, lazy or inside)


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_module(name: str) -> bool:
    parts = name.split(".")
    if parts[0] != "epoch_plugin":
        return False
    places = [ROOT.joinpath("epoch_plugin", *parts[1:]), ROOT.joinpath(*parts[1:])]
    return any(place.with_suffix(".py").is_file() or (place / "__init__.py").is_file() for place in places)
