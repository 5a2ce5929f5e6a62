"""Trying again, in one place: bounded in number, in time, and never inside another retry."""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from rag_engine.error_handler.actions import Action, verdict_for
from rag_engine.errors import ConfigurationError

if TYPE_CHECKING:
    from tenacity import RetryCallState

_Told: TypeAlias = Callable[[BaseException, int], None]
# Set while somebody tries again: a retry within a retry would multiply calls, so the inner one tries once.
_owned: ContextVar[bool] = ContextVar("retry_owned", default=False)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``attempts`` calls at most, the first included; between them a wait of at most ``first_wait`` seconds, doubled
    each time up to ``longest_wait`` and drawn evenly from what is below ("full jitter": Brooker, AWS Architecture Blog,
    2015). ``alone`` says that there is nobody else to ask: then also faults are tried again that call for another
    model, where they pass by themselves and cost nothing."""

    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 8.0
    alone: bool = True

    def __post_init__(self) -> None:
        """Raises ConfigurationError where nothing would be tried, or a wait is negative."""
        if self.attempts < 1 or not 0 <= self.first_wait <= self.longest_wait:
            raise ConfigurationError(
                f"nothing can be tried {self.attempts} times with waits from {self.first_wait} to {self.longest_wait} "
                "seconds",
                hint="allow one attempt at least, and waits from 0 up",
            )

    def wait(self, attempt: int, *, drawn: float) -> float:
        """Seconds before the attempt after number ``attempt``; ``drawn`` is in [0, 1)."""
        # From 2 ** 60 on the doubled wait would leave the floats; it is over any longest one long before.
        return drawn * min(self.longest_wait, self.first_wait * 2.0 ** min(attempt - 1, 60))

    def tries_again(self, error: BaseException) -> bool:
        """Whether the same call may help."""
        if not isinstance(error, Exception):  # cancellations and their like are not held up
            return False
        verdict = verdict_for(error)
        if verdict.action is Action.RETRY:
            return True
        passes = bool(getattr(error, "retryable", False)) and not verdict.billable
        return self.alone and verdict.action is Action.FAIL_OVER and passes


def retry_with_backoff(
    function: Callable[..., Any] | None = None,
    *,
    policy: RetryPolicy = RetryPolicy(),
    deadline: float | None = None,
    on_failure: Callable[[BaseException, int], None] = lambda error, attempt: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Any] | None = None,
    draw: Callable[[], float] = random.random,
) -> Any:
    """Calls ``function`` without arguments, and again after faults that may pass: its result, or of a coroutine
    function what is to be awaited for it. Without ``function`` it is a decorator, also of functions with arguments.

    Between attempts it waits as long as the provider asks, and at least as long as the policy draws. Where that wait
    does not fit before ``deadline``, a time of ``clock``, it gives up at once with the error at hand. ``on_failure`` is
    told each failure and the number of its attempt. Within another call of this function only one attempt is made.
    ``clock``, ``sleep`` (a coroutine function for coroutine functions) and ``draw`` are for tests.

    Raises:
        BaseException: what ``function`` raised last. A cancellation passes at once.
    """
    options = {
        "policy": policy, "deadline": deadline, "on_failure": on_failure, "clock": clock, "sleep": sleep, "draw": draw,
    }  # fmt: skip
    if function is None:
        return functools.partial(_decorated, options)
    attempts = 1 if _owned.get() else policy.attempts

    def wait(state: RetryCallState) -> float:
        asked = verdict_for(_error_of(state)).retry_after or 0.0
        return max(asked, policy.wait(state.attempt_number, drawn=draw()))

    def stop(state: RetryCallState) -> bool:
        if state.attempt_number >= attempts:
            return True
        return deadline is not None and clock() + state.upcoming_sleep >= deadline

    return (_awaited if inspect.iscoroutinefunction(function) else _called)(
        function,
        on_failure,
        {"wait": wait, "stop": stop, "reraise": True} | ({"sleep": sleep} if sleep else {}),
        policy,
    )


def _decorated(options: dict[str, Any], function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def retried(*arguments: Any, **named: Any) -> Any:
        return retry_with_backoff(functools.partial(function, *arguments, **named), **options)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def retried_later(*arguments: Any, **named: Any) -> Any:
            return await retried(*arguments, **named)

        return retried_later
    return retried


def _called(function: Callable[[], Any], told: _Told, options: dict[str, Any], policy: RetryPolicy) -> Any:
    from tenacity import Retrying, retry_if_exception

    numbers = itertools.count(1)

    def attempt() -> Any:
        with _owning(told, next(numbers)):
            return function()

    return Retrying(retry=retry_if_exception(policy.tries_again), **options)(attempt)


async def _awaited(
    function: Callable[[], Awaitable[Any]], told: _Told, options: dict[str, Any], policy: RetryPolicy
) -> Any:
    from tenacity import AsyncRetrying, retry_if_exception

    numbers = itertools.count(1)

    async def attempt() -> Any:
        with _owning(told, next(numbers)):
            return await function()

    return await AsyncRetrying(retry=retry_if_exception(policy.tries_again), **options)(attempt)


@contextlib.contextmanager
def _owning(told: _Told, number: int) -> Iterator[None]:
    token = _owned.set(True)
    try:
        yield
    except BaseException as error:
        told(error, number)
        raise
    finally:
        _owned.reset(token)


def _error_of(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if error is not None else RuntimeError("an attempt without an outcome")
