"""Seconds of whole answers, split by their lengths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.late_calls import SecondsByLength


def line_of(*answers: tuple[float, float], weight: float = 1.0) -> tuple[float, float] | None:
    lengths = SecondsByLength()
    for tokens, seconds in answers:
        lengths.add(tokens, seconds, weight)
    return lengths.line()


def test_the_two_parts_are_told_apart_by_the_lengths() -> None:
    answers = [(tokens, 0.4 + 0.02 * tokens) for tokens in (10, 50, 300, 900)]
    assert line_of(*answers) == pytest.approx((0.4, 0.02))


def test_late_answers_count_more() -> None:
    lengths = SecondsByLength()
    for tokens in (10, 100, 500):
        lengths.add(tokens, 5.0 + 0.1 * tokens, weight=1.0)
        lengths.add(tokens, 0.5 + 0.01 * tokens, weight=1e6)
    assert lengths.line() == pytest.approx((0.5, 0.01), rel=1e-2)


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ([], None),
        ([(100, 2.0)], (0.0, 0.02)),
        ([(0, 2.0)], (2.0, 0.0)),
        ([(0, 2.0), (0, 4.0)], (3.0, 0.0)),
        ([(100, 2.0), (101, 9.0)], (0.0, 5.5 / 100.5)),
        ([(10, 5.0), (1000, 1.0)], (3.0, 0.0)),
        ([(100, 0.1), (1000, 9.0)], (0.0, 4.55 / 550)),
    ],
    ids=["none", "one", "no-tokens", "two-without", "about-as-long", "longer-is-faster", "nothing-before-the-first"],
)
def test_where_nothing_tells_them_apart_neither_is_invented(
    answers: list[tuple[float, float]], line: tuple[float, float] | None
) -> None:
    found = line_of(*answers)
    assert found == (None if line is None else pytest.approx(line))


@given(
    st.lists(st.tuples(st.integers(0, 100_000), st.floats(0, 600)), min_size=1, max_size=30),
    st.floats(1e-3, 1e80),
)
def test_neither_part_is_ever_below_0_and_an_average_answer_takes_the_average(
    answers: list[tuple[int, float]], weight: float
) -> None:
    line = line_of(*answers, weight=weight)
    assert line is not None
    assert line[0] >= 0
    assert line[1] >= 0
    tokens = sum(tokens for tokens, _ in answers) / len(answers)
    seconds = sum(seconds for _, seconds in answers) / len(answers)
    assert line[0] + line[1] * tokens == pytest.approx(seconds, rel=1e-6, abs=1e-9)
