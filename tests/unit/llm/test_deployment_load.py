"""How busy and how fast a deployment is thought to be, after what calls of it."""

from __future__ import annotations

import math
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.errors import ConfigurationError
from rag_engine.llm.deployment_load import DeploymentLoad
from tests.unit.llm.rate_limit.fake_clock import FakeClock

HALF_LIFE = 30.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def load(clock: FakeClock) -> DeploymentLoad:
    return DeploymentLoad(half_life_seconds=HALF_LIFE, clock=clock)


def streamed(load: DeploymentLoad, first: float, token: float = 0.01, tokens: int = 101) -> None:
    load.began()
    load.ended(seconds=first + token * (tokens - 1), first_token_seconds=first, output_tokens=tokens)


def whole(load: DeploymentLoad, seconds: float, tokens: int) -> None:
    load.began()
    load.ended(seconds=seconds, output_tokens=tokens)


def test_of_a_deployment_that_was_never_asked_nothing_is_known(load: DeploymentLoad) -> None:
    assert (load.seconds(100), load.quantile(0.5), load.first_token_seconds, load.token_seconds) == (None,) * 4


def test_streams_tell_the_first_token_and_each_further_one_apart(load: DeploymentLoad) -> None:
    for tokens in (2, 50, 400):
        streamed(load, 0.4, 0.02, tokens)
    assert load.first_token_seconds == pytest.approx(0.4)
    assert load.token_seconds == pytest.approx(0.02)
    assert load.seconds(201) == pytest.approx(0.4 + 200 * 0.02)


def test_answers_that_came_whole_tell_them_apart_by_their_lengths(load: DeploymentLoad) -> None:
    for tokens in (11, 101, 501, 1001):
        whole(load, 0.4 + 0.02 * (tokens - 1), tokens)
    assert load.first_token_seconds == pytest.approx(0.4)
    assert load.token_seconds == pytest.approx(0.02)
    assert load.seconds(201) == pytest.approx(4.4)


def test_answers_without_tokens_tell_how_long_they_took(load: DeploymentLoad) -> None:
    for _ in range(3):
        whole(load, 0.2, 0)
    assert load.seconds(0) == pytest.approx(0.2)
    assert load.seconds(500) == pytest.approx(0.2)


def test_a_slow_call_counts_at_once_and_half_less_after_each_half_life(load: DeploymentLoad, clock: FakeClock) -> None:
    for _ in range(1000):
        streamed(load, 0.5)
    streamed(load, 10.0)
    assert load.first_token_seconds == pytest.approx(10.0, rel=0.01)
    clock.pass_by(HALF_LIFE)
    for _ in range(1000):
        streamed(load, 0.5)
    assert load.first_token_seconds == pytest.approx(0.5 + 9.5 / 2, rel=0.01)
    clock.pass_by(HALF_LIFE)
    assert load.first_token_seconds == pytest.approx(0.5 + 9.5 / 4, rel=0.01)


def test_a_fast_call_counts_no_more_than_its_share(load: DeploymentLoad) -> None:
    for _ in range(9):
        streamed(load, 1.0)
    streamed(load, 0.001)
    found = load.first_token_seconds
    assert found is not None
    assert found > 0.89


def test_late_calls_count_more_than_early_ones(load: DeploymentLoad, clock: FakeClock) -> None:
    for _ in range(20):
        streamed(load, 5.0)
    clock.pass_by(5 * HALF_LIFE)
    for _ in range(20):
        streamed(load, 1.0)
    assert load.first_token_seconds == pytest.approx(1.0 + 4.0 / 33, rel=0.01)


def test_a_slow_whole_answer_counts_at_once(load: DeploymentLoad) -> None:
    for tokens in (11, 101, 501, 1001) * 50:
        whole(load, 0.5 + 0.01 * (tokens - 1), tokens)
    whole(load, 31.5, 101)
    found = load.seconds(101)
    assert found is not None
    assert found > 25


def test_what_is_long_ago_is_known_no_more(load: DeploymentLoad, clock: FakeClock) -> None:
    for _ in range(30):
        streamed(load, 20.0)
    clock.pass_by(11 * HALF_LIFE)
    assert load.seconds(100) is None
    assert load.quantile(0.9) is not None  # a distribution is remembered longer
    clock.pass_by(100 * HALF_LIFE)
    assert load.quantile(0.9) is None
    streamed(load, 0.5)
    assert load.first_token_seconds == pytest.approx(0.5)


def test_a_deployment_that_fails_at_once_does_not_look_fast(load: DeploymentLoad) -> None:
    for _ in range(10):
        streamed(load, 2.0)
    before = load.seconds(100)
    for _ in range(3):
        load.began()
        load.ended(seconds=0.01, failed=True)
    after = load.seconds(100)
    assert before is not None
    assert after is not None
    assert after >= before + 2.0


