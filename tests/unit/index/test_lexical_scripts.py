"""Text in one form, and the terms of scripts without spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.index.lexical_scripts import in_terms, normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("ＲＥＦＵＮＤ", "REFUND"),
        ("ﾈｺ", "ネコ"),
        ("Cafe\u0301", "Café"),
        ("Ver\u00adtrag", "Vertrag"),
        ("٣٠٨", "308"),
        ("İstanbul", "Istanbul"),
        ("كِتَابٌ", "كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी", "हिनदी"),
        ("ก้าน", "กาน"),
        ("Excel™", "Excel "),
    ],
)
def test_what_is_written_in_several_ways_has_one_form(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("猫", "猫"),
        ("黑豹队 x", "黑豹 豹队 黑 豹 队 x"),
        ("人々", "人々 人 々"),
        ("ボウル・カップ", "ボウ ウル ・ カッ ップ"),
        ("ภาษา", "ภา าษ ษา"),
        ("မြန်မာ", "မြ ြန န် ်မ မာ"),
        ("도서관에서", "도서 서관 관에 에서"),
        ("책을", "책을 책"),
        ("والمدرسة", "مدرسة"),
        ("کتاب", "كتاب"),
    ],
)
def test_scripts_without_spaces_and_written_together_are_cut_into_terms(text: str, expected: str) -> None:
    assert in_terms(text).split() == expected.split()


@given(st.text(max_size=80))
def test_one_form_is_of_the_same_form_again(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
