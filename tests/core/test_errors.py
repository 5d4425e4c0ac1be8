"""What users read of an error."""

from __future__ import annotations

import sys

import pytest

from epoch_plugin.core.errors import InputError, explained


def test_a_missing_platform_library_is_named_with_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "shapely.wkb", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        import shapely.wkb  # noqa: F401
    text = explained(caught.value)
    assert "library shapely," in text and "sudo apt install python3-shapely" in text and "conda install shapely" in text


def test_other_errors_keep_their_words():
    assert explained(InputError("Give a name.")) == "Give a name."
    assert explained(ModuleNotFoundError("No module named 'x'", name="x")) == "ModuleNotFoundError: No module named 'x'"
    assert explained(ValueError("odd")) == "ValueError: odd"
