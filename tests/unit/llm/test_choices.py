from __future__ import annotations

import pytest

from rag_engine.llm.asked import read_question
from rag_engine.llm.choices import chosen


def said(question: str, sentence: str) -> str | None:
    place = chosen(read_question(question), sentence)
    return None if place is None else sentence[slice(*place)]


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("Is white wine served cold or warm?", "White wine is served cold.", "cold"),
        ("Who won, the Broncos or the Panthers?", "In the end the Panthers won.", "Panthers"),
        ("Is the index exact or approximate?", "We use an exact one.", "exact"),
    ],
)
def test_the_choice_that_the_sentence_names_is_the_answer(question: str, sentence: str, answer: str) -> None:
    assert said(question, sentence) == answer


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Is it cold or warm?", "It can be cold and warm."),
        ("Is it cold or warm?", "It is red."),
        ("Is it cold or", "It is cold."),
        ("Is it a or b or c?", "It is c."),
        ("Who came?", "Ada came."),
    ],
)
def test_both_neither_or_more_than_two_are_no_choice(question: str, sentence: str) -> None:
    assert said(question, sentence) is None
