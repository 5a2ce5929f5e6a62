from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.words import CLASSES, END, START, spans_of, words_of

SENTENCE = "The Denver Broncos won 24–10 on February 7, 2016, for $5 million (10%)."


def test_words_lie_where_they_say_and_marks_are_no_words() -> None:
    words = words_of(SENTENCE)
    assert [SENTENCE[word.start : word.end] for word in words] == [word.text for word in words]
    assert [word.text for word in words if not word.is_word] == ["–", ",", ",", "(", ")", "."]


def test_classes_tell_names_numbers_dates_and_units() -> None:
    kinds = {word.text: word.kind for word in words_of(SENTENCE)}
    assert kinds["Broncos"] == CLASSES["<Name>"]
    assert (kinds["2016"], kinds["February"]) == (CLASSES["<year>"], CLASSES["<month>"])
    assert (kinds["$5"], kinds["million"], kinds["10%"]) == (
        CLASSES["<number>"],
        CLASSES["<unit>"],
        CLASSES["<number>"],
    )


def test_every_class_has_a_number_of_its_own() -> None:
    assert sorted(CLASSES.values()) == list(range(len(CLASSES)))
    assert START != END


def test_runs_neither_begin_nor_end_with_a_mark_nor_end_with_a_word_that_leads_on() -> None:
    words = words_of(SENTENCE)
    runs = {SENTENCE[words[first].start : words[last].end] for first, last in spans_of(words, most=6)}
    assert {"Denver Broncos", "February 7, 2016", "$5 million", "The Denver Broncos"} <= runs
    assert not any(run.endswith((" on", " for", ",")) for run in runs)
    assert max(len(words_of(run)) for run in runs) == 6


@given(st.text(max_size=200))
def test_words_of_any_text_are_in_order_and_never_overlap(text: str) -> None:
    words = words_of(text)
    assert all(first.end <= second.start for first, second in pairwise(words))
    assert all(word.start < word.end for word in words)
