"""Put the pictures that the docs show into docs/images: `python3 scripts/shrink_pictures.py FOLDER`.

256 colours each, without dithering, so that text stays sharp; the larger ones with fewer, until they are small enough for a repository.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
LARGEST_KB = 250


def names() -> list[str]:
    """Return the pictures that the pages name."""
    return sorted({name for page in PAGES for name in re.findall(r"images/([\w-]+)\.png", page.read_text(encoding="utf-8"))})


def shrink(source: Path, target: Path) -> float:
    """Write a picture with a palette and return its size in kB."""
    with Image.open(source) as picture:
        whole = picture.convert("RGB")
    for colours in (256, 128, 64):
        whole.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)
        if target.stat().st_size <= LARGEST_KB * 1024:
            break
    return target.stat().st_size / 1024


if __name__ == "__main__":
    into = ROOT / "docs" / "images"
    into.mkdir(exist_ok=True)
    for name in names():
        print(f"{name}: {shrink(Path(sys.argv[1]) / f'{name}.png', into / f'{name}.png'):.0f} kB")
