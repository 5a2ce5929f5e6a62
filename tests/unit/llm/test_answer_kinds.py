from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.answer_kinds import BROAD, FACTS, AnswerKind, answer_kind, holds_kind
from rag_engine.llm.terms import terms


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who wrote the first program?", AnswerKind.PERSON),
        ("Which president signed the treaty?", AnswerKind.PERSON),
        ("In what country is Normandy located?", AnswerKind.PLACE),
        ("where is the receipt kept", AnswerKind.PLACE),
        ("What company built the tower?", AnswerKind.ORGANISATION),
        ("When did the bridge open?", AnswerKind.DATE),
        ("In which year was it built?", AnswerKind.DATE),
        ("How long did the siege last?", AnswerKind.DURATION),
        ("Within how many days are refunds paid?", AnswerKind.DURATION),
        ("How long is the river?", AnswerKind.QUANTITY),
        ("What is the height of the tower?", AnswerKind.QUANTITY),
        ("How many rooms are there?", AnswerKind.NUMBER),
        ("What percentage of voters agreed?", AnswerKind.NUMBER),
        ("Which religion did Kublai prefer?", AnswerKind.THING),
        ("What are the parts of a steam engine?", AnswerKind.LIST),
        ("What is entropy?", AnswerKind.DEFINITION),
        ("What does recall mean?", AnswerKind.DEFINITION),
        ("Why is it red?", AnswerKind.REASON),
        ("What caused the crisis?", AnswerKind.REASON),
        ("How do I delete a document?", AnswerKind.MANNER),
        ("Explain how chunks are cut", AnswerKind.ACCOUNT),
        ("difference between a chunk and a passage", AnswerKind.ACCOUNT),
        ("Is the canteen open on Fridays?", AnswerKind.POLAR),
        ("Is white wine served cold or warm?", AnswerKind.CHOICE),
        ("Wo steht der Turm?", AnswerKind.OTHER),
        ("黑豹队的防守丢了多少分？", AnswerKind.OTHER),
        ("", AnswerKind.OTHER),
        ("?!…", AnswerKind.OTHER),
        ("😀 🏳️‍🌈", AnswerKind.OTHER),
    ],
)
def test_the_words_of_a_question_say_what_it_asks_for(question: str, kind: AnswerKind) -> None:
    assert answer_kind(question) is kind
    assert answer_kind(f"  {question.upper()}\n") is kind


def test_no_kind_is_both_a_fact_and_an_account() -> None:
    assert FACTS.isdisjoint(BROAD)


@pytest.mark.parametrize(
    ("question", "holding", "lacking"),
    [
        ("How many rooms are there?", "There are twelve rooms.", "The rooms are large."),
        ("When did 1984 appear?", "It appeared in June.", "1984 was written by Orwell."),
        ("In which year was it built?", "It was built in 1901.", "It was built well."),
        ("Who met Ada?", "There Babbage met Ada.", "There somebody met Ada."),
        ("Why is it red?", "Because of rust.", "It is red."),
        ("What is rust?", "Anything.", ""),
    ],
)
def test_a_sentence_holds_what_is_asked_for_only_where_the_question_does_not_say_it(
    question: str, holding: str, lacking: str
) -> None:
    asked = frozenset(terms(question))
    kind = answer_kind(question)
    assert holds_kind(holding, kind, asked=asked)
    assert not lacking or not holds_kind(lacking, kind, asked=asked)


@given(st.text(max_size=200))
def test_any_text_has_a_kind(text: str) -> None:
    assert answer_kind(text) in AnswerKind
