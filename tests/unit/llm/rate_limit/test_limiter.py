"""Limits by the minute and at a time: never more than they allow, and in the end all that they allow."""

from __future__ import annotations

import itertools
import math
import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.errors import ConfigurationError
from rag_engine.llm.rate_limit import RateLimiter, RateLimits, RatePermit
from tests.unit.llm.rate_limit.fake_clock import FakeClock

MINUTE = 60.0


def granted(limiter: RateLimiter, input_tokens: int = 0, output_tokens: int = 0) -> RatePermit:
    permit = limiter.acquire(input_tokens=input_tokens, output_tokens=output_tokens)
    assert isinstance(permit, RatePermit)
    return permit


def refused(limiter: RateLimiter, input_tokens: int = 0, output_tokens: int = 0) -> float:
    wait = limiter.acquire(input_tokens=input_tokens, output_tokens=output_tokens)
    assert isinstance(wait, float)
    assert wait > 0
    return wait


def waited_for(limiter: RateLimiter, clock: FakeClock, input_tokens: int, output_tokens: int) -> RatePermit:
    """Asks again whenever it is told to, as often as must be enough."""
    for _ in range(300):
        leave = limiter.acquire(input_tokens=input_tokens, output_tokens=output_tokens)
        if isinstance(leave, RatePermit):
            return leave
        assert leave < 10 * MINUTE
        clock.pass_by(leave)
    raise AssertionError("no leave, however long one waits")


@dataclass
class Oracle:
    """Remembers every call, and adds up each minute anew."""

    limits: RateLimits
    calls: list[tuple[float, list[int]]] = field(default_factory=list)

    def granted(self, when: float, *amounts: int) -> list[int]:
        taken = list(amounts)
        self.calls.append((when, taken))
        self.check(when, taken)
        return taken

    def check(self, until: float, latest: list[int]) -> None:
        limits = self.limits
        by_minute = (limits.requests_per_minute, limits.input_tokens_per_minute, limits.output_tokens_per_minute)
        for axis, limit in enumerate(by_minute):
            if limit is not None and latest[axis]:
                within = sum(taken[axis] for when, taken in self.calls if until - MINUTE < when <= until)
                assert within <= limit + max(limit / 10, latest[axis]) + 1e-6


limits_by_the_minute = st.builds(
    RateLimits,
    requests_per_minute=st.none() | st.floats(0.5, 600),
    input_tokens_per_minute=st.none() | st.floats(10, 20_000),
    output_tokens_per_minute=st.none() | st.floats(10, 5_000),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "settle", "release", "back"]),
        st.sampled_from([0.0, 0.0, 0.001, 0.3, 2.0, 7.0, 61.0]),
        st.integers(0, 5_000),
        st.integers(0, 1_500),
        st.floats(0, 1),
    ),
    max_size=120,
)


@settings(max_examples=150, deadline=None)
@given(limits_by_the_minute, steps)
def test_within_no_minute_more_is_granted_than_the_limit_and_its_burst(
    limits: RateLimits, steps: list[tuple[str, float, int, int, float]]
) -> None:
    clock, oracle = FakeClock(), Oracle(limits)
    limiter = RateLimiter(limits, clock=clock)
    elapsed = 0.0
    under_way: list[tuple[RatePermit, list[int]]] = []
    for action, seconds, tokens, more, share in steps:
        if action == "back":
            clock.pass_by(-seconds)
            continue
        clock.pass_by(seconds)
        elapsed += seconds
        if action == "ask":
            leave = limiter.acquire(input_tokens=tokens, output_tokens=more)
            if isinstance(leave, RatePermit):
                # A clock that went back stands still for the limiter: no time passes, for the oracle neither.
                under_way.append((leave, oracle.granted(elapsed, 1, tokens, more)))
            else:
                assert leave > 0
        elif under_way:
            permit, taken = under_way.pop(int(share * (len(under_way) - 1)))
            used = [1, int(taken[1] * share), int(taken[2] * share)] if action == "settle" else [0, 0, 0]
            if action == "settle":
                permit.settled(input_tokens=used[1], output_tokens=used[2])
            else:
                permit.released()
            taken[:] = used
    for when, taken in oracle.calls:
        oracle.check(when, taken)


