"""Reason codes: every one is explained, in the code and in the docs alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from epoch_plugin.core.metrics.reasons import SENTENCES, reason, sentence, shape_reasons

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reasons.md"


def test_the_page_has_every_code_with_its_sentence():
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == SENTENCES
    assert len(rows) == len(SENTENCES)


def test_every_sentence_is_one():
    for code, text in SENTENCES.items():
        assert re.fullmatch(r"[A-Z][^|]*\.", text), code


def test_a_subject_is_appended_and_found_again():
    found = reason("year_not_covered", 2024)
    assert found == {"code": "year_not_covered:2024"}
    assert sentence(found["code"]) == SENTENCES["year_not_covered"]
    assert sentence("not_assessed:coverage") == SENTENCES["not_assessed:coverage"]


def test_an_unknown_code_is_refused():
    with pytest.raises(KeyError):
        reason("looks_bad")


def test_reasons_of_a_plots_shape():
    assert shape_reasons(4.0, 4.0, ("area_assumed",)) == [{"code": "area_assumed", "area_ha": 4.0}]
    assert shape_reasons(100.0, 100.02, ()) == [{"code": "long_edges", "ratio": pytest.approx(1.0002)}]
    assert shape_reasons(100.0, 100.009, ()) == []
    assert shape_reasons(100.0, None, ()) == []
