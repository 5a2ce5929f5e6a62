from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.asked import MOST_CHARACTERS, read_question
from rag_engine.llm.terms import terms


def test_the_noun_behind_what_and_the_word_before_it_are_known() -> None:
    asked = read_question("In what country is Normandy located?")
    assert asked.head == set(terms("country"))
    assert asked.preposition == "in"
    assert asked.following == tuple(terms("Normandy located"))


def test_a_preposition_may_stand_at_the_end() -> None:
    assert read_question("Which city was he born in?").preposition == "in"


def test_what_stands_next_to_each_other_is_a_pair() -> None:
    first, second = terms("Gaussian filter")
    assert (first, second) in read_question("Who made the Gaussian filter?").pairs


def test_questions_for_what_is_not_are_told_from_others() -> None:
    assert read_question("Who did not come?").negated
    assert read_question("Which of them failed to come?").denies
    assert not read_question("Who came?").denies


def test_ten_thousand_words_are_read_as_far_as_a_question_goes_and_soon() -> None:
    started = time.perf_counter()
    asked = read_question("What is the speed of light " + "and sound " * 10_000)
    assert len(asked.text) == MOST_CHARACTERS
    assert time.perf_counter() - started < 1


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    asked = read_question(text)
    assert asked.names <= asked.terms
