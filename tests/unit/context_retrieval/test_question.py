"""Questions as they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval import clean_question
from rag_engine.errors import InvalidQueryError


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x01", "\x85"])
def test_an_empty_question_is_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError, match="empty"):
        clean_question(text)


def test_a_question_of_100_000_characters_is_refused_with_the_limit() -> None:
    with pytest.raises(InvalidQueryError, match="20,000"):
        clean_question("why " * 25_000)


def test_control_characters_and_lone_surrogates_go() -> None:
    assert clean_question(" what\x00is\ud800 it\x7f? ") == "what is? it ?"


@given(st.text(st.characters(), min_size=1, max_size=50))
def test_a_cleaned_question_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    try:
        cleaned = clean_question(text)
    except InvalidQueryError:
        return
    cleaned.encode()
    assert clean_question(cleaned) == cleaned
