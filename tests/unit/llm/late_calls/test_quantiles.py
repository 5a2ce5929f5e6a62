"""Quantiles out of a bounded number of buckets, beside exact ones."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.late_calls import DecayingQuantiles

SHARES = (0.0, 0.01, 0.25, 0.5, 0.9, 0.97, 0.99, 1.0)


def exact(calls: list[tuple[float, float]], share: float) -> float:
    """The least of the values up to which lies ``share`` of the weight."""
    wanted, seen = share * sum(weight for _, weight in calls), 0.0
    for seconds, weight in sorted(calls):
        seen += weight
        if seen >= wanted * (1 - 1e-12):
            return seconds
    return max(calls)[0]


@pytest.mark.parametrize(
    "draw",
    [
        lambda chance: chance.lognormvariate(-1.0, 1.0),
        lambda chance: chance.expovariate(0.5),
        lambda chance: chance.choice((0.2, 0.21, 30.0)),
        lambda chance: chance.uniform(0.001, 100.0),
    ],
    ids=["log-normal", "exponential", "stalls", "even"],
)
@pytest.mark.parametrize("doubled_every", [math.inf, 500])
def test_quantiles_are_within_5_percent_of_the_exact_ones(
    draw: Callable[[random.Random], float], doubled_every: float
) -> None:
    chance, quantiles, calls = random.Random(5), DecayingQuantiles(), []
    for number in range(4000):
        call = (draw(chance), 2.0 ** (number / doubled_every))
        calls.append(call)
        quantiles.add(*call)
    for share in SHARES:
        assert quantiles.at(share) == pytest.approx(exact(calls, share), rel=0.05)


@given(st.lists(st.tuples(st.floats(1e-4, 1e4), st.floats(0.1, 10)), min_size=1, max_size=60))
def test_each_quantile_lies_where_an_exact_one_does(calls: list[tuple[float, float]]) -> None:
    quantiles = DecayingQuantiles()
    for seconds, weight in calls:
        quantiles.add(seconds, weight)
    for share in SHARES:
        found = quantiles.at(share)
        assert found is not None
        near = (exact(calls, max(0.0, share - 1e-9)), exact(calls, min(1.0, share + 1e-9)))
        assert any(found == pytest.approx(seconds, rel=0.05) for seconds in near)


def test_whatever_comes_the_buckets_are_few() -> None:
    chance, quantiles = random.Random(7), DecayingQuantiles()
    for _ in range(20_000):
        quantiles.add(10 ** chance.uniform(-9, 9), 1.0)
    assert len(quantiles._buckets) < 500
    assert quantiles.at(0.0) == pytest.approx(1e-4, rel=0.05)
    assert quantiles.at(1.0) == pytest.approx(1e4, rel=0.05)


def test_a_quantile_follows_what_comes_later() -> None:
    quantiles = DecayingQuantiles()
    for _ in range(100):
        quantiles.add(1.0, 1.0)
    assert quantiles.at(0.5) == pytest.approx(1.0, rel=0.05)
    for _ in range(200):
        quantiles.add(8.0, 1.0)
    assert quantiles.at(0.5) == pytest.approx(8.0, rel=0.05)


def test_smaller_weights_change_no_quantile() -> None:
    quantiles = DecayingQuantiles()
    for number in range(1, 100):
        quantiles.add(number / 10, 2.0 ** (number / 10))
    before = [quantiles.at(share) for share in SHARES]
    quantiles.scale(2.0**-10)
    quantiles.add(1e-3, 0.0)
    assert [quantiles.at(share) for share in SHARES[1:]] == before[1:]


def test_without_a_call_there_is_none() -> None:
    assert DecayingQuantiles().at(0.5) is None
