"""The datasets file for the Datasets window: read, write, recognise files, test what is not saved yet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from epoch_plugin.core.errors import InputError

if TYPE_CHECKING:
    from epoch_plugin.core.datasets.edit import DatasetsText


def read_text(path: str) -> DatasetsText:
    """Return a file ready for editing; one that does not exist is new and empty. Raises `InputError`."""
    from epoch_plugin.core.datasets.edit import DatasetsText

    if not path or not os.path.exists(path):
        return DatasetsText()
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return DatasetsText(file.read(), os.path.basename(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The datasets file {path} cannot be read: {error}.") from None


def write_text(path: str, text: DatasetsText) -> None:
    """Write a file by way of a neighbour, so that a full disk leaves the old one. Raises `InputError`."""
    try:
        with open(f"{path}.new", "w", encoding="utf-8", newline="") as file:
            file.write(text.text())
        os.replace(f"{path}.new", path)
    except OSError as error:
        raise InputError(f"The datasets file {path} cannot be written: {error.strerror or error}.") from None


def recognise(files: list[str], folder: str) -> list[dict[str, Any]]:
    """Return entries for files, and for all rasters and vectors of folders among them."""
    from epoch_plugin.core.datasets.suggest import files_below, suggest_entries

    found: list[str] = []
    for name in files:
        found += files_below(name) if os.path.isdir(name) and not name.lower().endswith(".gdb") else [name]
    return suggest_entries(found, folder)


def examine(raw: dict[str, Any], path: str, store: str, collection: str, progress: Any) -> dict[str, Any]:
    """Return {"entries": one answer per entry, "problem": what is wrong with the file as a whole or ""}.

    Answers are those of epoch:checkdatasets; an entry that cannot even be read has status "invalid" and its problem.
    """
    from epoch_plugin.core.datasets.check import check_datasets
    from epoch_plugin.core.datasets.datasets_file import datasets_from_dict

    if not raw["datasets"]:
        return {"entries": [], "problem": ""}
    polygons = _polygons(store, collection)
    try:
        return {"entries": check_datasets(datasets_from_dict(raw, path), polygons, progress)["entries"], "problem": ""}
    except InputError as error:
        problem = str(error)
    answers: list[dict[str, Any]] = []
    for number, entry in enumerate(raw["datasets"], start=1):
        try:
            alone = datasets_from_dict({"datasets": [entry]}, path)
            answers.append(check_datasets(alone, polygons, progress)["entries"][0])
        except InputError as error:
            said = str(error).replace("Datasets file, entry 1", f"Entry {number}")
            answers.append({"status": "invalid", "problems": [said], "warnings": [], "coverage": None, "files": []})
    broken = any(answer["status"] == "invalid" for answer in answers)
    return {"entries": answers, "problem": "" if broken else problem}


def _polygons(store: str, collection: str) -> list[bytes] | None:
    if not collection or not os.path.exists(store):
        return None
    from epoch_plugin.core.store import collections, plots
    from epoch_plugin.core.store.store import Store

    with Store(store).reading() as connection:
        return plots.geometries(connection, collections.find(connection, collection).collection_id)[1]
