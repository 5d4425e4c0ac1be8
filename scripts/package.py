#!/usr/bin/env python3
"""Write dist/epoch_plugin.zip: an explicit list of what is shipped, in one folder, nothing executable, the same bytes every time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "dist" / "epoch_plugin.zip"
FOLDER = "epoch_plugin"
INCLUDED = (
    "__init__.py",
    "metadata.txt",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "epoch_plugin/**/*.py",
    "epoch_plugin/core/**/*.csv",
    "epoch_plugin/core/**/*.json",
    "epoch_plugin/resources/**/*",
    "processing_algorithms/**/*.py",
    "ui/**/*.py",
)
# Zip's earliest date: a package of the same files is the same file.
STAMP = (1980, 1, 1, 0, 0, 0)
READABLE = 0o100644 << 16


def shipped() -> Iterator[Path]:
    """Yield the files of the package, sorted."""
    found = {path for pattern in INCLUDED for path in ROOT.glob(pattern) if path.is_file()}
    yield from sorted(path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc")


def main() -> None:
    """Write the zip."""
    TARGET.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED) as package:
        for path in shipped():
            info = zipfile.ZipInfo(f"{FOLDER}/{path.relative_to(ROOT).as_posix()}", STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = READABLE
            package.writestr(info, path.read_bytes())
    print(f"{TARGET.relative_to(ROOT)}: {len(package.namelist())} files, {TARGET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
