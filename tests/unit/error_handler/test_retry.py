"""Retries wait as long as they should and end when they should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from rag_engine.error_handler import Action, Failure, RetryPolicy, Verdict, retry_with_backoff
from rag_engine.errors import (
    CreditExhaustedError,
    DeadlineExceededError,
    LanguageModelError,
    OverloadedError,
    RateLimitError,
    ServerError,
    StalledStreamError,
)
from rag_engine.types.generation import Attempt
from tests.unit.error_handler.scripted_calls import Clock, Scripted, both, run


@both
def test_an_error_that_may_pass_is_tried_again_and_waits_grow(sync: bool) -> None:
    clock, scripted = Clock(), Scripted(*(ServerError("x") for _ in range(6)))
    policy = RetryPolicy(attempts=7, first_wait=0.5, longest_wait=4.0)
    assert run(scripted, sync=sync, clock=clock, policy=policy) == "answer"
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


@both
def test_the_providers_wait_is_kept_where_it_is_longer(sync: bool) -> None:
    clock = Clock()
    scripted = Scripted(RateLimitError("x", retry_after=7.0), RateLimitError("x", retry_after=0.1))
    assert run(scripted, sync=sync, clock=clock) == "answer"
    assert clock.slept == [7.0, 1.0]


@both
@pytest.mark.parametrize(
    "error",
    [CreditExhaustedError("x"), OverloadedError("x"), DeadlineExceededError("x"), ValueError("x"), MemoryError("x")],
)
def test_an_error_that_another_call_does_not_mend_is_raised_at_once(sync: bool, error: Exception) -> None:
    clock, scripted = Clock(), Scripted(error)
    with pytest.raises(type(error)) as caught:
        run(scripted, sync=sync, clock=clock)
    assert caught.value is error
    assert (scripted.calls, clock.slept) == (1, [])


@both
def test_a_providers_verdict_against_trying_again_is_kept(sync: bool) -> None:
    scripted = Scripted(ServerError("x", verdict=Verdict(Action.FAIL_OVER)))
    with pytest.raises(ServerError):
        run(scripted, sync=sync, clock=Clock())
    assert scripted.calls == 1


@both
def test_with_no_other_model_what_may_pass_at_no_cost_is_waited_for_and_nothing_else_is(sync: bool) -> None:
    assert run(Scripted(OverloadedError("x")), sync=sync, clock=Clock(), alone=True) == "answer"
    final = OverloadedError("x", verdict=Verdict(Action.FAIL_OVER, final=True))
    for error in (CreditExhaustedError("x"), StalledStreamError("x"), final):
        lasting = Scripted(error)
        with pytest.raises(type(error)):
            run(lasting, sync=sync, clock=Clock(), alone=True)
        assert lasting.calls == 1


@both
def test_the_last_error_is_raised_as_it_is_with_all_attempts_told(sync: bool) -> None:
    errors = [ServerError(str(number), provider="p", model="m", request_id=f"r{number}") for number in range(3)]
    with pytest.raises(ServerError) as caught:
        run(Scripted(*errors), sync=sync, clock=Clock())
    assert caught.value is errors[2]
    assert [(attempt.outcome, attempt.request_id) for attempt in caught.value.attempts] == [
        ("server", "r0"),
        ("server", "r1"),
        ("server", "r2"),
    ]


@both
def test_attempts_that_an_error_tells_by_itself_are_not_told_twice(sync: bool) -> None:
    def told(number: int) -> ServerError:
        return ServerError("x", attempts=(Attempt("m", "server", float(number)),))

    with pytest.raises(LanguageModelError) as caught:
        run(Scripted(told(1), told(2), told(3)), sync=sync, clock=Clock())
    assert [attempt.seconds for attempt in caught.value.attempts] == [1.0, 2.0, 3.0]


@both
def test_the_very_same_error_raised_again_counts_as_one_attempt_each_time(sync: bool) -> None:
    error = ServerError("x", provider="p", model="m")
    with pytest.raises(LanguageModelError) as caught:
        run(Scripted(error, error, error), sync=sync, clock=Clock())
    assert len(caught.value.attempts) == 3


@both
def test_an_error_that_is_not_ours_gets_a_note_of_its_attempt(sync: bool) -> None:
    with pytest.raises(ConnectionResetError) as caught:
        run(Scripted(*(ConnectionResetError() for _ in range(3))), sync=sync, clock=Clock())
    assert caught.value.__notes__ == ["this was attempt 3 of 3"]


@both
@pytest.mark.parametrize("options", [{"deadline": 1005.0}, {"seconds": 5.0}, {"deadline": 9999.0, "seconds": 5.0}])
def test_a_wait_that_does_not_fit_before_the_deadline_is_not_begun(sync: bool, options: dict[str, float]) -> None:
    clock = Clock()
    scripted = Scripted(RateLimitError("x", retry_after=3.0), RateLimitError("x", retry_after=3.0))
    with pytest.raises(RateLimitError) as caught:
        run(scripted, sync=sync, clock=clock, **options)
    assert (scripted.calls, clock.slept, len(caught.value.attempts)) == (2, [3.0], 2)


@both
def test_a_day_to_wait_ends_at_once_under_a_deadline(sync: bool) -> None:
    clock, scripted = Clock(), Scripted(RateLimitError("x", retry_after=86400.0))
    with pytest.raises(RateLimitError):
        run(scripted, sync=sync, clock=clock, seconds=120.0)
    assert (scripted.calls, clock.slept) == (1, [])


@both
def test_seconds_count_from_each_call_of_the_decorated_function_anew(sync: bool) -> None:
    clock = Clock()

    @retry_with_backoff(seconds=2.0, clock=clock, sleep=clock.sleep, draw=lambda: 0.0)
    def asked() -> float:
        return clock.now

    clock.now += 100.0
    assert asked() == 1100.0


@both
def test_each_failure_is_told_as_it_happens_with_the_wait_behind_it(sync: bool) -> None:
    told: list[Failure] = []
    errors = [ServerError(str(number)) for number in range(3)]
    with pytest.raises(ServerError):
        run(Scripted(*errors), sync=sync, clock=Clock(), on_failure=told.append)
    assert [(failure.error, failure.attempt, failure.wait) for failure in told] == [
        (errors[0], 1, 0.5),
        (errors[1], 2, 1.0),
        (errors[2], 3, None),
    ]
    assert all(failure.verdict.action is Action.RETRY for failure in told)


def test_a_function_keeps_its_name_arguments_and_kind() -> None:
    @retry_with_backoff
    async def asked(question: str, *, times: int) -> str:
        """Asks."""
        return question * times

    assert asyncio.iscoroutinefunction(asked)
    assert (asked.__name__, asked.__doc__) == ("asked", "Asks.")
    assert asyncio.run(asked("a", times=2)) == "aa"


def test_a_callable_object_with_an_async_call_is_async() -> None:
    class Asking:
        def __init__(self) -> None:
            self.calls = 0

        async def __call__(self) -> int:
            self.calls += 1
            if self.calls < 3:
                raise ServerError("x")
            return self.calls

    clock = Clock()
    assert asyncio.run(retry_with_backoff(Asking(), sleep=clock.asleep)()) == 3


def test_generators_and_hidden_coroutines_are_refused_as_their_errors_would_not_be_seen() -> None:
    def pieces() -> Iterator[str]:
        yield "a"

    async def async_pieces() -> AsyncIterator[str]:
        yield "a"

    async def asked() -> None:
        pass

    begun = asked()
    for generator in (pieces, async_pieces):
        with pytest.raises(TypeError, match="generator"):
            retry_with_backoff(generator)
    with pytest.raises(TypeError, match="async function itself"):
        retry_with_backoff(lambda: begun)()
