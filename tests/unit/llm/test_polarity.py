from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.antonyms import opposed, stems
from rag_engine.llm.asked import read_question
from rag_engine.llm.polarity import polarity


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("Is the canteen open on Fridays?", "The canteen is open on Fridays.", "Yes"),
        ("Is the canteen open on Fridays?", "The canteen is not open on Fridays.", "No"),
        ("Is the canteen open on Fridays?", "The canteen is closed on Fridays.", "No"),
        ("Did the price increase in 2019?", "In 2019 the price decreased.", "No"),
        ("Does the tower have 12 floors?", "The tower has 14 floors.", "No"),
        ("Does the tower have 12 floors?", "The tower has 12 floors.", "Yes"),
        ("Do chunks overlap each other?", "Chunks never overlap each other.", "No"),
    ],
)
def test_yes_and_no_are_said_where_the_sentence_settles_it(question: str, sentence: str, answer: str) -> None:
    assert polarity(read_question(question), sentence) == answer


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Is the canteen open on Fridays?", "The canteen serves soup."),
        ("Is the canteen open on Fridays?", "The canteen may be open on Fridays."),
        ("Is the canteen open on Fridays?", "If it rains the canteen is open on Fridays."),
        ("Is the canteen open on Fridays?", "Is the canteen open on Fridays?"),
        ("Is the canteen open on Fridays?", "The canteen is open on Fridays, but the shop never opens."),
        ("Did Ada meet Grace?", "Ada met Charles."),
        ("Is it?", "It is."),
        ("Isn't the canteen open on Fridays?", "The canteen is not open on Fridays."),
        ("Is the canteen not open on Fridays?", "The canteen is not open on Fridays."),
        ("Who opened the canteen?", "Ada opened the canteen."),
        ("Does the tower have 12 floors?", "The tower has 14 floors and the annex has 3 floors."),
    ],
)
def test_nothing_is_said_where_the_sentence_does_not_settle_it(question: str, sentence: str) -> None:
    assert polarity(read_question(question), sentence) is None


@given(st.text(max_size=100))
def test_a_sentence_never_answers_a_question_that_shares_no_word_with_it(sentence: str) -> None:
    assert polarity(read_question("Is xylophonic qwertiness zzyzx?"), sentence) is None


def test_opposites_count_only_where_the_word_itself_is_not_said() -> None:
    assert opposed(stems("did it increase"), stems("it decreased"))
    assert not opposed(stems("did it increase"), stems("it increased and decreased"))
    assert not opposed(stems("did it increase"), stems("it changed"))
