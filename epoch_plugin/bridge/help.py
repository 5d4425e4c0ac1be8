"""Help texts: Markdown files in `resources/help`, one per algorithm, shown as HTML in dialogs and as they stand in a terminal."""

from __future__ import annotations

import html
import os
import re

from qgis.core import QgsApplication

from epoch_plugin.bridge.settings import resource


def help_text(name: str) -> str:
    """Return the help of an algorithm, in QGIS's language where there is a file for it."""
    language = QgsApplication.locale()[:2]
    paths = (resource("help", language, f"{name}.md"), resource("help", f"{name}.md"))
    with open(next(path for path in paths if os.path.isfile(path)), encoding="utf-8") as file:
        text = file.read()
    return text if QgsApplication.platform() == "qgis_process" else to_html(text)


def to_html(markdown: str) -> str:
    """Turn the subset used in our help files (headings, lists, code, `code`, **bold**) into HTML."""
    return "\n".join(_block(block) for block in re.split(r"\n\s*\n", markdown.strip()))


def _block(block: str) -> str:
    lines = block.splitlines()
    if all(line.startswith("    ") for line in lines):
        return "<pre>" + html.escape("\n".join(line[4:] for line in lines)) + "</pre>"
    if lines[0].startswith("## "):
        return f"<h3>{_inline(lines[0][3:])}</h3>" + (_block("\n".join(lines[1:])) if lines[1:] else "")
    if lines[0].startswith("- "):
        items = re.split(r"\n- ", block[2:])
        return "<ul>" + "".join(f"<li>{_inline(' '.join(item.split()))}</li>" for item in items) + "</ul>"
    return f"<p>{_inline(' '.join(block.split()))}</p>"


def _inline(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
