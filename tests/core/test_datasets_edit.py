"""A datasets file that is edited keeps every character that was not edited."""

from __future__ import annotations

import json

import pytest

from epoch_plugin.core.datasets.edit import DatasetsText
from epoch_plugin.core.errors import InputError

HAND = """{ "title": "Côte d'Ivoire, 2025",
  "datasets" : [
    {"role": "forest_2020",  "profile": "jrc_gfc2020_v3", "source": "JRC_*.tif"},

    {
        "role": "agb",
        "sources": {"2020": "agb_2020.tif", "2023": "agb, 2023.tif"}, "unit": "Mg/ha"
    } ,
    {"role":"wdpa","source":"wdpa.gpkg","where":"NAME <> '[a], {b}'"}
  ],
  "description": "kept, too"
}
"""
FILES = {"by hand": HAND, "windows": HAND.replace("\n", "\r\n"), "bom": "\ufeff" + HAND, "one line": json.dumps(json.loads(HAND)),
         "indented": json.dumps(json.loads(HAND), indent=4), "empty": '{"datasets": []}'}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_nothing_edited_is_the_same_text(name):
    text = DatasetsText(FILES[name])
    assert text.text() == FILES[name]
    for index, entry in enumerate(text.entries):
        text.replace(index, entry)
    assert text.text() == FILES[name]


@pytest.mark.parametrize("name", [name for name in FILES if name != "empty"])
def test_only_the_edited_entry_changes(name):
    text = DatasetsText(FILES[name])
    before = FILES[name].lstrip("\ufeff")
    text.replace(1, {**text.entries[1], "unit": "MgC/ha"})
    after = text.text().lstrip("\ufeff")
    wanted = json.loads(before)
    wanted["datasets"][1]["unit"] = "MgC/ha"
    assert json.loads(after) == wanted and list(json.loads(after)["datasets"][1]) == ["role", "sources", "unit"]
    kept = [before.index('"agb"'), before.index('"wdpa"')]
    assert after.startswith(before[: kept[0] - 40]) and after.endswith(before[kept[1] :])


@pytest.mark.parametrize("name", FILES)
def test_add_and_remove(name):
    text = DatasetsText(FILES[name])
    text.add({"role": "soc", "source": "soc.tif"})
    text.add({"role": "chm", "source": "chm_{year}.tif"})
    roles = [entry["role"] for entry in json.loads(FILES[name].lstrip("\ufeff"))["datasets"]]
    assert [entry["role"] for entry in json.loads(text.text().lstrip("\ufeff"))["datasets"]] == [*roles, "soc", "chm"]
    for _ in roles:
        text.remove(0)
    assert [entry["role"] for entry in json.loads(text.text().lstrip("\ufeff"))["datasets"]] == ["soc", "chm"]
    text.remove(1)
    text.remove(0)
    assert json.loads(text.text().lstrip("\ufeff"))["datasets"] == [] == text.raw()["datasets"]
    text.add({"role": "wdpa", "source": "w.gpkg"})
    assert len(json.loads(text.text().lstrip("\ufeff"))["datasets"]) == 1
    assert ("\r\n" in text.text()) == ("\r\n" in FILES[name])


def test_a_new_file_and_what_is_none():
    text = DatasetsText()
    text.add({"role": "wdpa", "source": "w.gpkg"})
    text.add({"role": "soc", "source": "s.tif"})
    assert text.text() == '{"datasets": [\n  {"role": "wdpa", "source": "w.gpkg"},\n  {"role": "soc", "source": "s.tif"}\n]}\n'
    for wrong in ("[1]", '{"datasets": 3}', '{"datasets": ["x"]}', '{"datasets": [', "not json"):
        with pytest.raises(InputError):
            DatasetsText(wrong)
