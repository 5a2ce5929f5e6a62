"""Maximal marginal relevance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag_engine.context_retrieval.diversify import diversified

Case = tuple[list[float], NDArray[np.float32]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(0, 12))
    scores = sorted(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)), reverse=True)
    rows = np.random.default_rng(draw(st.integers(0, 1000))).standard_normal((count, 4)).astype(np.float32)
    return scores, rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slowly(scores: list[float], vectors: NDArray[np.float32], diversity: float) -> list[int]:
    """As the paper writes it."""
    chosen: list[int] = []
    left = list(range(len(scores)))

    def worth(place: int) -> float:
        nearest = max((max(0.0, float(vectors[place] @ vectors[one])) for one in chosen), default=0.0)
        return (1 - diversity) * scores[place] - diversity * nearest

    while left:
        best = max(left, key=lambda place: (round(worth(place), 5), -place))
        chosen.append(best)
        left.remove(best)
    return chosen


@given(cases())
def test_without_diversity_the_order_stays(case: Case) -> None:
    scores, vectors = case
    assert diversified(scores, vectors, diversity=0) == list(range(len(scores)))


@given(cases(), st.floats(0, 1))
def test_each_passage_comes_once_and_the_best_one_first(case: Case, diversity: float) -> None:
    scores, vectors = case
    order = diversified(scores, vectors, diversity=diversity)
    assert sorted(order) == list(range(len(scores)))
    assert order[:1] in ([], [0])


@given(cases(), st.sampled_from([0.1, 0.3, 0.5, 0.9]))
def test_the_order_is_worth_at_every_place_what_the_greedy_oracle_finds(case: Case, diversity: float) -> None:
    scores, vectors = case
    order, oracle = diversified(scores, vectors, diversity=diversity), slowly(scores, vectors, diversity)
    if order != oracle:  # only where two are worth the same as far as single precision goes
        place = next(place for place, (own, its) in enumerate(zip(order, oracle, strict=True)) if own != its)

        def worth(one: int) -> float:
            nearest = max((max(0.0, float(vectors[one] @ vectors[before])) for before in order[:place]), default=0.0)
            return (1 - diversity) * scores[one] - diversity * nearest

        assert abs(worth(order[place]) - worth(oracle[place])) < 1e-4


def test_what_repeats_the_best_one_comes_after_something_else() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert diversified([1.0, 0.9, 0.8], vectors, diversity=0.5) == [0, 2, 1]
