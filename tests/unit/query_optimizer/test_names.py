"""Names, and what a question must not lose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer.names import longest, names, protected, quoted


def test_a_run_of_capitalised_words_is_a_name_with_its_parts() -> None:
    found = names("it was sung by Emmanuelle Seigner in the film")
    assert longest(found) == ["Emmanuelle Seigner"]
    assert {"Emmanuelle", "Seigner", "Emmanuelle Seigner"} <= found.keys()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("she admires the Queen of Spain", "Queen of Spain"),
        ("in the book Around the World in 80 Days", "Around the World"),
        ("they met at Saint-Denis", "Saint-Denis"),
        ("the river is in Österreich", "Österreich"),
    ],
)
def test_small_words_and_hyphens_stand_within_names(text: str, name: str) -> None:
    assert name in names(text)


def test_the_first_word_of_a_sentence_is_no_name_by_itself() -> None:
    assert "Refunds" not in names("Refunds are late. Deliveries too.")
    assert "Refunds" in names("All about Refunds")


def test_a_label_in_capitals_and_a_month_are_no_names() -> None:
    assert names("in March the METHODS AND RESULTS: were") == {}


def test_a_name_ends_at_a_comma_and_at_the_end_of_a_sentence() -> None:
    assert longest(names("we saw Paris, London. Berlin was closed")) == ["Paris", "London."]


def test_quoted_phrases_are_found_in_any_marks() -> None:
    assert quoted("who wrote \"The Real Glory\" and “Lulu” and 'Old Yeller'?") == [
        "The Real Glory",
        "Lulu",
        "Old Yeller",
    ]


def test_negation_numbers_identifiers_names_and_quotes_are_protected() -> None:
    assert {"not", "42", "run_target", "Graham Hill", "no way"} <= set(
        protected('say why Graham Hill did not call run_target 42 times, "no way"')
    )


@given(st.text(max_size=300))
def test_every_name_stands_in_the_text_where_it_is_said_to(text: str) -> None:
    for name, start in names(text).items():
        assert text[start : start + len(name)] == name


@given(st.text(max_size=300))
def test_the_longest_names_do_not_overlap(text: str) -> None:
    found = names(text)
    ends = -1
    for name in longest(found):
        assert found[name] >= 0
        assert found[name] + len(name) > ends
        ends = found[name] + len(name)