@pytest.mark.parametrize("tokens", [0, 100])
def test_a_failure_counts_as_slow_where_nothing_else_is_known(load: DeploymentLoad, tokens: int) -> None:
    load.began()
    load.ended(seconds=0.01, failed=True)
    found = load.seconds(tokens)
    assert found is not None
    assert found >= 1.0


def test_a_call_that_was_cancelled_counts_where_it_was_slow_already(load: DeploymentLoad) -> None:
    for _ in range(30):
        streamed(load, 1.0)
    load.began()
    load.ended(seconds=0.1)
    assert load.first_token_seconds == pytest.approx(1.0)
    assert load.quantile(0.0) == pytest.approx(1.0, rel=0.05)
    load.began()
    load.ended(seconds=4.0)
    assert load.first_token_seconds == pytest.approx(4.0)
    assert load.quantile(1.0) == pytest.approx(4.0, rel=0.05)


def test_a_forgotten_call_says_nothing_about_speed(load: DeploymentLoad) -> None:
    load.began()
    assert load.under_way == 1
    load.forgotten()
    assert load.under_way == 0
    assert load.seconds(10) is None


def test_quantiles_are_those_of_first_tokens_and_need_twenty_calls(load: DeploymentLoad) -> None:
    chance = random.Random(3)
    firsts = [chance.lognormvariate(-1, 1) for _ in range(400)]
    for number, first in enumerate(firsts):
        assert (load.quantile(0.5) is None) == (number < 20)
        streamed(load, first, token=1.0)
    for share in (0.5, 0.9, 0.97):
        assert load.quantile(share) == pytest.approx(sorted(firsts)[math.ceil(share * 400) - 1], rel=0.05)


def test_quantiles_are_those_of_whole_answers_where_there_are_no_streams(load: DeploymentLoad) -> None:
    for number in range(1, 101):
        whole(load, number / 10, 50)
    assert load.quantile(0.9) == pytest.approx(9.0, rel=0.05)


@given(st.lists(st.sampled_from(["began", "ended", "failed", "forgotten", "late", "early"]), max_size=60))
def test_never_fewer_than_no_calls_are_under_way(steps: list[str]) -> None:
    clock = FakeClock()
    load, expected = DeploymentLoad(clock=clock), 0
    for step in steps:
        if step in ("late", "early"):
            clock.pass_by(40.0 if step == "late" else -4000.0)
        elif step == "began":
            load.began()
            expected += 1
        else:
            if step == "forgotten":
                load.forgotten()
            else:
                load.ended(seconds=1.0, failed=step == "failed")
            expected = max(0, expected - 1)
        assert load.under_way == expected


calls = st.lists(
    st.tuples(
        st.floats(0, 300),
        st.none() | st.floats(0, 30),
        st.integers(0, 4000),
        st.booleans(),
        st.sampled_from([0.0, 0.5, 10.0, 400.0, 20_000.0, -1000.0]),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(calls)
def test_whatever_comes_and_whenever_what_is_known_is_a_number_from_0(
    calls: list[tuple[float, float | None, int, bool, float]],
) -> None:
    clock = FakeClock()
    load = DeploymentLoad(clock=clock)
    slowest = 0.0
    for seconds, first, tokens, failed, later in calls:
        load.began()
        load.ended(seconds=seconds, first_token_seconds=first, output_tokens=tokens, failed=failed)
        slowest = max(slowest, seconds, first or 0.0, 120.0)
        for known in (load.first_token_seconds, load.token_seconds, load.seconds(100), load.quantile(0.9)):
            assert known is None or 0 <= known < math.inf
        known = load.first_token_seconds
        assert known is None or known <= 2 * slowest
        clock.pass_by(later)
    assert load.under_way == 0


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_a_time_that_is_none_ends_the_call_and_says_nothing(load: DeploymentLoad, seconds: float) -> None:
    load.began()
    load.ended(seconds=seconds, output_tokens=5)
    assert load.under_way == 0
    assert load.seconds(5) is None


@pytest.mark.parametrize("half_life", [0.0, -1.0, math.nan, math.inf])
def test_a_half_life_that_is_none_is_said_so(half_life: float) -> None:
    with pytest.raises(ConfigurationError, match="half-life"):
        DeploymentLoad(half_life_seconds=half_life)


def test_weights_stay_within_what_a_number_holds(load: DeploymentLoad, clock: FakeClock) -> None:
    for _ in range(3000):
        streamed(load, 1.5)
        clock.pass_by(9 * HALF_LIFE)
    assert load.first_token_seconds == pytest.approx(1.5)
    assert load.quantile(0.5) == pytest.approx(1.5, rel=0.05)


def test_threads_lose_no_call(load: DeploymentLoad) -> None:
    def call() -> None:
        for _ in range(500):
            load.began()
        for _ in range(499):
            load.ended(seconds=1.0, first_token_seconds=0.5, output_tokens=11)
            load.seconds(10)
            load.quantile(0.9)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load.under_way == 8
    assert load.first_token_seconds == pytest.approx(0.5)
