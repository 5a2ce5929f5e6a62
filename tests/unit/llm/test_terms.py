from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.terms import names, negates, terms


def test_forms_of_a_word_share_a_term_and_stop_words_have_none() -> None:
    assert terms("The invoice is paid") == terms("invoices were paid")
    assert set(terms("cited, cites, citing")) == set(terms("cite"))
    assert terms("What is it about?") == []


def test_case_width_and_possessives_make_no_difference() -> None:
    assert terms("ＡＤＡ's Engine") == terms("ada engine")


def test_numbers_and_codes_stay_exact() -> None:
    assert terms("1,024 B2B 3.14") == ["1,024", "b2b", "3.14"]


def test_scripts_without_spaces_give_pairs_of_characters() -> None:
    assert terms("防守丢") == ["防守", "守丢"]
    assert terms("我 GPU") == ["我", "gpu"]


@given(st.text())
def test_any_text_has_terms_without_white_space(text: str) -> None:
    assert all(term and not term.isspace() for term in terms(text))


def test_names_are_capitalised_words_behind_the_first_and_whatever_holds_a_digit() -> None:
    assert names("Which engine did Ada Lovelace describe in 1843?") == {*terms("Ada Lovelace"), "1843"}
    assert names("why so late?") == frozenset()


@pytest.mark.parametrize("text", ["It is not here", "It isn't here", "without it", "nobody came"])
def test_negations_are_found(text: str) -> None:
    assert negates(text)


def test_words_that_only_look_like_negations_are_none() -> None:
    assert not negates("The knot is noted in the north")
