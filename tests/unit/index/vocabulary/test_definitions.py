"""Definitions of abbreviations are told from other brackets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.index.vocabulary.definitions import definitions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The body mass index (BMI) rose.", ("BMI", "body mass index")),
        ("We used polymerase chain reaction (PCR, twice).", ("PCR", "polymerase chain reaction")),
        ("Since BMI (body mass index) rose", ("BMI", "body mass index")),
        ("heat shock transcription factor (HSF)", ("HSF", "heat shock transcription factor")),
        ("Der Bundesgerichtshof (BGH) entschied", ("BGH", "bundesgerichtshof")),
    ],
)
def test_a_definition_is_found_either_way_round(text: str, expected: tuple[str, str]) -> None:
    assert expected in set(definitions(text))


@pytest.mark.parametrize(
    "text",
    [
        "It rose (see Table 2).",
        "Paris (France) is large.",
        "the value (12) was",
        "an apple (XYZ) fell",
        "in the year (and later)",
        "End of it. (BMI) begins",
    ],
)
def test_other_brackets_define_nothing(text: str) -> None:
    assert list(definitions(text)) == []


@given(st.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    for short, long in definitions(text):
        assert len(short) < len(long)
        assert "\n" not in long
        assert "\t" not in long
