"""Retries wait as long as they should, end when they should, and never multiply."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.error_handler import Action, Failure, RetryPolicy, Verdict, retry_is_owned, retry_with_backoff
from rag_engine.errors import (
    ConfigurationError,
    CreditExhaustedError,
    DeadlineExceededError,
    LanguageModelError,
    OverloadedError,
    RateLimitError,
    ServerError,
)
from rag_engine.types.generation import Attempt


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Scripted:
    """Raises what it is given, in order; then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= len(self.errors):
            raise self.errors[self.calls - 1]
        return "answer"


def run(scripted: Callable[[], Any], *, sync: bool, clock: Clock, **options: Any) -> Any:
    """The same call as a plain and as an async function."""
    options = {"clock": clock, "draw": lambda: 1.0, **options}
    if sync:
        return retry_with_backoff(scripted, sleep=clock.sleep, **options)()

    async def asked() -> Any:
        await asyncio.sleep(0)
        return scripted()

    return asyncio.run(retry_with_backoff(asked, sleep=clock.asleep, **options)())


both = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])


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
def test_with_no_other_model_what_may_pass_is_waited_for_and_what_may_not_is_not(sync: bool) -> None:
    passing, lasting = Scripted(OverloadedError("x")), Scripted(CreditExhaustedError("x"))
    assert run(passing, sync=sync, clock=Clock(), alone=True) == "answer"
    with pytest.raises(CreditExhaustedError):
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


@both
def test_a_retry_inside_a_retry_calls_once(sync: bool) -> None:
    calls: list[bool] = []

    def innermost() -> None:
        calls.append(retry_is_owned())
        raise ServerError("x")

    inner = retry_with_backoff(innermost, policy=RetryPolicy(attempts=5))
    with pytest.raises(ServerError) as caught:
        run(inner, sync=sync, clock=Clock())
    assert calls == [True, True, True]
    assert len(caught.value.attempts) == 3
    assert not retry_is_owned()


def test_tasks_within_an_async_retry_are_within_it_and_those_that_outlive_it_are_not() -> None:
    owned: list[bool] = []
    left: list[asyncio.Task[None]] = []

    async def asked() -> None:
        gate = asyncio.Event()

        async def within() -> None:
            owned.append(retry_is_owned())

        async def outliving() -> None:
            await gate.wait()
            await asyncio.sleep(0)
            owned.append(retry_is_owned())

        await asyncio.gather(within())
        left.append(asyncio.ensure_future(outliving()))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, gate.set)

    async def main() -> None:
        await retry_with_backoff(asked)()
        await left[0]

    asyncio.run(main())
    assert owned == [True, False]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), asyncio.CancelledError()])
def test_what_is_no_exception_passes_at_once_and_is_told_to_nobody(error: BaseException) -> None:
    told: list[Failure] = []
    scripted = Scripted(error)
    with pytest.raises(type(error)) as caught:
        run(scripted, sync=True, clock=Clock(), on_failure=told.append)
    assert caught.value is error
    assert (scripted.calls, told) == (1, [])


@pytest.mark.parametrize("asleep", [True, False])
def test_cancelling_ends_an_async_retry_at_once_whether_it_calls_or_waits(asleep: bool) -> None:
    calls: list[int] = []

    async def asked() -> None:
        calls.append(1)
        if not asleep:
            await asyncio.sleep(3600)
        raise ServerError("x")

    async def main() -> None:
        task = asyncio.ensure_future(
            retry_with_backoff(asked, policy=RetryPolicy(first_wait=3600, longest_wait=3600))()
        )
        while not calls:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert calls == [1]


def test_many_tasks_share_one_decorated_function_without_counting_each_others_attempts() -> None:
    @retry_with_backoff(policy=RetryPolicy(attempts=3, first_wait=0.0))
    async def asked(failures: list[int]) -> str:
        await asyncio.sleep(0)
        if failures.pop():
            raise ServerError("x")
        return "answer"

    async def main() -> list[str]:
        return await asyncio.gather(*(asked([0, 1, 1]) for _ in range(50)))

    assert asyncio.run(main()) == ["answer"] * 50


def test_a_coroutine_that_is_thrown_away_while_it_waits_leaves_nothing_behind() -> None:
    async def asked() -> None:
        raise ServerError("x")

    async def forever(_: float) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        coroutine = retry_with_backoff(asked, sleep=forever)()
        with contextlib.suppress(StopIteration):
            coroutine.send(None)
        coroutine.close()
        assert not retry_is_owned()

    asyncio.run(main())


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


@pytest.mark.parametrize(
    "numbers",
    [
        {"attempts": 0},
        {"first_wait": -1.0},
        {"longest_wait": float("inf")},
        {"first_wait": float("nan")},
        {"jitter": 1.5},
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(numbers: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="cannot be kept"):
        RetryPolicy(**numbers)


@given(
    attempt=st.integers(1, 10**6),
    draw=st.floats(0, 1, exclude_max=True),
    first=st.floats(0, 1e6),
    longest=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)
def test_a_wait_lies_between_its_fixed_share_and_its_bound(
    attempt: int, draw: float, first: float, longest: float, jitter: float
) -> None:
    policy = RetryPolicy(first_wait=first, longest_wait=longest, jitter=jitter)
    bound = min(longest, first * 2.0 ** min(attempt - 1, 60))
    assert bound * (1 - jitter) * (1 - 1e-9) <= policy.wait(attempt, draw) <= bound * (1 + 1e-9)


@given(
    waits=st.lists(st.none() | st.floats(0, 1e9), max_size=8),
    attempts=st.integers(1, 6),
    seconds=st.none() | st.floats(0, 1e6),
)
def test_a_retry_never_sleeps_past_its_deadline_and_never_calls_more_than_it_may(
    waits: list[float | None], attempts: int, seconds: float | None
) -> None:
    clock, scripted = Clock(), Scripted(*(RateLimitError("x", retry_after=wait) for wait in waits))
    with contextlib.suppress(RateLimitError):
        run(scripted, sync=True, clock=clock, policy=RetryPolicy(attempts=attempts), seconds=seconds)
    assert scripted.calls <= attempts
    assert seconds is None or clock.now <= 1000.0 + seconds