@settings(max_examples=60, deadline=None)
@given(
    limits_by_the_minute,
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), max_size=20),
)
def test_whoever_asks_again_when_told_is_granted_in_the_end(
    limits: RateLimits, calls: list[tuple[float, float, float]]
) -> None:
    clock = FakeClock()
    limiter = RateLimiter(limits, clock=clock)
    for read, written, used in calls:
        input_tokens = int(read * (limits.input_tokens_per_minute or 1e4))
        output_tokens = int(written * (limits.output_tokens_per_minute or 1e4))
        permit = waited_for(limiter, clock, input_tokens, output_tokens)
        permit.settled(input_tokens=int(input_tokens * used), output_tokens=int(output_tokens * used))


@pytest.mark.parametrize("tokens", [7, 100, 900])
def test_in_the_long_run_all_of_the_limit_is_granted(tokens: int) -> None:
    clock = FakeClock()
    limiter = RateLimiter(RateLimits(input_tokens_per_minute=6000), clock=clock)
    began, granted_tokens = clock(), 0
    while clock() < began + 30 * MINUTE:
        waited_for(limiter, clock, tokens, 0).settled(input_tokens=tokens, output_tokens=0)
        granted_tokens += tokens
    assert granted_tokens == pytest.approx(30 * 6000, rel=0.05)


def test_calls_that_use_little_of_what_was_set_aside_come_to_use_all_of_the_limit() -> None:
    clock = FakeClock()
    limiter = RateLimiter(RateLimits(output_tokens_per_minute=6000), clock=clock)
    began, used = clock(), 0
    while clock() < began + 10 * MINUTE:
        permit = waited_for(limiter, clock, 0, 400)
        clock.pass_by(0.1)
        permit.settled(input_tokens=0, output_tokens=50)
        used += 50
    assert used == pytest.approx(10 * 6000, rel=0.05)


@pytest.mark.parametrize("end", ["settled", "released"])
def test_what_long_calls_give_back_brings_no_minute_beyond_the_limit(end: str) -> None:
    clock, limits = FakeClock(), RateLimits(output_tokens_per_minute=6000)
    limiter, oracle = RateLimiter(limits, clock=clock), Oracle(limits)
    # Calls that set aside all that comes for minutes, and then turn out to have used nothing of it.
    long_calls = []
    for _ in range(40):
        permit = waited_for(limiter, clock, 0, 600)
        long_calls.append((permit, oracle.granted(clock(), 1, 0, 600)))
    used = 0
    for permit, taken in long_calls:
        if end == "settled":
            permit.settled(input_tokens=0, output_tokens=0)
        else:
            permit.released()
        taken[2] = 0
        if isinstance(limiter.acquire(input_tokens=0, output_tokens=600), RatePermit):
            used += 600
            oracle.granted(clock(), 1, 0, 600)
    assert 0 < used <= 6600


def test_a_burst_is_a_tenth_of_the_limit_and_the_rest_comes_evenly() -> None:
    clock = FakeClock()
    limiter = RateLimiter(RateLimits(requests_per_minute=600), clock=clock)
    for _ in range(60):
        granted(limiter)
    assert refused(limiter) == pytest.approx(0.1)
    assert not limiter.available
    clock.pass_by(0.1)
    assert limiter.available
    granted(limiter)
    refused(limiter)


def test_what_was_set_aside_and_not_used_is_free_again() -> None:
    limiter = RateLimiter(RateLimits(output_tokens_per_minute=1000), clock=FakeClock())
    permit = granted(limiter, output_tokens=100)
    refused(limiter, output_tokens=90)
    permit.settled(input_tokens=5, output_tokens=10)
    granted(limiter, output_tokens=90)
    refused(limiter, output_tokens=1)


def test_what_was_used_beyond_what_was_set_aside_is_kept_from_later_calls() -> None:
    clock = FakeClock()
    limiter = RateLimiter(RateLimits(output_tokens_per_minute=600), clock=clock)
    granted(limiter, output_tokens=10).settled(input_tokens=0, output_tokens=160)
    assert refused(limiter, output_tokens=10) == pytest.approx(11.0)


def test_a_call_that_was_not_sent_takes_nothing() -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=10, input_tokens_per_minute=100, concurrency=1))
    for _ in range(50):
        granted(limiter, input_tokens=10).released()


