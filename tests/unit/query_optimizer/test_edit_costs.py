"""What hands do is cheap, what they hardly do is dear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer.edit_costs import edit_cost

WORDS = st.text(alphabet="abcdesé", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("meant", "likelier", "less_likely"),
    [
        ("receive", "recieve", "receixe"),  # two letters exchanged, and one for another far away
        ("occurred", "occured", "ocurrd"),  # a doubled letter missing once, and two letters
        ("fürst", "furst", "fyrst"),  # a mark, and another letter
        ("conduction", "conductiom", "conductiop"),  # the key beside, and one at the other end
        ("thermal", "thermql", "thermxl"),  # beside on AZERTY
        ("grammar", "grammer", "grammkr"),
        ("thermal", "theral", "hermal"),  # a letter within, and the first one
    ],
)
def test_the_likelier_slip_costs_less(meant: str, likelier: str, less_likely: str) -> None:
    assert 0 < edit_cost(likelier, meant) < edit_cost(less_likely, meant)


@given(WORDS, WORDS)
def test_only_equal_words_cost_nothing(typed: str, meant: str) -> None:
    assert (edit_cost(typed, meant) == 0) == (typed == meant)
    assert edit_cost(typed, meant) >= 0
