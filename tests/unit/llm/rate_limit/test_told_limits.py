"""What a provider tells of its limits, kept by a limiter that was given none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.llm.rate_limit import RateLimiter, RateLimits, RatePermit
from rag_engine.types.generation import Allowance
from tests.unit.llm.rate_limit.fake_clock import FakeClock


def asked(limiter: RateLimiter, tokens: int = 0) -> RatePermit | float:
    return limiter.acquire(input_tokens=tokens, output_tokens=tokens)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(clock: FakeClock) -> RateLimiter:
    return RateLimiter(clock=clock)


def test_where_nothing_is_left_nobody_asks_until_the_reset(limiter: RateLimiter, clock: FakeClock) -> None:
    limiter.heard(Allowance(requests=0, requests_reset=30.0))
    assert not limiter.available
    assert asked(limiter) == pytest.approx(30.0)
    clock.pass_by(29.0)
    assert asked(limiter) == pytest.approx(1.0)
    clock.pass_by(1.0)
    assert limiter.available
    assert isinstance(asked(limiter), RatePermit)


def test_a_call_for_more_than_is_left_waits_and_a_smaller_one_does_not(limiter: RateLimiter) -> None:
    limiter.heard(Allowance(input_tokens=1000, input_tokens_reset=20.0))
    assert asked(limiter, 1001) == pytest.approx(20.0)
    assert isinstance(asked(limiter, 900), RatePermit)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 200), st.floats(0.5, 90), st.integers(1, 4))
def test_what_is_left_is_spread_until_the_reset_and_never_exceeded(left: int, reset: float, callers: int) -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock=clock)
    limiter.heard(Allowance(requests=left, requests_reset=reset))
    began, times = clock(), []
    while clock() < began + reset:
        leaves = [asked(limiter) for _ in range(callers)]
        times += [clock() - began for leave in leaves if isinstance(leave, RatePermit)]
        clock.pass_by(max([leave for leave in leaves if not isinstance(leave, RatePermit)], default=0.001))
    times = [time for time in times if time < reset * (1 - 1e-9)]
    assert 1 <= len(times) <= left
    assert sum(time < reset / 2 for time in times) <= left * 0.6 + 2


def test_each_answer_that_says_the_same_allows_no_burst_of_its_own(limiter: RateLimiter, clock: FakeClock) -> None:
    made = 0
    for _ in range(100):
        limiter.heard(Allowance(requests=50, requests_reset=60.0))
        made += isinstance(asked(limiter), RatePermit)
        clock.pass_by(0.01)
    assert made <= 7  # a tenth of 50, and what a second brings


def test_a_reset_that_is_not_told_is_thought_to_be_seconds_away(limiter: RateLimiter) -> None:
    limiter.heard(Allowance(requests=0))
    wait = asked(limiter)
    assert isinstance(wait, float)
    assert 1.0 <= wait <= 60.0


def test_what_a_provider_says_last_counts(limiter: RateLimiter) -> None:
    limiter.heard(Allowance(requests=0, requests_reset=30.0))
    limiter.heard(Allowance(input_tokens=10, input_tokens_reset=1.0))  # nothing of requests
    assert asked(limiter) == pytest.approx(30.0)
    limiter.heard(Allowance(requests=0, requests_reset=0.0))
    assert isinstance(asked(limiter), RatePermit)


def test_a_call_that_was_not_sent_leaves_what_was_left(limiter: RateLimiter) -> None:
    limiter.heard(Allowance(requests=1, requests_reset=30.0))
    permit = asked(limiter)
    assert isinstance(permit, RatePermit)
    assert isinstance(asked(limiter), float)
    permit.released()
    assert isinstance(asked(limiter), RatePermit)


def test_a_call_that_ended_gives_nothing_back_of_what_was_told_since(limiter: RateLimiter, clock: FakeClock) -> None:
    limiter.heard(Allowance(output_tokens=1000, output_tokens_reset=60.0))
    permit = asked(limiter, 900)
    assert isinstance(permit, RatePermit)
    clock.pass_by(1.0)
    limiter.heard(Allowance(output_tokens=100, output_tokens_reset=59.0))
    permit.settled(input_tokens=1, output_tokens=1)
    assert asked(limiter, 101) == pytest.approx(59.0)


def test_a_provider_that_refuses_is_left_alone_for_as_long_as_it_says(limiter: RateLimiter, clock: FakeClock) -> None:
    limiter.refused(retry_after=7.0)
    limiter.refused(retry_after=2.0)
    assert not limiter.available
    assert asked(limiter) == pytest.approx(7.0)
    clock.pass_by(7.0)
    assert limiter.available
    assert isinstance(asked(limiter), RatePermit)


@pytest.mark.parametrize("wait", [0.0, -1.0, math.nan, math.inf])
def test_a_wait_that_is_none_is_not_heard(limiter: RateLimiter, wait: float) -> None:
    limiter.refused(retry_after=wait)
    limiter.heard(Allowance(requests=0, requests_reset=wait))
    assert limiter.available
    assert isinstance(asked(limiter), RatePermit)


def test_the_tighter_of_what_is_set_and_what_is_told_counts(clock: FakeClock) -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=600), clock=clock)
    limiter.heard(Allowance(requests=2, requests_reset=30.0))
    assert isinstance(asked(limiter), RatePermit)
    assert asked(limiter) > 1.0
    clock.pass_by(30.0)
    assert sum(isinstance(asked(limiter), RatePermit) for _ in range(100)) == 60


def test_a_clock_that_jumps_back_does_not_prolong_what_was_told(limiter: RateLimiter, clock: FakeClock) -> None:
    limiter.refused(retry_after=5.0)
    clock.pass_by(-3600.0)
    assert asked(limiter) == pytest.approx(5.0)
    clock.pass_by(5.0)
    assert isinstance(asked(limiter), RatePermit)
