"""Calls again what failed for the moment: with growing waits, within a deadline, and never inside another retry."""

from __future__ import annotations

import functools
import inspect
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, overload

from rag_engine.error_handler.retry_course import RetryCourse, owning, retry_is_owned
from rag_engine.error_handler.retry_policy import Failure, RetryPolicy

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_USUAL = RetryPolicy()


@overload
def retry_with_backoff(
    function: Callable[Parameters, Result],
    *,
    policy: RetryPolicy = ...,
    deadline: float | None = ...,
    seconds: float | None = ...,
    alone: bool = ...,
    on_failure: Callable[[Failure], None] | None = ...,
    clock: Callable[[], float] = ...,
    sleep: Callable[[float], Any] | None = ...,
    draw: Callable[[], float] = ...,
) -> Callable[Parameters, Result]: ...


@overload
def retry_with_backoff(
    function: None = None,
    *,
    policy: RetryPolicy = ...,
    deadline: float | None = ...,
    seconds: float | None = ...,
    alone: bool = ...,
    on_failure: Callable[[Failure], None] | None = ...,
    clock: Callable[[], float] = ...,
    sleep: Callable[[float], Any] | None = ...,
    draw: Callable[[], float] = ...,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]: ...


def retry_with_backoff(
    function: Callable[..., Any] | None = None,
    *,
    policy: RetryPolicy = _USUAL,
    deadline: float | None = None,
    seconds: float | None = None,
    alone: bool = False,
    on_failure: Callable[[Failure], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Any] | None = None,
    draw: Callable[[], float] = random.random,
) -> Any:
    """``function``, called again where ``verdict_for`` says RETRY of its error; a decorator, or a call:
    ``retry_with_backoff(ask, seconds=30)()``. An async function stays one.

    Between two calls is the longer of the policy's wait and the provider's. Where it would end behind ``deadline``, a
    moment of ``clock``, or ``seconds`` after the first call began, the whichever earlier, there is no wait: the error
    is raised at once. The first call is made in any case. What is raised is the last error itself; of a
    LanguageModelError ``attempts`` tells of all calls. ``on_failure`` is told each failure as it happens.

    With ``alone`` there is no other model: an error that calls for one is then tried again here, where its class is
    retryable, the failed call cost nothing, and nothing says that this is final.

    Inside another retry ``function`` is called once and nothing is counted or told: the outer one decides. Cancelling,
    Control-C and the like pass at once. ``clock``, ``sleep`` (async for an async function) and ``draw`` (chance, in
    [0, 1)) can be replaced.

    Raises:
        TypeError: ``function`` is a generator, whose errors come only after the call; or a plain function gave
            something to be awaited, whose errors would not be seen.
    """
    if function is None:
        return functools.partial(
            retry_with_backoff, policy=policy, deadline=deadline, seconds=seconds, alone=alone, on_failure=on_failure,
            clock=clock, sleep=sleep, draw=draw,
        )  # fmt: skip
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function!r} is a generator: its errors come after the call, where no retry sees them")

    def course() -> RetryCourse:
        ends = [moment for moment in (deadline, None if seconds is None else clock() + seconds) if moment is not None]
        return RetryCourse(policy, min(ends) if ends else None, alone, clock, draw, on_failure)

    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        return _around_async(function, course, sleep)
    return _around(function, course, sleep or time.sleep)


def _around(
    function: Callable[..., Any], course: Callable[[], RetryCourse], sleep: Callable[[float], Any]
) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        if retry_is_owned():
            return _seen(function(*arguments, **named))
        from tenacity import Retrying

        with owning():
            return _seen(Retrying(**course().options(sleep))(function, *arguments, **named))

    return called


def _around_async(
    function: Callable[..., Awaitable[Any]], course: Callable[[], RetryCourse], sleep: Callable[[float], Any] | None
) -> Callable[..., Any]:
    @functools.wraps(function)
    async def called(*arguments: Any, **named: Any) -> Any:
        if retry_is_owned():
            return await function(*arguments, **named)
        from asyncio import sleep as sleep_of_asyncio

        from tenacity import AsyncRetrying

        with owning():
            return await AsyncRetrying(**course().options(sleep or sleep_of_asyncio))(function, *arguments, **named)

    return called


def _seen(result: Any) -> Any:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError("a plain function gave something to be awaited: retry the async function itself")
    return result