@pytest.mark.parametrize("first", ["settled", "released"])
def test_a_second_end_is_not_heard(first: str) -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=20, concurrency=2), clock=FakeClock())
    permit, other = granted(limiter), granted(limiter)
    for _ in range(3):
        if first == "settled":
            permit.settled(input_tokens=0, output_tokens=0)
        permit.released()
    if first == "settled":
        refused(limiter)  # two requests at once are the burst
    else:
        granted(limiter)
        refused(limiter)
    other.released()


def test_no_more_calls_are_under_way_than_are_allowed() -> None:
    limiter = RateLimiter(RateLimits(concurrency=2), clock=FakeClock())
    first, second = granted(limiter), granted(limiter)
    assert not limiter.available
    assert refused(limiter) <= 1.0
    first.settled(input_tokens=1, output_tokens=1)
    assert limiter.available
    granted(limiter)
    refused(limiter)
    second.released()


@pytest.mark.parametrize(
    ("limits", "input_tokens", "output_tokens"),
    [
        (RateLimits(input_tokens_per_minute=100), 101, 0),
        (RateLimits(output_tokens_per_minute=100), 0, 101),
        (RateLimits(requests_per_minute=0), 0, 0),
        (RateLimits(concurrency=0), 0, 0),
    ],
)
def test_of_a_call_that_is_over_a_limit_alone_no_wait_helps(
    limits: RateLimits, input_tokens: int, output_tokens: int
) -> None:
    assert RateLimiter(limits).acquire(input_tokens=input_tokens, output_tokens=output_tokens) == math.inf


def test_a_call_as_large_as_the_limit_has_leave_and_others_wait_until_it_is_made_up_for() -> None:
    clock = FakeClock()
    limiter = RateLimiter(RateLimits(input_tokens_per_minute=600), clock=clock)
    granted(limiter, input_tokens=600)
    wait = refused(limiter, input_tokens=60)
    assert wait == pytest.approx(60.0)
    clock.pass_by(wait)
    granted(limiter, input_tokens=60)


def test_a_limit_below_one_by_the_minute_is_a_call_every_few_minutes() -> None:
    clock = FakeClock()
    limiter = RateLimiter(RateLimits(requests_per_minute=0.25), clock=clock)
    times = []
    for _ in range(4):
        waited_for(limiter, clock, 0, 0)
        times.append(clock())
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == pytest.approx([240.0] * 3)


def test_a_clock_that_jumps_back_neither_grants_nor_stops_anything() -> None:
    clock = FakeClock()
    limiter = RateLimiter(RateLimits(requests_per_minute=60), clock=clock)
    for _ in range(6):
        granted(limiter)
    clock.pass_by(-3600)
    assert 0 < refused(limiter) <= 1.0
    assert not limiter.available
    clock.pass_by(1.0)
    granted(limiter)
    refused(limiter)


def test_without_limits_everything_is_granted() -> None:
    limiter = RateLimiter()
    assert limiter.available
    for _ in range(1000):
        granted(limiter, input_tokens=10**9, output_tokens=10**9)


def test_tokens_below_none_count_as_none() -> None:
    limiter = RateLimiter(RateLimits(input_tokens_per_minute=100), clock=FakeClock())
    granted(limiter, input_tokens=-500).settled(input_tokens=-500, output_tokens=-1)
    granted(limiter, input_tokens=10)
    refused(limiter, input_tokens=1)


@pytest.mark.parametrize("limit", [-1, math.nan, math.inf])
def test_a_limit_that_is_no_number_from_0_is_said_so(limit: float) -> None:
    with pytest.raises(ConfigurationError, match="requests_per_minute"):
        RateLimits(requests_per_minute=limit)


def test_threads_together_get_no_more_than_the_limit() -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=1000, concurrency=500), clock=FakeClock())
    counts: list[int] = []

    def ask() -> None:
        permits = [limiter.acquire(input_tokens=1, output_tokens=1) for _ in range(200)]
        kept = [permit for permit in permits if isinstance(permit, RatePermit)]
        counts.append(len(kept))
        for permit in kept:
            permit.settled(input_tokens=1, output_tokens=1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 100  # a tenth of a minute's, as the clock stands still
    assert limiter._under_way == 0
